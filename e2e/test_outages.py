"""Parts of the product fail; pods start all the same, and drains go on all the same."""

from collections.abc import Iterator

import pytest

from e2e.conftest import MakeWorld
from e2e.sample.manifests import Sample, Variant
from e2e.support import control, given, install, then, when
from e2e.support.eventually import eventually, holds_for
from e2e.support.testbed import Testbed
from e2e.support.world import condition, is_injected, is_ready, is_stopping, version_of
from lossless.model.conditions import ConditionType, Reason
from lossless.model.names import GATE


@pytest.fixture
def restored(testbed: Testbed) -> Iterator[None]:
    """Bring the product back to full strength, whatever a test did to it."""
    product = testbed.kubectl.within(install.NAMESPACE)
    before = {
        name: thing["spec"]["replicas"]
        for name in (when.CONTROLLER, when.WEBHOOK)
        if (thing := product.get("deployment.apps", name)) is not None
    }
    yield
    for name, replicas in before.items():
        product("scale", f"deployment/{name}", f"--replicas={replicas}")
    for name in before:
        product("rollout", "status", f"deployment/{name}", "--timeout=120s", timeout=130)


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
        world, ConditionType.INJECTED, "False", reason=Reason.NOT_INJECTED, within=90
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
    plain, world = make("plain"), make("controller")

    control.a_plain_rollout_loses_some(plain)

    given.the_service(world, Variant.LOSSLESS)
    with given.load(world) as load:
        with given.a_long_request_on(world, world.pods()):
            when.the_version_changes(world)
            then.one_drains_and_one_is_held(world)
            replicas = when.scaled(world, when.CONTROLLER, 0)
            world.mark("the long requests leave")
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
