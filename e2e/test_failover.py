"""The leader is killed in the middle of a rollout; the other one goes on."""

import pytest

from e2e.support import then, when
from e2e.support.eventually import eventually
from e2e.support.midway import a_rollout_that_loses_nothing
from e2e.support.worlds import MakeWorld

pytestmark = pytest.mark.alone("the leader is killed")

#: Seconds: the Lease's duration, its last renewal before, and two attempts of the other one.
_FAILOVER = 15.0 + 2.0 + 4.0


def test_the_standby_takes_over_and_nothing_is_lost(make: MakeWorld) -> None:
    """While nobody leads nothing moves; then the rollout goes on where it was."""
    with a_rollout_that_loses_nothing(make, "failover") as world:
        killed = when.the_leader_is_killed(world)
        eventually(
            lambda: when.the_leader(world),
            lambda name: name not in {"", killed},
            what="the standby to lead",
            within=_FAILOVER,
        )

    then.the_rollout_drained(world, pods=3)
