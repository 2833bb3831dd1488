"""Three kinds of clients that a drain treats differently, on one service at the same time."""

from dataclasses import dataclass

from e2e.load.report import LoadReport
from e2e.support import given, when
from e2e.support.world import World


@dataclass(frozen=True, slots=True)
class Reports:
    """What they saw of one rollout."""

    busy: LoadReport
    """Many requests, 5 ms each."""
    slow: LoadReport
    """Requests that take longer than propagation + quiet: some are in flight at any moment."""
    leisurely: LoadReport
    """A request every 2 to 6 seconds: longer than quiet, shorter than clientIdleTimeout."""


def rolled_out_under_all_kinds(world: World) -> Reports:
    """Roll a service out that serves, while all three kinds go on."""
    with (
        given.load(world) as busy,
        given.load(world, "/slow?seconds=6", connections=12, think=0.5, warm_up=1) as slow,
        given.load(world, connections=24, think=4.0, warm_up=24) as leisurely,
    ):
        when.rolled_out(world)
        busy.goes_on(requests=2000)
        slow.goes_on(requests=slow.plan.connections)
        leisurely.goes_on(requests=2 * leisurely.plan.connections)
    return Reports(busy.report, slow.report, leisurely.report)
