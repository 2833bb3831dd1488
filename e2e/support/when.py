"""What happens in a world."""

import json
import subprocess
import time
from collections.abc import Sequence
from typing import Final

from e2e.load.report import LoadReport
from e2e.sample.manifests import APP, NAME, VERSION
from e2e.support import given, install
from e2e.support.eventually import eventually
from e2e.support.kubectl import Object
from e2e.support.seconds import Step, spent_on
from e2e.support.world import World, is_ready, is_stopping, name_of, version_of
from lossless.model.names import GROUP, LEASE, PLURAL, RESUME_ANNOTATION

CONTROLLER: Final = "lossless-controller"
WEBHOOK: Final = "lossless-webhook"
_ROLLOUT: Final = 240.0


def rolled_out(world: World, version: str = "v2") -> float:
    """Roll the service out to a version; return the seconds until no old pod was left."""
    begun = time.monotonic()
    the_version_changes(world, version)
    the_rollout_ends(world, version)
    return time.monotonic() - begun


def rolled_out_under_load(world: World) -> LoadReport:
    """Roll the service out to v2 while clients go on; return what they saw."""
    with given.load(world) as load:
        rolled_out(world)
        load.goes_on(requests=1000)
    return load.report


def the_version_changes(world: World, version: str = "v2") -> None:
    """Begin a rollout."""
    world.mark(f"rollout to {version} begins")
    world.kubectl("set", "env", f"deployment/{NAME}", f"--containers={APP}", f"{VERSION}={version}")


@spent_on(Step.ROLLOUT)
def the_rollout_ends(world: World, version: str = "v2", *, within: float = _ROLLOUT) -> None:
    """Wait until the Deployment is done and no pod of another version is left."""
    world.kubectl(
        *("rollout", "status", f"deployment/{NAME}", f"--timeout={within:g}s"), timeout=within + 10
    )
    eventually(
        world.pods,
        lambda pods: all(version_of(pod) == version and not is_stopping(pod) for pod in pods),
        what=f"the last pod that is not {version} to be gone",
        within=within,
    )
    world.mark(f"rollout to {version} is over")


def a_pod_is_deleted(world: World, pod: Object) -> None:
    """Delete a pod, wait until it is gone and as many as the Deployment wants are ready."""
    world.mark(f"{name_of(pod)} is deleted")
    world.kubectl("delete", "pod", name_of(pod), "--wait=false")
    _replaced(world, pod)


def a_pod_is_deleted_within(world: World, pod: Object, seconds: int) -> None:
    """Delete a pod with a grace period of its own, and wait until it is gone and replaced."""
    world.mark(f"{name_of(pod)} is deleted, with {seconds} s to go")
    world.kubectl("delete", "pod", name_of(pod), "--wait=false", f"--grace-period={seconds}")
    _replaced(world, pod)


def a_pod_is_evicted(world: World, pod: Object) -> None:
    """Evict a pod as kubectl drain does, wait until it is gone and replaced."""
    name = name_of(pod)
    world.mark(f"{name} is evicted")
    eviction = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": name, "namespace": world.namespace},
    }
    path = f"/api/v1/namespaces/{world.namespace}/pods/{name}/eviction"
    world.kubectl("create", "--raw", path, "--filename=-", stdin=json.dumps(eviction))
    _replaced(world, pod)


@spent_on(Step.ROLLOUT)
def a_node_is_drained(worlds: Sequence[World], node: str) -> None:
    """Run ``kubectl drain``, which ends when every pod of the node is gone, whosever it is."""
    for world in worlds:
        world.mark(f"node {node} is drained")
    worlds[0].testbed.kubectl(*_drain(node), timeout=_ROLLOUT)
    for world in worlds:
        world.mark(f"node {node} is empty")
        _complete(world)


@spent_on(Step.ROLLOUT)
def nodes_are_drained_of_services(worlds: Sequence[World], nodes: Sequence[str]) -> None:
    """Run ``kubectl drain`` on several nodes at once, for the worlds' services only.

    The nodes come back one by one, each a while after its pods have been asked to go, as an
    upgrade of nodes does it: with all of them cordoned there is no place for new pods.
    """
    only = f"--pod-selector=app={NAME}"
    kubectl = worlds[0].testbed.kubectl
    drains = []
    for node in nodes:
        for world in worlds:
            world.mark(f"node {node} is drained")
        argv = kubectl.argv(*_drain(node), only)
        drains.append(subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT))
    try:
        for world in worlds:
            eventually(
                world.pods,
                lambda pods: any(not pod["spec"].get("nodeName") for pod in pods),
                what="a pod to be evicted, and its replacement to wait for a node",
                within=60,
            )
        for node in nodes:
            a_node_is_back(worlds, node)
        for drain in drains:
            said, _ = drain.communicate(timeout=_ROLLOUT)
            assert drain.returncode == 0, said.decode()
    finally:
        for drain in drains:
            drain.kill()
            drain.wait()
    for world in worlds:
        world.mark("no pod is left that a drain has met")
        _complete(world)


def _drain(node: str) -> tuple[str, ...]:
    options = ("--ignore-daemonsets", "--delete-emptydir-data", "--timeout=180s")
    return ("drain", node, *options)


