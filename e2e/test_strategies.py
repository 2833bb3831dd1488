"""Every strategy, and everything that people do in the middle of a rollout."""

import pytest

from e2e.sample.manifests import Variant
from e2e.support import control, given, then, when
from e2e.support.midway import a_rollout_that_loses_nothing, in_mid_drain
from e2e.support.world import version_of
from e2e.support.worlds import MakeWorld


@pytest.mark.parametrize(
    ("surge", "unavailable"),
    [
        pytest.param(0, 1, id="none-more"),
        pytest.param("25%", "25%", id="the-default"),
        pytest.param("100%", 0, id="twice-as-many"),
    ],
)
def test_a_rollout_of_any_strategy_loses_nothing(
    make: MakeWorld, surge: int | str, unavailable: int | str
) -> None:
    """What the Deployment takes by itself drains as well."""
    world = make("strategy")

    control.a_plain_rollout_loses_some(make)
    given.the_service(world, Variant.LOSSLESS)
    when.the_strategy_is(world, surge, unavailable)
    with given.load(world) as load:
        when.rolled_out(world)
        load.goes_on(requests=1000)

    then.nothing_was_lost(world, load.report)
    then.the_rollout_drained(world, pods=3)


def test_an_undo_in_the_middle_of_a_drain_loses_nothing(make: MakeWorld) -> None:
    """The held pods of the bad release never take traffic, and nobody else is drained for them."""
    with a_rollout_that_loses_nothing(make, "undo", version="v1") as world:
        when.undone(world)
        then.status_shows(world, "nothing is held", lambda s: not s.get("held"))


def test_a_third_revision_in_the_middle_of_a_drain_loses_nothing(make: MakeWorld) -> None:
    """The second one is abandoned; the third takes its place."""
    with a_rollout_that_loses_nothing(make, "third", version="v3") as world:
        when.the_version_changes(world, "v3")
        then.status_shows(
            world,
            "a pod drains and one of the third revision is held",
            lambda s: s.get("draining", 0) >= 1 and s.get("held", 0) >= 1,
        )


def test_a_pause_in_the_middle_of_a_drain_loses_nothing(make: MakeWorld) -> None:
    """``kubectl rollout pause``: the drain ends, nothing stays held, and no other one begins."""
    world = make("pause")

    control.a_plain_rollout_loses_some(make)
    given.the_service(world, Variant.LOSSLESS)
    with given.load(world) as load:
        with in_mid_drain(world):
            when.the_deployment_is_paused(world)
        then.status_shows(
            world,
            "nothing drains and nothing is held",
            lambda s: not s.get("draining") and not s.get("held"),
        )
        assert {version_of(pod) for pod in world.pods()} == {"v1", "v2"}
        when.the_deployment_goes_on(world)
        when.the_rollout_ends(world)
        load.goes_on(requests=1000)

    then.nothing_was_lost(world, load.report)
    then.the_rollout_drained(world, pods=3)
