"""Who removes the product in the middle of a rollout gets an ordinary rollout, not a stuck one."""

from collections.abc import Iterator

import pytest

from e2e.sample.manifests import Variant
from e2e.support import control, given, install, then, when
from e2e.support.eventually import eventually
from e2e.support.install import Images
from e2e.support.testbed import Testbed
from e2e.support.world import World, condition, is_ready, is_stopping
from e2e.support.worlds import MakeWorld
from lossless.model.names import GATE, WEBHOOK_CONFIGURATION

pytestmark = pytest.mark.alone("the product is removed")


@pytest.fixture
def reinstalled(testbed: Testbed, images: Images) -> Iterator[None]:
    """Bring the product back for the tests that follow."""
    yield
    install.install_chart(testbed, images)


def _shut(world: World) -> int:
    """Return how many pods that are to serve have a gate that is not open."""
    return sum(condition(pod, GATE) != "True" for pod in world.pods() if not is_stopping(pod))


@pytest.mark.usefixtures("reinstalled")
def test_removing_the_chart_leaves_no_pod_held(make: MakeWorld, testbed: Testbed) -> None:
    """Gates open, injection ends, and pods that have an agent still drain without a controller.

    In the control the same rollout loses requests.
    """
    world = make("removal")

    control.a_plain_rollout_loses_some(make)

    given.the_service(world, Variant.LOSSLESS)
    with given.load(world) as load:
        with given.a_long_request_on(world, world.pods()):
            when.the_version_changes(world)
            then.status_shows(world, "one pod is held", lambda s: s.get("held") == 1)
            assert _shut(world) == 1

            world.mark("the product is removed")
            install.uninstall_chart(testbed)

            eventually(
                lambda: [is_ready(pod) for pod in world.pods() if not is_stopping(pod)],
                lambda ready: len(ready) >= 3 and all(ready),
                what="every pod that is not stopping to be ready",
                within=60,
            )
            found = testbed.kubectl.get("mutatingwebhookconfiguration", WEBHOOK_CONFIGURATION)
            assert found is None, found
            world.mark("the long requests leave")
        when.the_rollout_ends(world)
        load.goes_on(requests=1000)

    then.nothing_was_lost(world, load.report)
