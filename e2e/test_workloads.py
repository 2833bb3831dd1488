"""Workloads that pace themselves lose nothing either: each pod stops when it may."""

import pytest

from e2e.sample.manifests import Variant
from e2e.support import given, then, workloads
from e2e.support.worlds import MakeWorld
from lossless.model.conditions import ConditionType, Reason
from lossless.model.names import GATE
from lossless.model.targets import Kind


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(Kind.STATEFUL_SET, id="statefulset"),
        pytest.param(Kind.DAEMON_SET, id="daemonset"),
        pytest.param(Kind.POD, id="another-controller"),
    ],
)
def test_a_rollout_of_it_loses_nothing(make: MakeWorld, kind: Kind) -> None:
    """All pods are replaced under load; the same without us loses requests."""
    plain, world = make("plain"), make(kind.lower())

    workloads.deployed(plain, kind, Variant.PLAIN)
    with given.load(plain) as control:
        workloads.rolled_out(plain, kind)
        control.goes_on(requests=500)

    workloads.deployed(world, kind, Variant.LOSSLESS)
    replicas = len(world.pods())
    with given.load(world) as load:
        workloads.rolled_out(world, kind)
        load.goes_on(requests=1000)

    then.something_was_lost(plain, control.report)
    then.nothing_was_lost(world, load.report)
    then.condition_is(world, ConditionType.INJECTED, "True")
    then.condition_is(world, ConditionType.DRAINED, "True")
    then.condition_is(world, ConditionType.PAUSED, "False", reason=Reason.CANNOT_PAUSE)
    then.status_shows(
        world, "every pod is there again", lambda s: s.get("replicas") == replicas, within=30
    )
    gated = [
        gate
        for pod in world.pods()
        for gate in pod["spec"].get("readinessGates", [])
        if gate["conditionType"] == GATE
    ]
    assert gated == []