def a_node_is_back(worlds: Sequence[World], node: str) -> None:
    """Uncordon a node."""
    for world in worlds:
        world.mark(f"node {node} is back")
    worlds[0].testbed.kubectl("uncordon", node)


def the_service_is_scaled(world: World, replicas: int) -> None:
    """Scale the service and wait until so many pods are left, all ready."""
    replicas_are_asked_for(world, replicas)
    _complete(world)


def replicas_are_asked_for(world: World, replicas: int) -> None:
    """Scale the service, by the ``scale`` subresource as autoscalers do, and wait for nothing."""
    world.mark(f"the service is scaled to {replicas}")
    world.kubectl("scale", f"deployment/{NAME}", f"--replicas={replicas}")


def undone(world: World) -> None:
    """Go back to the version before, whatever stage the rollout is at."""
    world.mark("the rollout is undone")
    world.kubectl("rollout", "undo", f"deployment/{NAME}")


def the_deployment_is_paused(world: World) -> None:
    """Run ``kubectl rollout pause``, whatever stage the rollout is at."""
    world.mark("the Deployment is paused")
    world.kubectl("rollout", "pause", f"deployment/{NAME}")


def the_deployment_goes_on(world: World) -> None:
    """Run ``kubectl rollout resume``."""
    world.mark("the Deployment goes on")
    world.kubectl("rollout", "resume", f"deployment/{NAME}")


def the_lossless_rollout_is_deleted(world: World) -> None:
    """Delete the LosslessRollout; the pods stay as they are."""
    world.mark("the LosslessRollout is deleted")
    world.kubectl("delete", f"{PLURAL}.{GROUP}", NAME)


def the_lossless_rollout_is_for_another(world: World) -> None:
    """Have the LosslessRollout name another Deployment, which does not exist."""
    world.mark("the LosslessRollout is for another Deployment")
    patch = {"spec": {"targetRef": {"name": "another"}}}
    world.kubectl(
        "patch", f"{PLURAL}.{GROUP}", NAME, "--type=merge", f"--patch={json.dumps(patch)}"
    )


def the_strategy_is(world: World, surge: int | str, unavailable: int | str) -> None:
    """Have the Deployment roll with another ``maxSurge`` and ``maxUnavailable``."""
    rolling = {"maxSurge": surge, "maxUnavailable": unavailable}
    patch = {"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": rolling}}}
    world.kubectl("patch", f"deployment/{NAME}", "--type=merge", f"--patch={json.dumps(patch)}")


def the_leader_is_killed(world: World) -> str:
    """Kill the controller that leads, without a chance to say goodbye; return its name."""
    product = world.testbed.kubectl.within(install.NAMESPACE)
    name = the_leader(world)
    world.mark(f"{name} is killed")
    product("delete", "pod", name, "--grace-period=0", "--force")
    return name


def the_leader(world: World) -> str:
    """Return the name of the pod that leads; empty if none does."""
    product = world.testbed.kubectl.within(install.NAMESPACE)
    lease = product.get("lease", LEASE)
    return str((lease or {}).get("spec", {}).get("holderIdentity") or "")


def resumed(world: World, why: str) -> None:
    """Resume a rollout that a drain has paused."""
    world.mark("the rollout is resumed")
    world.kubectl(
        "annotate", f"{PLURAL}.{GROUP}", NAME, f"{RESUME_ANNOTATION}={why}", "--overwrite"
    )


@spent_on(Step.INSTALL)
def scaled(world: World, deployment: str, replicas: int) -> int:
    """Scale a Deployment of the product, wait until it is so; return what it was before."""
    world.mark(f"{deployment} is scaled to {replicas}")
    product = world.testbed.kubectl.within(install.NAMESPACE)
    before = product.get("deployment.apps", deployment)
    assert before is not None, f"the chart has no deployment {deployment}"
    product("scale", f"deployment/{deployment}", f"--replicas={replicas}")
    labels = before["spec"]["selector"]["matchLabels"]
    eventually(
        lambda: product.list("pods", labels),
        lambda pods: len(pods) == replicas and all(is_ready(pod) for pod in pods),
        what=f"{replicas} ready pods of {deployment}",
        within=120,
    )
    return int(before["spec"]["replicas"])


def posted(world: World, url: str) -> None:
    """Have a client outside the cluster POST once to a URL, and insist on a 2xx."""
    world.mark(f"POST {url}")
    program = "import sys,urllib.request as r; r.urlopen(sys.argv[1], data=b'', timeout=10).read()"
    world.testbed.python_at_a_client(program, url).check_returncode()


@spent_on(Step.ROLLOUT)
def _replaced(world: World, pod: Object) -> None:
    uid = pod["metadata"]["uid"]
    eventually(
        world.pods,
        lambda pods: all(other["metadata"]["uid"] != uid for other in pods),
        what=f"{name_of(pod)} to be gone",
        within=_ROLLOUT,
    )
    _complete(world)


@spent_on(Step.ROLLOUT)
def _complete(world: World) -> None:
    wanted = world.deployment()["spec"]["replicas"]
    eventually(
        world.pods,
        lambda pods: len(pods) == wanted and all(is_ready(pod) for pod in pods),
        what=f"{wanted} ready pods and no other",
        within=_ROLLOUT,
    )
    world.mark(f"{wanted} pods are ready, no other is left")
