"""Progress, and waiting."""

import io

import pytest

from e2e.cluster.errors import ClusterError
from e2e.cluster.progress import Progress, line
from e2e.cluster.waiting import wait_until


def test_a_step_says_how_it_ended() -> None:
    """Its title, the outcome and the time."""
    said = io.StringIO()

    with Progress(said).step("Building"):
        pass

    assert said.getvalue().startswith("Building: done in 0.")


def test_a_failed_step_says_so_and_lets_the_error_through() -> None:
    """Nothing is swallowed."""
    said = io.StringIO()

    with pytest.raises(ClusterError), Progress(said).step("Building"):
        raise ClusterError("no")

    assert said.getvalue().startswith("Building: failed in 0.")


def test_a_sign_of_life_shows_the_detail() -> None:
    """What go build is at, for one."""
    assert line("Building", 61.4, "812 packages") == "Building … 61 s  812 packages"
    assert line("Building", 3, "") == "Building … 3 s"


def test_waiting_ends_with_the_answer() -> None:
    """Asked again until it is yes."""
    answers = iter([False, False, True])

    wait_until(lambda: next(answers), what="yes", timeout=10, interval=0)

    assert list(answers) == []


def test_waiting_ends_with_the_deadline() -> None:
    """And names what was waited for, how long, and what to do."""
    with pytest.raises(ClusterError, match=r"(?s)Waited 0 s in vain for rain.*Try dancing"):
        wait_until(lambda: False, what="rain", timeout=0, remedy="Try dancing.")
