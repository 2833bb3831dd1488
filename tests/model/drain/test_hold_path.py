"""The path of a hold: what is asked for is read again, and nothing else is taken for it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossless.model.drain.hold_path import LONGEST, AskedHold, hold_path, parse_hold_path

_NAMES = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", fullmatch=True)
_KEYS = st.from_regex(r"[a-f0-9-]{1,36}", fullmatch=True)


@given(_NAMES, _KEYS, st.integers(0, LONGEST))
def test_what_is_asked_for_is_understood(container: str, key: str, seconds: int) -> None:
    """With a key or without: writing and reading are each other's inverse."""
    for asked in (AskedHold(container), AskedHold(container, key, seconds)):
        assert parse_hold_path(hold_path(asked)) == asked


@given(st.text())
def test_any_path_is_understood_or_refused(path: str) -> None:
    """Nothing raises, and no hold is longer than the longest."""
    asked = parse_hold_path(path)
    held = parse_hold_path(f"/v1/hold/{path}")

    assert asked is None or path.startswith("/v1/hold")
    assert held is None or held.seconds <= LONGEST


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        pytest.param("/v1/hold", AskedHold(""), id="an older webhook's"),
        pytest.param("/v1/hold/app", AskedHold("app"), id="on the pod network"),
        pytest.param("/v1/hold/app/7a3f/305", AskedHold("app", "7a3f", 305), id="with a key"),
        pytest.param(
            f"/v1/hold/app/7a3f/{'9' * 5000}", AskedHold("app", "7a3f", LONGEST), id="for ever"
        ),
        pytest.param("/v1/hold/", None, id="no name"),
        pytest.param("/v1/hold/app/7a3f", None, id="no seconds"),
        pytest.param("/v1/hold/app//305", None, id="no key"),
        pytest.param("/v1/hold/app/7a3f/-1", None, id="seconds below zero"),
        pytest.param("/v1/hold/app/7a3f/٣", None, id="digits of another script"),
        pytest.param("/v1/hold/app/7a3f/1/2", None, id="too much"),
        pytest.param("/v1/holder", None, id="something else"),
    ],
)
def test_paths(path: str, asked: AskedHold | None) -> None:
    """What kubelets ask for, and what they never would."""
    assert parse_hold_path(path) == asked
