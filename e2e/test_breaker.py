"""An agent that cannot start keeps no pod from starting for longer than a minute."""

import time
from collections.abc import Iterator

import pytest

from e2e.sample.manifests import Sample, Variant
from e2e.support import given, install, then, when
from e2e.support.eventually import eventually
from e2e.support.install import Images
from e2e.support.testbed import Testbed
from e2e.support.world import is_injected, is_ready
from e2e.support.worlds import MakeWorld
from lossless.model.conditions import ConditionType, Reason

pytestmark = pytest.mark.alone("the agent cannot be pulled meanwhile")

#: An image that is on no node, of a registry that does not exist.
_NOWHERE = "localhost/lossless-agent:not-there"
#: Seconds in which new pods must have started.
_MINUTE = 60.0


@pytest.fixture
def broken(testbed: Testbed, images: Images) -> Iterator[None]:
    """Install the product with an agent that cannot be pulled; mend it afterwards."""
    install.install_chart(testbed, images, {"agentImage": _NOWHERE})
    yield
    install.install_chart(testbed, images)


@pytest.mark.usefixtures("broken")
def test_pods_start_though_the_agent_cannot_be_pulled(
    make: MakeWorld, testbed: Testbed, images: Images
) -> None:
    """They start without it within a minute, status says so, and once mended it is as before."""
    world = make("breaker")
    given.a_lossless_rollout(world)
    given.injection(world)
    begun = time.monotonic()
    world.kubectl.apply(Sample(world.images.sample, Variant.LOSSLESS).objects())
    then.condition_is(
        world, ConditionType.DEGRADED, "True", reason=Reason.INJECTION_SUSPENDED, within=_MINUTE
    )
    eventually(
        world.pods,
        lambda pods: len(pods) == 3 and all(map(is_ready, pods)),
        what="three pods without an agent",
        within=_MINUTE - (time.monotonic() - begun),
    )
    assert not any(map(is_injected, world.pods()))
    row = then.condition_is(world, ConditionType.INJECTED, "False")
    assert row["reason"] == Reason.INJECTION_SUSPENDED, row

    install.install_chart(testbed, images)
    when.resumed(world, "the image is there")
    given.injection(world)
    with given.load(world) as bare:
        when.rolled_out(world, "v2")
        bare.goes_on(requests=500)
    then.condition_is(world, ConditionType.DEGRADED, "False")
    with given.load(world, via=given.another_way_in(world)) as load:
        when.rolled_out(world, "v3")
        load.goes_on(requests=1000)

    # The pods that had started without an agent are the control.
    then.something_was_lost(world, bare.report)
    then.nothing_was_lost(world, load.report)
    then.condition_is(world, ConditionType.INJECTED, "True")
