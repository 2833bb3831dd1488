"""The table of the paces says what was proved, and no more."""

import pytest

from e2e.pace.table import Pace, Row, table, verdict


def row(pace: Pace, *, failed: int = 0) -> Row:
    """Return one rollout of twelve replicas."""
    return Row(12, pace, seconds=21.0, requests=5000, failed=failed, limit=18.5)


@pytest.mark.parametrize(
    ("rows", "good", "words"),
    [
        pytest.param(
            [row(Pace.PLAIN, failed=9), row(Pace.ONE), row(Pace.OWN)],
            True,
            "Plain lost 9, lossless none of 10,000.",
            id="proved",
        ),
        pytest.param(
            [row(Pace.PLAIN), row(Pace.OWN)], False, "Nothing is proved", id="control-lost-none"
        ),
        pytest.param(
            [row(Pace.PLAIN, failed=9), row(Pace.OWN, failed=1)],
            False,
            "BROKEN: lossless rollouts lost requests: 12 replicas, default.",
            id="broken",
        ),
    ],
)
def test_a_verdict_has_its_control(rows: list[Row], words: str, *, good: bool) -> None:
    """Lossless rollouts lose nothing, where plain ones lose some."""
    found, said = verdict(rows)

    assert found is good
    assert words in said


def test_every_rollout_has_a_line() -> None:
    """With what its waves take alone, where there is such a thing."""
    lines = table([row(Pace.OWN), Row(3, Pace.PLAIN, 5.0, 100, 7)]).splitlines()

    assert lines[2].split() == ["12", "default", "21.0", "18.5", "5,000", "0"]
    assert lines[3].split() == ["3", "plain", "5.0", "100", "7"]
