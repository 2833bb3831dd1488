"""A run that was killed does not spoil the next one."""

import pytest

from e2e.faults.starvation import level_and_schema
from e2e.sample.manifests import Sample, Variant
from e2e.support.eventually import eventually
from e2e.support.install import Images
from e2e.support.leftovers import WORLDS, clear_up
from e2e.support.testbed import Testbed
from e2e.support.world import is_ready, name_of

pytestmark = pytest.mark.alone("all worlds are cleared up")


def test_what_a_killed_run_has_left_is_cleared_up(testbed: Testbed, images: Images) -> None:
    """Pods that serve, a node that takes none, and a limit on the controller's requests."""
    kubectl = testbed.kubectl
    world = kubectl.within(f"{WORLDS}killed")
    limits = level_and_schema()
    node = name_of(kubectl.list("nodes")[-1])
    kubectl("create", "namespace", world.namespace)
    world.apply(Sample(images.sample, Variant.LOSSLESS).objects())
    eventually(
        lambda: world.list("pods"),
        lambda pods: pods and all(map(is_ready, pods)),
        what="the pods of the killed run to serve",
        within=60,
    )
    kubectl("cordon", node)
    kubectl.apply(limits)

    clear_up(kubectl)

    assert world.list("pods") == []
    assert not [name_of(it) for it in kubectl.list("nodes") if it["spec"].get("unschedulable")]
    for limit in limits:
        assert kubectl.get(limit["kind"], name_of(limit)) is None
