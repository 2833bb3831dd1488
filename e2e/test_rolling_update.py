"""The promise itself: a rollout loses nothing, where the same rollout without us loses some."""

from e2e.sample.manifests import Variant
from e2e.support import given, then
from e2e.support.kinds_of_clients import Reports, rolled_out_under_all_kinds
from e2e.support.world import World
from e2e.support.worlds import MakeWorld
from lossless.model.conditions import ConditionType


def _rolled_out_under_load(world: World, variant: Variant) -> Reports:
    given.the_service(world, variant)
    return rolled_out_under_all_kinds(world)


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
