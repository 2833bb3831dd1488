"""Parts of the product fail; pods start all the same, and drains go on all the same."""

from collections.abc import Callable

import pytest

from e2e.sample.manifests import Sample, Variant
from e2e.support import control, given, then, when
from e2e.support.eventually import eventually, holds_for
from e2e.support.midway import a_rollout_that_loses_nothing, in_mid_drain
from e2e.support.world import (
    World,
    condition,
    is_injected,
    is_ready,
    is_stopping,
    name_of,
    version_of,
)
from e2e.support.worlds import MakeWorld
from lossless.model.conditions import ConditionType, Reason
from lossless.model.names import GATE

pytestmark = pytest.mark.alone("parts of the product are away meanwhile")


@pytest.mark.usefixtures("restored")
def test_pods_start_while_the_webhook_is_down(make: MakeWorld) -> None:
    """They start without an agent, the status says so, and the next rollout mends it.

    The control: a rollout of pods without agents loses requests, so these were not protected.
    """
    world = make("webhook")
    given.a_lossless_rollout(world)
    given.injection(world)
    replicas = when.scaled(world, when.WEBHOOK, 0)

    given.deployed(world, Sample(world.images.sample, Variant.LOSSLESS))
    assert not any(is_injected(pod) for pod in world.pods())
    row = then.condition_is(
        world, ConditionType.INJECTED, "False", reason=Reason.NOT_INJECTED, within=30
    )
    assert "rollout restart" in row["message"], row

    when.scaled(world, when.WEBHOOK, replicas)
    given.injection(world)
    with given.load(world) as bare:
        when.rolled_out(world, "v2")
        bare.goes_on(requests=1000)
    with given.load(world, via=given.another_way_in(world)) as load:
        when.rolled_out(world, "v3")
        load.goes_on(requests=1000)

    then.something_was_lost(world, bare.report)
    then.nothing_was_lost(world, load.report)
    then.condition_is(world, ConditionType.INJECTED, "True")


@pytest.mark.usefixtures("restored")
def test_the_controller_goes_down_in_the_middle_of_a_rollout(make: MakeWorld) -> None:
    """The drain ends without it; the gate stays shut until it is back; nothing is lost."""
    world = make("controller")

    control.a_plain_rollout_loses_some(make)

    given.the_service(world, Variant.LOSSLESS)
    with given.load(world) as load:
        with in_mid_drain(world):
            replicas = when.scaled(world, when.CONTROLLER, 0)
        eventually(
            world.pods,
            lambda pods: not any(is_stopping(pod) for pod in pods),
            what="the drain to end without a controller",
            within=60,
        )
        holds_for(
            lambda: [pod for pod in world.pods() if version_of(pod) == "v2" and not is_ready(pod)],
            lambda held: len(held) == 1 and condition(held[0], GATE) != "True",
            what="the gate stays shut: nobody is there to open it",
            seconds=5,
        )
        when.scaled(world, when.CONTROLLER, replicas)
        when.the_rollout_ends(world)
        load.goes_on(requests=1000)

    then.nothing_was_lost(world, load.report)


@pytest.mark.usefixtures("restored")
@pytest.mark.parametrize(
    "let_go",
    [
        pytest.param(when.the_lossless_rollout_is_deleted, id="deleted"),
        pytest.param(when.the_lossless_rollout_is_for_another, id="retargeted"),
    ],
)
def test_no_gate_stays_shut_for_a_rollout_that_let_go_unseen(
    make: MakeWorld, let_go: Callable[[World], None]
) -> None:
    """Nobody runs who could see it; the next controller opens the gate while the drain goes on."""
    with a_rollout_that_loses_nothing(make, "unseen") as world:
        (held,) = [pod for pod in world.pods() if condition(pod, GATE) != "True"]
        replicas = when.scaled(world, when.CONTROLLER, 0)
        let_go(world)
        when.scaled(world, when.CONTROLLER, replicas)
        eventually(
            lambda: world.kubectl.get("pod", name_of(held)) or {},
            lambda pod: condition(pod, GATE) == "True",
            what=f"the gate of {name_of(held)} to open",
            within=60,
        )
        assert any(is_stopping(pod) for pod in world.pods())
