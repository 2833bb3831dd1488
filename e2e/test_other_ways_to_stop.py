"""Pods stop for other reasons than a rollout; all take the same path through preStop."""

from collections.abc import Iterator

import pytest

from e2e.conftest import MakeWorld
from e2e.load.report import LoadReport
from e2e.sample.manifests import Variant
from e2e.support import given, then, when
from e2e.support.testbed import Testbed
from e2e.support.world import World, name_of


def _every_pod_evicted(world: World, variant: Variant) -> LoadReport:
    given.the_service(world, variant)
    with given.load(world) as load:
        for pod in world.pods():
            when.a_pod_is_evicted(world, pod)
        load.goes_on(requests=1000)
    return load.report


def test_evictions_lose_nothing(make: MakeWorld) -> None:
    """Each of three pods is evicted in turn, without any rollout."""
    plain, lossless = make("plain"), make("lossless")

    control = _every_pod_evicted(plain, Variant.PLAIN)
    report = _every_pod_evicted(lossless, Variant.LOSSLESS)

    then.something_was_lost(plain, control)
    then.nothing_was_lost(lossless, report)


@pytest.fixture
def node(testbed: Testbed) -> Iterator[str]:
    """Return the name of a node that may be drained; it is uncordoned whatever happens."""
    nodes = testbed.kubectl.list("nodes")
    if len(nodes) < 2:
        pytest.skip("needs two nodes")
    name = name_of(nodes[-1])
    yield name
    testbed.kubectl("uncordon", name)


def _node_drained(world: World, variant: Variant, node: str) -> LoadReport:
    given.the_service(world, variant, replicas=4)
    there = [pod for pod in world.pods() if pod["spec"]["nodeName"] == node]
    assert there, f"no pod was scheduled to {node}"
    with given.load(world) as load:
        when.a_node_is_drained(world, node)
        load.goes_on(requests=1000)
    when.a_node_is_back(world, node)
    return load.report


def test_kubectl_drain_loses_nothing(make: MakeWorld, node: str) -> None:
    """A whole node is emptied, its share of the controller and the webhook with it."""
    plain, lossless = make("plain"), make("lossless")

    control = _node_drained(plain, Variant.PLAIN, node)
    report = _node_drained(lossless, Variant.LOSSLESS, node)

    then.something_was_lost(plain, control)
    then.nothing_was_lost(lossless, report)


def _only_pod_deleted(world: World, variant: Variant) -> LoadReport:
    given.the_service(world, variant, replicas=1)
    with given.load(world) as load:
        (pod,) = world.pods()
        when.a_pod_is_deleted(world, pod)
        load.goes_on(requests=1000)
    return load.report


def test_the_only_pod_deleted_under_load_loses_nothing(make: MakeWorld) -> None:
    """It goes on serving, Ready, until its replacement has taken over."""
    plain, lossless = make("plain"), make("lossless")

    control = _only_pod_deleted(plain, Variant.PLAIN)
    report = _only_pod_deleted(lossless, Variant.LOSSLESS)

    then.something_was_lost(plain, control)
    then.nothing_was_lost(lossless, report)
    old, new = sorted(report.pods, key=lambda pod: report.pods[pod].first)
    steps = [(step.pod, step.what) for step in lossless.timeline.steps]
    assert (old, "not ready") not in steps[: steps.index((new, "ready"))], steps


def _scaled_down(world: World, variant: Variant) -> LoadReport:
    given.the_service(world, variant, replicas=4)
    with given.load(world) as load:
        when.the_service_is_scaled(world, 1)
        load.goes_on(requests=1000)
    return load.report


def test_scaling_down_loses_nothing(make: MakeWorld) -> None:
    """Three of four pods stop at once, unpaced, because nothing replaces them."""
    plain, lossless = make("plain"), make("lossless")

    control = _scaled_down(plain, Variant.PLAIN)
    report = _scaled_down(lossless, Variant.LOSSLESS)

    then.something_was_lost(plain, control)
    then.nothing_was_lost(lossless, report)
