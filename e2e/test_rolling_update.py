"""The promise itself: a rollout loses nothing, where the same rollout without us loses some."""

from dataclasses import dataclass

from e2e.load.report import LoadReport
from e2e.sample.manifests import Variant
from e2e.support import given, then, when
from e2e.support.world import World
from e2e.support.worlds import MakeWorld
from lossless.model.conditions import ConditionType


@dataclass(frozen=True, slots=True)
class Reports:
    """What three kinds of clients saw of one rollout."""

    busy: LoadReport
    """Many requests, 5 ms each."""
    slow: LoadReport
    """Requests that take longer than propagation + quiet: some are in flight at any moment."""
    leisurely: LoadReport
    """A request every 2 to 6 seconds: longer than quiet, shorter than clientIdleTimeout."""


def _rolled_out_under_load(world: World, variant: Variant) -> Reports:
    given.the_service(world, variant)
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


def test_a_rolling_update_loses_nothing(make: MakeWorld) -> None:
    """Three pods are replaced under load; every request is answered, and the control loses some."""
    plain, lossless = make("plain"), make("lossless")

    control = _rolled_out_under_load(plain, Variant.PLAIN)
    reports = _rolled_out_under_load(lossless, Variant.LOSSLESS)

    then.something_was_lost(plain, control.busy)
    then.something_was_lost(plain, control.slow)
    then.nothing_was_lost(lossless, reports.busy)
    then.nothing_was_lost(lossless, reports.slow, at_least=30)
    then.nothing_was_lost(lossless, reports.leisurely, at_least=100)
    then.the_rollout_drained(lossless, pods=3)
    then.condition_is(lossless, ConditionType.READY, "True")
    assert {answers.version for answers in reports.busy.pods.values()} == {"v1", "v2"}
