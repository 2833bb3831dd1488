"""What the table of faults says, and when it proves something."""

from dataclasses import replace

import pytest

from e2e.faults.catalogue import FAULTS
from e2e.faults.table import AT_LEAST, Loss, Row, table, verdict

_CONTROL = Row("none", "", 1200, {"reset": 7}, 4.0)
_KEPT = Row("leader", "in mid-drain", 3000, {}, 40.0, state="Ready: 3 drained", seen="twice")
_KNOWN = replace(
    _KEPT, fault="agent", kinds={"reset": 2, "EOF": 1}, loses=Loss("its hold breaks", at_most=3)
)


@pytest.mark.parametrize(
    ("control", "rows", "good", "said"),
    [
        pytest.param(_CONTROL, [_KEPT], True, "none of 3,000", id="kept"),
        pytest.param(
            _CONTROL,
            [_KEPT, _KNOWN],
            True,
            "under 1 faults lossless lost none of 3,000; under 1 that may cost some it lost 3 of",
            id="lost for a known reason",
        ),
        pytest.param(
            _CONTROL,
            [_KNOWN],
            True,
            "Plain lost 7 without any fault; under 1 that may cost some it lost 3 of 3,000.",
            id="only one that may cost some",
        ),
        pytest.param(
            _CONTROL,
            [replace(_KNOWN, kinds={"EOF": 4})],
            False,
            "4 requests were lost, more than 3",
            id="lost more than the reason explains",
        ),
        pytest.param(
            _CONTROL,
            [replace(_KNOWN, requests=AT_LEAST - 1)],
            False,
            f"only {AT_LEAST - 1} requests",
            id="too few to tell, whatever may be lost",
        ),
        pytest.param(_CONTROL, [], False, "no fault was shown", id="nothing"),
        pytest.param(
            _CONTROL,
            [replace(_KEPT, kinds={"EOF": 1})],
            False,
            "leader in mid-drain: 1 requests were lost",
            id="lost for no reason",
        ),
        pytest.param(
            _CONTROL, [replace(_KNOWN, kept=2)], False, "2 pods were kept", id="a pod did not start"
        ),
        pytest.param(
            _CONTROL,
            [replace(_KEPT, requests=AT_LEAST - 1)],
            False,
            f"only {AT_LEAST - 1} requests",
            id="too few to tell",
        ),
        pytest.param(
            replace(_CONTROL, kinds={}), [_KEPT], False, "plain rollout lost none", id="no control"
        ),
    ],
)
def test_a_promise_is_kept_only_if_the_control_breaks_it(
    control: Row,
    rows: list[Row],
    good: bool,  # noqa: FBT001 # one cell of the table
    said: str,
) -> None:
    """And only if no pod was kept from starting, whatever else may be lost."""
    outcome, words = verdict(control, rows)

    assert outcome is good
    assert said in words


def test_the_table_shows_how_requests_failed_and_why() -> None:
    """The control first; reasons only of what was lost."""
    lines = table(_CONTROL, [_KEPT, _KNOWN]).splitlines()

    assert lines[2].split() == ["none", "1,200", "7", "(7", "reset)", "4", "s"]
    assert "Ready: 3 drained; twice" in lines[3]
    assert "3 (1 EOF, 2 reset)" in lines[4]
    assert lines[-2:] == ["Lost because:", "agent: its hold breaks."]


def test_every_fault_can_be_named() -> None:
    """By a key of its own, which also makes the name of a namespace."""
    keys = [fault.key for fault in FAULTS]

    assert len(set(keys)) == len(keys)
    assert all(key.replace("-", "").isalpha() and key == key.lower() for key in keys)
