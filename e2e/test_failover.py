"""The leader is killed in the middle of a rollout; the other one goes on."""

from e2e.conftest import MakeWorld
from e2e.sample.manifests import Variant
from e2e.support import control, given, then, when
from e2e.support.eventually import eventually

#: Seconds: the Lease's duration, its last renewal before, and two attempts of the other one.
_FAILOVER = 15.0 + 2.0 + 4.0


def test_the_standby_takes_over_and_nothing_is_lost(make: MakeWorld) -> None:
    """While nobody leads nothing moves; then the rollout goes on where it was."""
    plain, world = make("plain"), make("failover")

    control.a_plain_rollout_loses_some(plain)
    given.the_service(world, Variant.LOSSLESS)
    with given.load(world) as load:
        with given.a_long_request_on(world, world.pods()) as clients:
            when.the_version_changes(world)
            then.one_drains_and_one_is_held(world)
            killed = when.the_leader_is_killed(world)
            eventually(
                lambda: when.the_leader(world),
                lambda name: name not in {"", killed},
                what="the standby to lead",
                within=_FAILOVER,
            )
            assert sum(client.so_far.failed for client in clients) == 0
            world.mark("the long requests leave")
        when.the_rollout_ends(world)
        load.goes_on(requests=1000)

    then.nothing_was_lost(world, load.report)
    last = then.status_shows(
        world, "the rollout has ended", lambda s: s.get("lastRollout", {}).get("finished")
    )["lastRollout"]
    assert (last["drained"], last.get("timedOut", 0), last.get("lost", 0)) == (3, 0, 0), last
