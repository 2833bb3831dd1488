"""An installation that may see only the namespaces that it is told of."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from e2e.sample.manifests import Sample, Variant
from e2e.support import control, given, install, then, when
from e2e.support.eventually import holds_for
from e2e.support.install import Images
from e2e.support.testbed import Testbed
from e2e.support.world import World, is_injected
from e2e.support.worlds import MakeWorld

pytestmark = pytest.mark.alone("other namespaces are not served meanwhile")

Serving = Callable[..., None]


@pytest.fixture
def serving(testbed: Testbed, images: Images) -> Iterator[Serving]:
    """Return what restricts the installation to worlds; it is the whole cluster's again after."""
    with ExitStack() as stack:

        def only(*worlds: World) -> None:
            stack.callback(install.install_chart, testbed, images)
            names = ",".join(world.namespace for world in worlds)
            install.install_chart(testbed, images, {"watchNamespaces": f"{{{names}}}"})

        yield only


def test_named_namespaces_are_served_and_no_others(
    make: MakeWorld, serving: Serving, testbed: Testbed
) -> None:
    """A rollout in one of them loses nothing, though the rights in the other have been taken away.

    A LosslessRollout elsewhere is warned of and changes nothing, and the controller's account may
    not even list the pods there.
    """
    world, broken, elsewhere = make("named"), make("broken"), make("elsewhere")

    control.a_plain_rollout_loses_some(make)
    serving(world, broken)
    broken.mark("the controller's role is taken away")
    broken.kubectl("delete", "role", when.CONTROLLER)

    given.the_service(world, Variant.LOSSLESS)
    with given.load(world, via=given.another_way_in(world)) as load:
        when.rolled_out(world)
        load.goes_on(requests=1000)
    then.nothing_was_lost(world, load.report)
    then.the_rollout_drained(world, pods=3)

    warned = given.a_lossless_rollout(elsewhere)
    assert elsewhere.namespace in warned, warned
    assert "watchNamespaces" in warned, warned
    given.deployed(elsewhere, Sample(image=elsewhere.images.sample, variant=Variant.PLAIN))
    assert not any(map(is_injected, elsewhere.pods()))
    holds_for(
        lambda: elsewhere.rollout().get("status"),
        lambda status: not status,
        what="nobody writes a status there",
        seconds=5,
    )
    account = f"system:serviceaccount:{install.NAMESPACE}:{when.CONTROLLER}"
    for namespace, may in ((world.namespace, True), (elsewhere.namespace, False)):
        assert testbed.kubectl.within(namespace).may(account, "list", "pods") is may, namespace
