"""Deployments with pods and a LosslessRollout each, of which no kubelet knows."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import yaml

from bench.simulated.agents import Pods
from bench.simulated.api_calls import Counting
from bench.simulated.control_plane import answers
from bench.simulated.waiting import until
from lossless.cluster.client import STRATEGIC_MERGE_PATCH, Raw, resource_path
from lossless.cluster.timestamps import format_time
from lossless.model.names import (
    AGENT_CONTAINER,
    API_VERSION,
    GATE,
    GROUP,
    KIND,
    PLURAL,
    ROLLOUT_LABEL,
)

_CRD: Final = Path(__file__).resolve().parents[2] / "crds" / "losslessrollouts.yaml"
PODS_EACH: Final = 10
#: Bytes of an annotation that makes a pod as big as pods are.
PADDING: Final = 6000
#: Applications in one namespace. A list of pods costs an API server a look at each pod of its
#: namespace, so that thousands of them in one would measure that.
APPS_EACH: Final = 10


def metadata(name: str, owner: tuple[str, str, str] | None = None, **labels: str) -> Raw:
    """Return the metadata of an object of LosslessRollout ``labels[app]``."""
    found: Raw = {"name": name, "namespace": space_of(name), "labels": labels}
    if owner is not None:
        kind, owned_by, uid = owner
        reference = {"apiVersion": "apps/v1", "kind": kind, "name": owned_by, "uid": uid}
        found["ownerReferences"] = [reference | {"controller": True}]
    return found


def space_of(name: str) -> str:
    """Return the namespace of an application, or of one of its pods."""
    return f"shop-{int(name.split('-')[1]) // APPS_EACH}"


def template(app: str, digest: str) -> Raw:
    """Return the pod template of an application."""
    container = {"name": "app", "image": "app:1", "ports": [{"containerPort": 8080}]}
    return {
        "metadata": {"labels": {"app": app, "pod-template-hash": digest}},
        "spec": {"containers": [container]},
    }


@dataclass
class World:
    """An API server with simulated workloads."""

    client: Counting
    pods: Pods
    sets: dict[tuple[str, str], str] = field(default_factory=dict)
    """(application, digest) to the ReplicaSet's uid."""
    uids: dict[str, str] = field(default_factory=dict)

    async def application(self, app: str) -> None:
        """Create a Deployment with its pods, and its LosslessRollout."""
        rollout = {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "metadata": metadata(app),
            "spec": {
                "targetRef": {"kind": "Deployment", "name": app},
                "close": [{"nginx": {}}],
            },
        }
        await self.client.create(
            resource_path(API_VERSION, PLURAL, namespace=space_of(app)), rollout
        )
        deployment = {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": metadata(app, app=app),
            "spec": {
                "replicas": PODS_EACH,
                "selector": {"matchLabels": {"app": app}},
                "strategy": {"rollingUpdate": {"maxSurge": 2, "maxUnavailable": 0}},
                "template": template(app, "old"),
            },
        }
        path = resource_path("apps/v1", "deployments", namespace=space_of(app))
        made = await self.client.create(path, deployment)
        self.uids[app] = made["metadata"]["uid"]
        await self.release(app, "old", 1)
        for number in range(PODS_EACH):
            await self.pod(app, "old", f"{app}-old-{number}", gate=True)

    async def release(self, app: str, digest: str, revision: int) -> None:
        """Create a ReplicaSet."""
        raw = {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": metadata(
                f"{app}-{digest}",
                ("Deployment", app, self.uids[app]),
                app=app,
                **{"pod-template-hash": digest},
            )
            | {"annotations": {"deployment.kubernetes.io/revision": str(revision)}},
            "spec": {
                "replicas": PODS_EACH,
                "selector": {"matchLabels": {"app": app, "pod-template-hash": digest}},
                "template": template(app, digest),
            },
        }
        made = await self.client.create(
            resource_path("apps/v1", "replicasets", namespace=space_of(app)), raw
        )
        self.sets[app, digest] = made["metadata"]["uid"]

    async def pod(self, app: str, digest: str, name: str, *, gate: bool) -> None:
        """Create a pod whose containers are ready; it serves if its gate is open."""
        owner = ("ReplicaSet", f"{app}-{digest}", self.sets[app, digest])
        labels = {"app": app, "pod-template-hash": digest, ROLLOUT_LABEL: app}
        raw = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": metadata(name, owner, **labels)
            | {"annotations": {"bench.example/padding": "x" * PADDING}},
            "spec": template(app, digest)["spec"]
            | {
                "nodeName": "nowhere",
                "readinessGates": [{"conditionType": GATE}],
                "initContainers": [
                    {"name": AGENT_CONTAINER, "image": "agent:1", "restartPolicy": "Always"}
                ],
                "terminationGracePeriodSeconds": 320,
            },
        }
        made = await self.client.create(resource_path("v1", "pods", namespace=space_of(name)), raw)
        address = self.pods.address(name, made["metadata"]["uid"])
        await self.status(name, {"phase": "Running", "podIP": address}, gate=gate)

    async def status(self, name: str, status: Raw, *, gate: bool) -> None:
        """Write a pod's status as its kubelet would."""
        now = format_time(time.time())
        wanted = {"ContainersReady": True, "Ready": gate} | ({GATE: True} if gate else {})
        conditions = [
            {"type": kind, "status": str(value), "lastTransitionTime": now}
            for kind, value in wanted.items()
        ]
        started = format_time(time.time() - 5)
        await self.client.patch(
            resource_path("v1", "pods", namespace=space_of(name), name=name, subresource="status"),
            {"status": status | {"startTime": started, "conditions": conditions}},
            content_type=STRATEGIC_MERGE_PATCH,
        )


async def fill(world: World, rollouts: int) -> None:
    """Create everything that is there before the controller starts."""
    client = world.client
    apps = [f"app-{number}" for number in range(rollouts)]
    for name in sorted({"lossless-system", *map(space_of, apps)}):
        await client.create("/api/v1/namespaces", {"metadata": {"name": name}})
    crd = yaml.safe_load(_CRD.read_text())
    await client.create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", crd)
    path = resource_path(API_VERSION, PLURAL)
    await until(lambda: answers(client, path), f"{PLURAL}.{GROUP}", 30)
    await in_parallel(world.application, apps)


async def in_parallel(
    work: Callable[[str], Awaitable[None]], names: Sequence[str], width: int = 16
) -> None:
    """Do ``work`` for each name, so many at a time."""
    waiting = iter(names)

    async def one() -> None:
        for name in waiting:
            await work(name)

    await asyncio.gather(*(one() for _ in range(width)))
