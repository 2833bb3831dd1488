"""Faults of the cluster that the product runs in."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from e2e.cluster.cluster import ClusterNode
from e2e.cluster.components import Component
from e2e.faults.scene import OUTAGE, Scene
from e2e.support.eventually import eventually, holds_for
from e2e.support.kubectl import KubectlFailed, Object
from e2e.support.world import condition, name_of

#: Of each half second the API server runs for so long.
_RUNS: Final = 0.1
_STANDS: Final = 0.4
#: Deleted before other pods of its ReplicaSet.
_COST: Final = "controller.kubernetes.io/pod-deletion-cost"
_OUT_OF_SERVICE: Final = "node.kubernetes.io/out-of-service"


@contextmanager
def kubelets_restarted(scene: Scene) -> Iterator[None]:
    """``kill -9`` of every kubelet, and a new one."""
    for name, node in scene.cluster.nodes.items():
        scene.world.mark(f"the kubelet of {name} is killed and started")
        node.kubelet.kill()
        node.kubelet.start()
    for name, node in scene.cluster.nodes.items():
        eventually(
            lambda node=node: _kubelet_runs(scene, node),  # type: ignore[misc]
            what=f"the kubelet of {name} to answer",
            within=60,
        )
    yield


@contextmanager
def apiserver_restarted(scene: Scene) -> Iterator[None]:
    """``kill -9`` of the API server, and a new one: every watch is cut."""
    with _started_again(scene.cluster.control_plane.apiserver):
        scene.world.mark("the API server is killed")
        scene.cluster.control_plane.apiserver.kill()
        holds_for(lambda: not scene.api_answers(), what="the API server does not answer", seconds=5)
    scene.the_api_is_back()
    yield


@contextmanager
def etcd_frozen(scene: Scene) -> Iterator[None]:
    """Etcd stands still for 20 s: nothing can be read or written, no Lease renewed."""
    etcd = scene.cluster.control_plane.etcd
    scene.world.mark("etcd stands still")
    etcd.freeze()
    try:
        holds_for(
            lambda: not scene.api_answers(), what="the API server does not answer", seconds=OUTAGE
        )
    finally:
        etcd.thaw()
    scene.the_api_is_back()
    yield


@contextmanager
def apiserver_slow(scene: Scene) -> Iterator[None]:
    """The API server runs for a tenth of a second out of five until the end."""
    apiserver = scene.cluster.control_plane.apiserver
    over = threading.Event()

    def stutter() -> None:
        while not over.is_set():
            apiserver.freeze()
            over.wait(_STANDS)
            apiserver.thaw()
            over.wait(_RUNS)

    stuttering = threading.Thread(target=stutter, name="stutter", daemon=True)
    usual = _seconds_to_read(scene)
    scene.world.mark("the API server becomes slow")
    stuttering.start()
    try:
        slow = sorted(_seconds_to_read(scene) for _ in range(5))[2]
        scene.seen.append(f"kubectl get: {slow:.1f} s instead of {usual:.1f} s")
        yield
    finally:
        over.set()
        stuttering.join(timeout=10)
        apiserver.thaw()
        scene.world.mark("the API server is as fast as before")


def prefer_another_node(scene: Scene) -> None:
    """Have the next rollout begin with a pod that is not on the control plane's node."""
    safe = scene.cluster.topology.control_plane.name
    victim = next(pod for pod in scene.world.pods() if pod["spec"]["nodeName"] != safe)
    scene.world.kubectl("annotate", "pod", name_of(victim), f"{_COST}=-100")


@contextmanager
def node_lost(scene: Scene) -> Iterator[None]:
    """The draining pod's node is cut off until the end, and declared out of service.

    That is what Kubernetes asks of people, or of their cloud, when a node does not come back:
    without the taint nobody may say that its pods are gone.
    """
    kubectl = scene.world.testbed.kubectl
    name = scene.draining()["spec"]["nodeName"]
    node = scene.cluster.node(name)
    scene.world.mark(f"{name} is cut off")
    node.disconnect()
    try:
        eventually(
            lambda: kubectl.get("node", name) or {},
            lambda seen: condition(seen, "Ready") == "Unknown",
            what=f"{name} to be missed",
            within=120,
        )
        scene.world.mark(f"{name} is declared out of service")
        kubectl("taint", "node", name, f"{_OUT_OF_SERVICE}=nodeshutdown:NoExecute", "--overwrite")
        yield
    finally:
        node.connect()
        eventually(
            lambda: kubectl.get("node", name) or {},
            lambda seen: condition(seen, "Ready") == "True",
            what=f"{name} to be back",
            within=120,
        )
        if any(t["key"] == _OUT_OF_SERVICE for t in _taints(kubectl.get("node", name) or {})):
            kubectl("taint", "node", name, f"{_OUT_OF_SERVICE}-")
        scene.world.mark(f"{name} is back")


@contextmanager
def _started_again(component: Component) -> Iterator[None]:
    try:
        yield
    finally:
        component.start()


def _taints(node: Object) -> list[Object]:
    taints: list[Object] = node.get("spec", {}).get("taints") or []
    return taints


def _kubelet_runs(scene: Scene, node: ClusterNode) -> bool:
    # It ends at once if the port of the one before it is not free yet.
    node.kubelet.start()
    path = f"/api/v1/nodes/{node.node.name}/proxy/healthz"
    try:
        return scene.world.testbed.kubectl("get", "--raw", path).strip() == "ok"
    except KubectlFailed:
        return False


def _seconds_to_read(scene: Scene) -> float:
    begun = time.monotonic()
    scene.world.deployment()
    return time.monotonic() - begun
