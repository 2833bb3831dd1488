"""What an agent says of its pod, written, read, and read from somebody hostile."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossless.model.phases import Phase
from lossless.model.report import MAX_BYTES, Connections, Oldest, Report, parse_report

REPORT = Report(
    pod="web-1",
    uid="u-1",
    phase=Phase.DRAINING,
    seconds=12.5,
    deadline=287.5,
    connections=Connections(active=3, idle=2, new=1),
    oldest=Oldest(peer="[2001:db8::1]:4711", age=42.0),
    discarded=0,
    reason="3 connections: 3 active",
)


def test_what_is_written_is_read_again() -> None:
    """Controller and agent speak of the same report."""
    assert parse_report(REPORT.to_json(), uid="u-1") == REPORT


def test_bytes_are_read_like_text() -> None:
    """The network gives bytes, the API text."""
    assert parse_report(REPORT.to_json().encode(), uid="u-1") == REPORT


def test_unknown_keys_are_ignored() -> None:
    """A newer agent may say more."""
    raw = json.loads(REPORT.to_json()) | {"colour": "blue"}

    assert parse_report(json.dumps(raw), uid="u-1") == REPORT


def test_missing_details_have_defaults() -> None:
    """Only the pod, its uid and its phase must be there."""
    raw = {"pod": "web-1", "uid": "u-1", "phase": "Drained"}

    assert parse_report(json.dumps(raw), uid="u-1") == Report("web-1", "u-1", Phase.DRAINED)


def test_the_document_fits_into_a_termination_message() -> None:
    """A reason of any length, in any script, is cut rather than the document."""
    report = Report("p" * 253, "u" * 36, Phase.TIMED_OUT, reason="\U0001f40c" * 5000)

    assert len(report.to_json().encode()) <= MAX_BYTES
    assert parse_report(report.to_json(), uid="u" * 36).phase is Phase.TIMED_OUT


def changed(**keys: object) -> str:
    """Return the report's document with some keys changed."""
    raw: dict[str, Any] = json.loads(REPORT.to_json())
    return json.dumps(raw | keys)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "Expecting value", id="empty"),
        pytest.param("[]", "not a report", id="a-list"),
        pytest.param("null", "not a report", id="null"),
        pytest.param("{}", "not a report", id="no-keys"),
        pytest.param("[" * 4000, "not a report|Expecting value", id="deep"),
        pytest.param(changed(phase="Asleep"), "Asleep", id="unknown-phase"),
        pytest.param(changed(phase="Lost"), "cannot say of itself", id="not-an-agents-phase"),
        pytest.param(changed(uid="u-2"), "a report of pod u-2, but u-1", id="another-pod"),
        pytest.param(changed(seconds="long"), "not a count", id="seconds-as-text"),
        pytest.param(changed(seconds=-1), "not a count", id="negative"),
        pytest.param(changed(seconds=float("nan")), "not a count", id="nan"),
        pytest.param(changed(discarded=True), "not a count", id="a-boolean"),
        pytest.param(changed(connections={"active": "3"}), "not a count", id="count-as-text"),
        pytest.param(changed(oldest={"peer": 7, "age": 1}), "not text", id="peer-as-number"),
        pytest.param(changed(oldest={}), "not a report", id="oldest-without-keys"),
        pytest.param(changed(reason="x" * 5000), "at most 4096", id="too-long"),
    ],
)
def test_what_is_no_report_of_this_pod_is_refused(text: str, message: str) -> None:
    """An address may belong to somebody else by now; nothing it says is trusted."""
    with pytest.raises(ValueError, match=message):
        parse_report(text, uid="u-1")


@given(st.binary(max_size=600) | st.text(max_size=600))
def test_anything_is_a_report_or_a_value_error(text: bytes | str) -> None:
    """No input makes the parser fail in another way."""
    with pytest.raises(ValueError):  # noqa: PT011 # its text depends on the input
        parse_report(text, uid="u-1")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["phase", "uid", "pod", "seconds", "connections", "active", "oldest"]),
            inner,
            max_size=5,
        )
    ),
)


@given(st.dictionaries(st.sampled_from(sorted(json.loads(REPORT.to_json()))), _JSON))
def test_any_json_in_its_place_is_read_or_a_value_error(keys: dict[str, object]) -> None:
    """Each field is checked; a report that is read can be written again."""
    try:
        report = parse_report(changed(**keys), uid="u-1")
    except ValueError:
        return
    assert parse_report(report.to_json(), uid="u-1").phase is report.phase
