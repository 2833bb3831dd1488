"""Whatever sends clients may hear of it late: new connections, not clocks, say when it has."""

from e2e.conftest import MakeWorld
from e2e.load.report import LoadReport
from e2e.sample.manifests import Variant
from e2e.support import given, then, when
from e2e.support.balancer import a_slow_balancer
from e2e.support.world import World

#: Seconds for which the balancer believes an address that is gone. The DNS server's cache adds up
#: to 30 more. Far beyond ``propagation`` (3 s here) and beyond any preStop sleep in use.
_LAG = 20


def _rolled_out_behind_a_slow_balancer(world: World, variant: Variant) -> LoadReport:
    given.the_service(world, variant, replicas=2)
    with (
        a_slow_balancer(world, lag=_LAG) as url,
        given.load(world, url=url, connections=16, think=0.05) as load,
    ):
        when.rolled_out(world)
        load.goes_on(requests=500)
    return load.report


def test_a_balancer_that_hears_of_it_late_loses_nothing(make: MakeWorld) -> None:
    """HAProxy finds pods by DNS and goes on sending for 20 s and more after they have left it.

    The control is what most people do, a preStop sleep of 10 s.
    """
    sleep, lossless = make("sleep"), make("lossless")

    control = _rolled_out_behind_a_slow_balancer(sleep, Variant.SLEEP)
    report = _rolled_out_behind_a_slow_balancer(lossless, Variant.LOSSLESS)

    then.something_was_lost(sleep, control)
    then.nothing_was_lost(lossless, report)
    last = then.status_shows(
        lossless, "the rollout has ended", lambda s: s.get("lastRollout", {}).get("finished")
    )["lastRollout"]
    assert last["drained"] == 2, last
    assert last["seconds"] >= 2 * _LAG, f"each drain outlasts the balancer's lag: {last}"
