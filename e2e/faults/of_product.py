"""Faults of what the product itself consists of."""

import base64
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Final

from e2e.cluster import processes
from e2e.cluster.command import run
from e2e.faults.scene import Scene, container_status
from e2e.support import given, install, when
from e2e.support.eventually import eventually
from e2e.support.kubectl import Object
from e2e.support.world import name_of
from lossless.model.names import (
    AGENT_CONTAINER,
    PRIVATE_VOLUME,
    SHARED_VOLUME,
    TLS_SECRET,
    WEBHOOK_SERVICE,
)
from lossless.webhook.certificate import CERTIFICATE, Material, renewed, service_names

#: Seconds: the Lease's duration, its last renewal before, and two attempts of the other one.
_FAILOVER: Final = 15.0 + 2.0 + 4.0
#: Seconds between two looks of a webhook at its Secret, and some for both replicas.
_SECRET: Final = 60.0 + 30.0
#: Deaths after which the kubelet waits 20 s before it starts a container again.
_DEATHS: Final = 3


@contextmanager
def leader_killed(scene: Scene) -> Iterator[None]:
    """``kill -9`` of the controller that leads."""
    scene.kill(scene.leader())
    scene.somebody_leads()
    yield


@contextmanager
def standby_killed(scene: Scene) -> Iterator[None]:
    """``kill -9`` of the controllers that do not lead."""
    leader = name_of(scene.leader())
    others = [pod for pod in scene.product_pods(when.CONTROLLER) if name_of(pod) != leader]
    assert others, "there is no standby"
    for pod in others:
        scene.kill(pod)
    yield


@contextmanager
def webhooks_killed(scene: Scene) -> Iterator[None]:
    """``kill -9`` of all webhooks at once."""
    for pod in scene.product_pods(when.WEBHOOK):
        scene.kill(pod)
    yield


@contextmanager
def agents_killed(scene: Scene) -> Iterator[None]:
    """``kill -9`` of every agent of the service; the kubelet starts them again."""
    pods = scene.world.pods()
    for pod in pods:
        scene.kill(pod, AGENT_CONTAINER)
    for pod in pods:
        _runs_again(scene, pod, deaths=1)
    yield


@contextmanager
def agents_crashing(scene: Scene) -> Iterator[None]:
    """Every agent dies again and again, until the kubelet waits before it starts it anew."""
    pods = scene.world.pods()
    for deaths in range(1, _DEATHS + 1):
        for pod in pods:
            scene.kill(_again(scene, pod), AGENT_CONTAINER)
        if deaths < _DEATHS:
            for pod in pods:
                _runs_again(scene, pod, deaths=deaths)
    for pod in pods:
        eventually(
            lambda pod=pod: container_status(_again(scene, pod), AGENT_CONTAINER)["state"],  # type: ignore[misc]
            lambda state: "waiting" in state,
            what=f"the agent of {name_of(pod)} to be in back-off",
            within=30,
            every=0.1,
        )
    yield


@contextmanager
def draining_agent_killed(scene: Scene) -> Iterator[None]:
    """``kill -9`` of the agent of the pod that drains, or has just drained."""
    scene.kill(scene.draining(), AGENT_CONTAINER)
    yield


@contextmanager
def leader_cut_off(scene: Scene) -> Iterator[None]:
    """The leader's packets to the API server are dropped until the end; the other takes over."""
    leader = scene.leader()
    name = name_of(leader)
    service = scene.world.testbed.kubectl.within("default").get("service", "kubernetes")
    assert service is not None, "there is no service kubernetes"
    rule = ["OUTPUT", "-p", "tcp", "-d", service["spec"]["clusterIP"], "-j", "DROP"]
    scene.world.mark(f"{name} is cut off from the API server")
    run([*_in_network_of(scene, leader), "iptables", "-I", *rule])
    try:
        begun = time.monotonic()
        eventually(
            lambda: when.the_leader(scene.world),
            lambda holder: holder not in {"", name},
            what="the other controller to lead",
            within=_FAILOVER,
        )
        scene.seen.append(f"the other led after {time.monotonic() - begun:.0f} s")
        assert "no longer leading" in scene.product("logs", name, "--since=60s"), (
            f"{name} has not stopped leading, and another leads"
        )
        yield
    finally:
        # The pod's network outlives its containers: a rule that stays would outlive the test.
        again = scene.product.get("pod", name)
        if again is not None:
            run([*_in_network_of(scene, again), "iptables", "-D", *rule])
            scene.world.mark(f"{name} reaches the API server again")


@contextmanager
def watches_expired(scene: Scene) -> Iterator[None]:
    """Every watch of the controllers ends, and none can go on where it was: 410 Gone.

    Stopped processes do not see that the API server restarts, and its new cache knows nothing
    that is older than itself.
    """
    pods = scene.product_pods(when.CONTROLLER)
    stopped = [process for pod in pods for process in scene.processes_of(pod)]
    scene.world.mark("the controllers are stopped, and the API server restarts")
    for process in stopped:
        processes.send(process, signal.SIGSTOP)
    try:
        scene.cluster.control_plane.apiserver.kill()
        scene.cluster.control_plane.apiserver.start()
        scene.the_api_is_back()
    finally:
        for process in stopped:
            processes.send(process, signal.SIGCONT)
    scene.world.mark("the controllers go on")
    told = eventually(
        lambda: sum(
            '"relist"' in line
            for pod in pods
            for line in scene.product("logs", name_of(pod), "--since=60s").splitlines()
        ),
        what="a controller to hear 410 and to list again",
        within=60,
    )
    scene.seen.append(f"{told} watches answered with 410")
    scene.somebody_leads()
    yield


