"""Somebody who may write LosslessRollouts in one namespace, and wants pods of another."""

import json
from typing import Any

import pytest

from lossless.cluster.client import Client
from lossless.cluster.reports import Agents
from lossless.cluster.watching import Key
from lossless.controller.index import Index
from lossless.controller.listener import Listener
from lossless.controller.reconciler import Reconciler
from lossless.model.names import API_VERSION
from lossless.telemetry.metrics import ControllerMetrics
from tests.support.fake_kubernetes import fake_kubernetes
from tests.support.raw_objects import (
    DEPLOYMENTS,
    NAMESPACE,
    PODS,
    REPLICA_SETS,
    START,
    raw_deployment,
    raw_pod,
    raw_replica_set,
    raw_rollout,
)

EVIL = "evil"


def in_evil(path: str, raw: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return path and object as they would be in the other namespace, uids and all."""
    moved = json.loads(json.dumps(raw))
    moved["metadata"]["namespace"] = EVIL
    return path.replace(f"/namespaces/{NAMESPACE}/", f"/namespaces/{EVIL}/"), moved


async def looked(client: Client, key: Key) -> None:
    """Have a LosslessRollout looked at once."""
    index, metrics = Index(), ControllerMetrics()
    async with Agents(timeout=0.2) as agents:
        reconciler = Reconciler(
            client,
            agents,
            index,
            Listener(agents, lambda _: None),
            metrics,
            identity="controller-0",
            leading=lambda: True,
            clock=lambda: START + 600,
        )
        await reconciler.look(key, 0.0)


@pytest.mark.parametrize(
    ("spec", "phase"),
    [
        pytest.param({}, "Ready", id="the-same-names-and-uids"),
        pytest.param(
            {"targetRef": {"kind": "Deployment", "name": "web", "namespace": NAMESPACE}},
            "Ready",
            id="a-namespace-in-the-target",
        ),
        pytest.param(
            {"targetRef": {"kind": "Deployment", "name": f"../../{NAMESPACE}/deployments/web"}},
            "Degraded",
            id="a-path-as-name",
        ),
        pytest.param({"targetRef": {"kind": "Deployment", "name": ".."}}, "Degraded", id="up"),
        pytest.param({"targetRef": {"apiVersion": "v1", "kind": "Pod"}}, "Ready", id="by-label"),
    ],
)
async def test_pods_of_another_namespace_are_neither_seen_nor_touched(
    spec: dict[str, Any], phase: str
) -> None:
    """Every request of a look is in the namespace of the LosslessRollout."""
    async with fake_kubernetes() as (fake, client):
        fake.put(f"{DEPLOYMENTS}/web", raw_deployment())
        fake.put(f"{REPLICA_SETS}/web-new", raw_replica_set("new", 1))
        fake.put(f"{PODS}/n", raw_pod("n", ready=False, gate=None))
        # A copy of all but the pods: labels, names, owners and uids are what a look goes by.
        fake.put(*in_evil(f"{DEPLOYMENTS}/web", raw_deployment()))
        fake.put(*in_evil(f"{REPLICA_SETS}/web-new", raw_replica_set("new", 1)))
        path = f"/apis/{API_VERSION}/namespaces/{EVIL}/losslessrollouts/web"
        fake.put(*in_evil(path, raw_rollout(**spec)))
        untouched = json.dumps(fake.objects[f"{PODS}/n"])

        await looked(client, Key(EVIL, "web"))

        status = fake.objects[path]["status"]
        assert status["phase"] == phase
        assert status["replicas"] == 0
        assert {request.split("/namespaces/")[1].split("/")[0] for request in fake.requests} == {
            EVIL
        }
        assert json.dumps(fake.objects[f"{PODS}/n"]) == untouched


async def test_a_gate_is_opened_in_its_own_namespace() -> None:
    """A pod of the same name and uid in another namespace is not the one that is written to."""
    async with fake_kubernetes() as (fake, client):
        fake.put(f"{PODS}/n", raw_pod("n", ready=False, gate=None))
        fake.put(*in_evil(f"{DEPLOYMENTS}/web", raw_deployment()))
        fake.put(*in_evil(f"{REPLICA_SETS}/web-new", raw_replica_set("new", 1)))
        there, pod = in_evil(f"{PODS}/n", raw_pod("n", ready=False, gate=None))
        fake.put(there, pod)
        path = f"/apis/{API_VERSION}/namespaces/{EVIL}/losslessrollouts/web"
        fake.put(*in_evil(path, raw_rollout()))

        await looked(client, Key(EVIL, "web"))

        assert fake.written("PATCH", f"{there}/status")
        assert not fake.written("PATCH", PODS)
