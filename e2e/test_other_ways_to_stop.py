"""Pods stop for other reasons than a rollout; all take the same path through preStop."""

import time
from collections.abc import Iterator

import pytest

from e2e.conftest import cannot_be_shown
from e2e.load.report import LoadReport
from e2e.sample.manifests import Variant
from e2e.support import control, given, then, when
from e2e.support.eventually import eventually
from e2e.support.testbed import Testbed
from e2e.support.together import side_by_side
from e2e.support.world import World, name_of
from e2e.support.worlds import MakeWorld


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
def nodes(testbed: Testbed) -> Iterator[list[str]]:
    """Return the names of two nodes that may be drained; they come back whatever happens."""
    names = [name_of(node) for node in testbed.kubectl.list("nodes")][-2:]
    if len(names) < 2:
        cannot_be_shown("needs two nodes")
    yield names
    testbed.kubectl("uncordon", *names)


@pytest.fixture
def node(nodes: list[str]) -> str:
    """Return the name of a node that may be drained."""
    return nodes[-1]


def _both_deployed(make: MakeWorld) -> tuple[World, World]:
    """Return the control's world and the other one; what is done to nodes meets both alike."""
    plain, lossless = make("plain"), make("lossless")
    side_by_side(
        lambda: given.the_service(plain, Variant.PLAIN, replicas=4),
        lambda: given.the_service(lossless, Variant.LOSSLESS, replicas=4),
    )
    return plain, lossless


@pytest.mark.alone("a node takes no pods meanwhile")
def test_kubectl_drain_loses_nothing(make: MakeWorld, node: str) -> None:
    """A whole node is emptied, its share of the controller and the webhook with it."""
    plain, lossless = both = _both_deployed(make)
    for world in both:
        there = [pod for pod in world.pods() if pod["spec"]["nodeName"] == node]
        assert there, f"no pod was scheduled to {node}"

    with given.load(plain) as control, given.load(lossless) as load:
        when.a_node_is_drained(both, node)
        control.goes_on(requests=1000)
        load.goes_on(requests=1000)
    when.a_node_is_back(both, node)

    then.something_was_lost(plain, control.report)
    then.nothing_was_lost(lossless, load.report)


@pytest.mark.alone("nodes take no pods meanwhile")
def test_two_nodes_drained_at_once_lose_nothing(make: MakeWorld, nodes: list[str]) -> None:
    """A PodDisruptionBudget paces the evictions, and each pod drains."""
    plain, lossless = both = _both_deployed(make)
    for world in both:
        given.a_budget(world, min_available=2)

    with given.load(plain) as control, given.load(lossless) as load:
        when.nodes_are_drained_of_services(both, nodes)
        control.goes_on(requests=1000)
        load.goes_on(requests=1000)

    then.something_was_lost(plain, control.report)
    then.nothing_was_lost(lossless, load.report)


def test_a_short_grace_period_cuts_what_outlasts_it_and_nothing_else(make: MakeWorld) -> None:
    """``kubectl delete pod --grace-period=8``: who leaves within 8 s loses nothing.

    A request that takes longer is cut, as promised. The control is a plain rollout under the same
    load.
    """
    control.a_plain_rollout_loses_some(make, replicas=2)
    world = make("grace")
    given.the_service(world, Variant.LOSSLESS, replicas=2)
    with given.load(world) as load:
        (pod, _) = world.pods()
        with given.a_long_request_on(world, [pod]) as (stays,):
            begun = time.monotonic()
            when.a_pod_is_deleted_within(world, pod, 8)
            assert time.monotonic() - begun >= 8
            eventually(
                lambda: stays.so_far.failed,
                lambda failed: failed == 1,
                what="the request that outlasts the grace period to be cut",
                within=30,
            )
        load.goes_on(requests=1000)

    then.nothing_was_lost(world, load.report)


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
