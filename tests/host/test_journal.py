"""The journal: what is written is read, and nothing else passes for one."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossless.host.journal import MAX_FLAG, Flag, Journal, Outcome, parse_journal
from lossless.host.plan import Marks, Step, Verb

_TEXTS = st.text(max_size=50)
_TIMES = st.floats(0, 1e11)
_STEPS = st.frozensets(st.sampled_from(Step))
_FLAGS = st.builds(
    Flag,
    path=st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=50).map(
        lambda text: f"/{text}"
    ),
    content=st.binary(max_size=MAX_FLAG).map(lambda content: content.decode("latin-1")),
    mode=st.integers(0, 0o7777),
    uid=st.integers(-1, 2**32),
    gid=st.integers(-1, 2**32),
)
_JOURNALS = st.builds(
    Journal,
    run=_TEXTS,
    verb=st.sampled_from(Verb),
    pid=st.integers(0, 2**31),
    started=_TIMES,
    at=_TIMES,
    marks=st.builds(lambda one, two: Marks(one | two, two), _STEPS, _STEPS),
    outcome=st.sampled_from(Outcome),
    reason=_TEXTS,
    flags=st.lists(_FLAGS, max_size=3).map(tuple),
    was_offline=st.booleans(),
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=8,
)
WHOLE = Journal("1-2", Verb.PUBLISH, 2, 1.0, 2.0, flags=(Flag("/on", "ok"),))


@given(_JOURNALS)
def test_what_is_written_is_read(journal: Journal) -> None:
    """Status files of any bytes included."""
    assert parse_journal(journal.to_json()) == journal


@given(st.text() | _JSON.map(json.dumps))
def test_anything_else_is_refused_in_words(text: str) -> None:
    """By a ``ValueError`` and nothing else, whatever the file holds."""
    with pytest.raises(ValueError, match=r"."):
        parse_journal(text)


@given(st.sampled_from(sorted(json.loads(WHOLE.to_json()))), _JSON)
def test_one_wrong_field_is_refused_or_harmless(field: str, value: Any) -> None:
    """A journal that is read has only values that a journal can have."""
    raw = json.loads(WHOLE.to_json()) | {field: value}
    try:
        read = parse_journal(json.dumps(raw))
    except ValueError:
        return

    assert parse_journal(read.to_json()) == read


@given(st.integers(0, 600))
def test_half_a_journal_is_none(length: int) -> None:
    """A disk that lost its end says so."""
    text = WHOLE.to_json()
    with pytest.raises(ValueError, match=r"."):
        parse_journal(text[: min(length, len(text) - 1)])


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        pytest.param({"version": 2}, "version 2", id="a-newer-one"),
        pytest.param({"done": ["Drain"]}, "never begun", id="done-before-begun"),
        pytest.param(
            {"flags": [{"path": "on", "content": "", "mode": 0, "uid": 0, "gid": 0}]},
            "'on'",
            id="a-relative-flag",
        ),
    ],
)
def test_refusals_say_what_is_wrong(change: dict[str, Any], complaint: str) -> None:
    """For whoever has to mend it."""
    with pytest.raises(ValueError, match=complaint):
        parse_journal(json.dumps(json.loads(WHOLE.to_json()) | change))


@pytest.mark.parametrize(
    ("verb", "outcome", "unfinished", "resumable"),
    [
        pytest.param(Verb.PUBLISH, Outcome.NONE, True, True, id="cut-off"),
        pytest.param(Verb.PUBLISH, Outcome.STRANDED, True, True, id="failed"),
        pytest.param(Verb.OFFLINE, Outcome.NONE, True, False, id="another-verb"),
        pytest.param(Verb.PUBLISH, Outcome.BACK, False, False, id="put-back"),
        pytest.param(Verb.PUBLISH, Outcome.ONLINE, False, False, id="done"),
    ],
)
def test_what_another_publish_goes_on_with(
    verb: Verb, outcome: Outcome, *, unfinished: bool, resumable: bool
) -> None:
    """A publish that has not ended, or that has left the host out."""
    journal = Journal("1", verb, 1, 1.0, 1.0, outcome=outcome)

    assert (journal.unfinished, journal.resumable) == (unfinished, resumable)
