"""Fresh means: renewed lately, by what we saw ourselves."""

from datetime import UTC, datetime, timedelta

import pytest

from lossless.cluster.lease import Lease
from lossless.webhook.leader import LONGEST, LeaderSign

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Clock:
    """Monotonic seconds that the test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def lease(age: float = 0.0, holder: str = "a", duration: int = 15, renewed: str = "") -> Lease:
    """Return a Lease renewed ``age`` seconds ago by our wall clock, or as it says."""
    renewed = renewed or (NOW - timedelta(seconds=age)).isoformat()
    return Lease(holder, duration, renewed, acquired="", transitions=0, version="7")


def sign(clock: Clock) -> LeaderSign:
    """Return a sign with five seconds of tolerance."""
    return LeaderSign(5.0, clock, wall=lambda: NOW)


@pytest.mark.parametrize(
    ("seen", "fresh"),
    [
        pytest.param(lease(1), True, id="recent"),
        pytest.param(lease(-3), True, id="a-little-ahead-of-us"),
        pytest.param(lease(19), True, id="within-duration-and-tolerance"),
        pytest.param(lease(21), False, id="old"),
        pytest.param(lease(-6), False, id="from-the-future"),
        pytest.param(lease(holder=""), False, id="released"),
        pytest.param(lease(duration=0), False, id="no-duration"),
        pytest.param(lease(renewed="yesterday"), False, id="unreadable-time"),
        pytest.param(lease(renewed="2026-01-01T12:00:00"), False, id="time-without-zone"),
        pytest.param(None, False, id="no-lease"),
    ],
)
def test_at_first_sight_the_wall_clock_decides(seen: Lease | None, fresh: bool) -> None:  # noqa: FBT001 # a column of the table
    """There is nothing to compare with yet, so the renewTime must be recent."""
    leader = sign(Clock())
    leader.observe(seen)

    assert leader.fresh() is fresh


def test_before_anything_was_seen_there_is_no_leader() -> None:
    """A webhook that has just started adds no gate that nobody may open."""
    assert not sign(Clock()).fresh()


def test_it_goes_stale_by_our_clock_alone() -> None:
    """A leader that renews no more is dead after duration and tolerance, whatever clocks say."""
    clock = Clock()
    leader = sign(clock)
    leader.observe(lease(1))
    clock.now += 18.9
    late = leader.fresh()
    clock.now += 0.2

    assert (late, leader.fresh()) == (True, False)


def test_a_change_counts_whatever_the_wall_clocks_say() -> None:
    """Skewed by an hour, the first sight proves nothing; the first renewal does."""
    clock = Clock()
    leader = sign(clock)
    leader.observe(lease(3600))
    first = leader.fresh()
    leader.observe(lease(3590))

    assert (first, leader.fresh()) == (False, True)


def test_seen_again_unchanged_is_no_renewal() -> None:
    """A new list shows the same Lease; that says nothing about its holder."""
    clock = Clock()
    leader = sign(clock)
    leader.observe(lease(0))
    clock.now += 30
    leader.observe(lease(0))

    assert not leader.fresh()


@pytest.mark.parametrize(
    "end", [pytest.param(None, id="deleted"), pytest.param(lease(0, holder=""), id="released")]
)
def test_a_leader_that_says_goodbye_is_gone_at_once(end: Lease | None) -> None:
    """A controller that releases its Lease opens no more gates."""
    leader = sign(Clock())
    leader.observe(lease(1))
    leader.observe(end)

    assert not leader.fresh()


def test_a_new_holder_after_a_release_is_fresh() -> None:
    """The next controller takes the Lease over by changing it."""
    leader = sign(Clock())
    leader.observe(lease(100, holder=""))
    leader.observe(lease(0, holder="b"))

    assert leader.fresh()


def test_an_eternal_lease_is_cut() -> None:
    """Whatever duration it claims: a dead leader's gates would stay shut for as long."""
    clock = Clock()
    leader = sign(clock)
    leader.observe(lease(0, duration=10**9))
    clock.now += LONGEST + 4.9
    late = leader.fresh()
    clock.now += 0.2

    assert (late, leader.fresh()) == (True, False)


def test_an_eternal_lease_is_cut_at_first_sight() -> None:
    """It was renewed hours ago, and nobody has seen it renewed."""
    leader = sign(Clock())
    leader.observe(lease(LONGEST + 6, duration=10**9))

    assert not leader.fresh()