@contextmanager
def certificate_expired(scene: Scene) -> Iterator[None]:
    """The webhook's Secret holds an expired certificate, until the webhook has renewed it."""
    secret = _secret(scene)
    material = Material.of({k: base64.b64decode(v) for k, v in secret["data"].items()})
    assert material is not None, f"Secret {TLS_SECRET} is not complete"
    names = service_names(WEBHOOK_SERVICE, install.NAMESPACE)
    old = renewed(material, names, datetime.now(UTC) - timedelta(days=400))
    data = {key: base64.b64encode(value).decode() for key, value in old.data().items()}
    with _reviews(scene):
        scene.world.mark("the certificate is replaced by one that has expired")
        scene.product.apply([{**_bare(secret), "data": data}])
        eventually(
            lambda: _secret(scene)["data"][CERTIFICATE],
            lambda certificate: certificate != data[CERTIFICATE],
            what="the webhook to write another certificate",
            within=_SECRET,
        )
        scene.world.mark("the Secret holds another certificate")
        yield


@contextmanager
def certificate_gone(scene: Scene) -> Iterator[None]:
    """The webhook's Secret is deleted, authority and all, until the webhook has put it back."""
    before = _secret(scene)
    with _reviews(scene):
        scene.world.mark("the webhook's Secret is deleted")
        scene.product("delete", "secret", TLS_SECRET)
        back = eventually(
            lambda: scene.product.get("secret", TLS_SECRET) or {},
            lambda secret: secret.get("data", {}).get(CERTIFICATE),
            what="the webhook to put the Secret back",
            within=_SECRET,
        )
        scene.world.mark("the Secret is back")
        assert back["metadata"]["uid"] != before["metadata"]["uid"]
        assert back["data"] == before["data"], "another authority, or another certificate"
        yield


@contextmanager
def volumes_full(scene: Scene) -> Iterator[None]:
    """Both of the agent's volumes are full, in every pod of the service."""
    for pod in scene.world.pods():
        node = scene.cluster.node(pod["spec"]["nodeName"])
        for volume in (SHARED_VOLUME, PRIVATE_VOLUME):
            uid = pod["metadata"]["uid"]
            folder = f"/var/lib/kubelet/pods/{uid}/volumes/kubernetes.io~empty-dir/{volume}"
            fill = f"dd if=/dev/zero of='{folder}/fill' bs=4k || test $(stat -fc %a '{folder}') = 0"
            node.run(["sh", "-c", fill])
    scene.world.mark("the volumes are full")
    yield


def _in_network_of(scene: Scene, pod: Object) -> list[str]:
    """Return the command prefix that enters a pod's network namespace."""
    process = eventually(
        lambda: scene.processes_of(scene.product.get("pod", name_of(pod)) or pod),
        what=f"a process of {name_of(pod)}",
        within=60,
    )[0]
    return ["nsenter", f"--net=/proc/{process.pid}/ns/net", "--"]


def _again(scene: Scene, pod: Object) -> Object:
    found = scene.world.kubectl.get("pod", name_of(pod))
    assert found is not None, f"{name_of(pod)} is gone"
    return found


def _runs_again(scene: Scene, pod: Object, *, deaths: int) -> None:
    eventually(
        lambda: container_status(_again(scene, pod), AGENT_CONTAINER),
        lambda row: row["restartCount"] >= deaths and "running" in row["state"],
        what=f"the agent of {name_of(pod)} to run again",
        within=90,
        every=0.2,
    )


def _secret(scene: Scene) -> Object:
    secret = scene.product.get("secret", TLS_SECRET)
    assert secret is not None, f"there is no Secret {TLS_SECRET}"
    return secret


def _bare(secret: Object) -> Object:
    kept = {"name": TLS_SECRET, "namespace": install.NAMESPACE}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": kept, "type": secret["type"]}


@contextmanager
def _reviews(scene: Scene) -> Iterator[None]:
    """Have pods reviewed again and again until the end; each must get its agent.

    The webhook serves with what it had, and API servers trust what they did.
    """
    over = threading.Event()
    answers: list[bool] = []

    def ask() -> None:
        while not over.wait(0.2):
            answers.append(given.webhook_injects(scene.world))

    asking = threading.Thread(target=ask, name="reviews", daemon=True)
    asking.start()
    try:
        yield
    finally:
        over.set()
        asking.join(timeout=30)
    assert answers, "no pod was reviewed"
    bare = answers.count(False)
    scene.seen.append(f"{bare} of {len(answers)} reviews without an agent")
    assert not bare, (
        f"{bare} of {len(answers)} pods would have started without an agent while the webhook's"
        " certificate or its Secret was gone"
    )
