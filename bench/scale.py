"""What the controller costs as a cluster grows: memory, CPU, requests, latency, time to start.

``python bench/scale.py`` starts a real etcd and a real kube-apiserver on loopback, fills them with
pods that no kubelet runs (this program writes their status, and answers for their agents), starts a
controller in a process of its own, and has every LosslessRollout roll: a new pod of each becomes
ready, its gate opens, an old one is deleted and drains, and a second gate opens at its end. It
prints a table, one line for each number of pods.
"""

import argparse
import asyncio
import contextlib
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "operator"), str(ROOT)]

from e2e.cluster.paths import Paths  # noqa: E402 # after the path
from lossless.cluster.client import (  # noqa: E402 # the same
    STRATEGIC_MERGE_PATCH,
    Client,
    Raw,
    Timeouts,
    resource_path,
)
from lossless.cluster.errors import ApiError  # noqa: E402 # the same
from lossless.cluster.timestamps import format_time  # noqa: E402 # the same
from lossless.cluster.watching import Changed, Watch  # noqa: E402 # the same
from lossless.model.names import (  # noqa: E402 # the same
    AGENT_CONTAINER,
    API_VERSION,
    GATE,
    GROUP,
    KIND,
    PLURAL,
    REPORT_PATH,
    ROLLOUT_LABEL,
)
from lossless.model.phases import Phase  # noqa: E402 # the same
from lossless.model.report import Connections, Report  # noqa: E402 # the same

SIZES = (100, 1000, 5000)
PODS_EACH = 10
#: Bytes of an annotation that makes a pod as big as pods are.
PADDING = 6000
#: LosslessRollouts that begin to roll in one second.
PACE = 4.0
DRAIN = 2.0
#: Applications in one namespace. A list of pods costs an API server a look at each pod of its
#: namespace, so that thousands of them in one would measure that.
APPS_EACH = 10
TOKEN = "bench"  # noqa: S105 # of an API server on loopback that lives for a minute


def controller(kubeconfig: str, http_port: int, agent_port: int) -> None:
    """Be the controller: the very process, with ports of its own."""
    from lossless.controller.options import ControllerOptions  # noqa: PLC0415 # only in the child
    from lossless.controller.process import run  # noqa: PLC0415 # the same
    from lossless.telemetry import logs  # noqa: PLC0415 # the same

    logs.configure("warning", stream=sys.stderr)
    options = ControllerOptions(
        namespace="lossless-system",
        identity="bench",
        kubeconfig=kubeconfig,
        http_port=http_port,
        host="127.0.0.1",
        agent_port=agent_port,
    )
    asyncio.run(run(options))


def free_port() -> int:
    """Return a port of the loopback interface that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def process(log: Path, *argv: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program until the end of the block."""
    with log.open("wb") as out:
        running = subprocess.Popen(argv, stdout=out, stderr=out)  # noqa: S603 # ours
        try:
            yield running
        finally:
            running.terminate()
            try:
                running.wait(15)
            except subprocess.TimeoutExpired:
                running.kill()
                running.wait()


@contextlib.asynccontextmanager
async def control_plane(folder: Path) -> AsyncIterator[tuple[Path, str]]:
    """Run etcd and an API server; yield a kubeconfig and where the server is."""
    etcd, api = shutil.which("etcd"), Paths.of_user().bin / "kube-apiserver"
    if etcd is None or not api.exists():
        sys.exit("bench/scale.py needs etcd and a kube-apiserver: make tools")
    ports = [free_port() for _ in range(3)]
    store, peers, secure = (f"127.0.0.1:{port}" for port in ports)
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    (folder / "sa.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
    )
    (folder / "tokens").write_text(f"{TOKEN},bench,bench,system:masters\n")
    kubeconfig = folder / "kubeconfig"
    cluster = {"server": f"https://{secure}", "insecure-skip-tls-verify": True}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "bench", "cluster": cluster}],
        "users": [{"name": "bench", "user": {"token": TOKEN}}],
        "contexts": [{"name": "bench", "context": {"cluster": "bench", "user": "bench"}}],
        "current-context": "bench",
    }
    kubeconfig.write_text(yaml.safe_dump(document))
    with (
        process(
            folder / "etcd.log",
            etcd,
            f"--data-dir={folder / 'etcd'}",
            f"--listen-client-urls=http://{store}",
            f"--advertise-client-urls=http://{store}",
            f"--listen-peer-urls=http://{peers}",
            f"--initial-advertise-peer-urls=http://{peers}",
            f"--initial-cluster=default=http://{peers}",
            "--unsafe-no-fsync",
        ),
        process(
            folder / "api.log",
            str(api),
            f"--etcd-servers=http://{store}",
            "--bind-address=127.0.0.1",
            f"--secure-port={secure.rpartition(':')[2]}",
            f"--cert-dir={folder / 'certificates'}",
            f"--token-auth-file={folder / 'tokens'}",
            "--authorization-mode=RBAC",
            "--disable-admission-plugins=ServiceAccount",
            f"--service-account-issuer=https://{secure}",
            f"--service-account-key-file={folder / 'sa.key'}",
            f"--service-account-signing-key-file={folder / 'sa.key'}",
            "--service-cluster-ip-range=10.0.0.0/24",
        ),
    ):
        async with await Client.connect(kubeconfig) as client:
            await until(lambda: answers(client, "/readyz?verbose"), "the API server", 120)
        yield kubeconfig, f"https://{secure}"


async def answers(client: Client, path: str) -> bool:
    """Return whether the API server serves what the controller needs."""
    try:
        await client.get(path.partition("?")[0].replace("/readyz", "/api/v1/namespaces/default"))
    except ApiError:
        return False
    return True


async def until(condition: Callable[[], Awaitable[bool]], what: str, within: float) -> float:
    """Wait for a condition; return the seconds.

    Raises:
        SystemExit: it did not come true in time.
    """
    began = time.perf_counter()
    while not await condition():
        if time.perf_counter() - began > within:
            sys.exit(f"bench/scale.py: not within {within:g} s: {what}")
        await asyncio.sleep(0.05)
    return time.perf_counter() - began


class Counting(Client):
    """A client that knows how many requests it has made."""

    made = 0

    async def _send(self, request: Any) -> Raw:
        self.made += 1
        return await super()._send(request)


@dataclass
class Pods:
    """The simulated pods: their kubelets, and their agents behind one port."""

    addresses: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Loopback address to name and uid."""
    stopping: dict[str, float] = field(default_factory=dict)
    """Uid to when its drain began."""

    def address(self, name: str, uid: str) -> str:
        """Give the pod an address of its own."""
        number = len(self.addresses) + 1
        chosen = f"127.{10 + (number >> 16)}.{(number >> 8) & 255}.{number & 255}"
        self.addresses[chosen] = name, uid
        return chosen

    async def report(self, request: web.Request) -> web.Response:
        """Answer as the agent at the address that was asked."""
        assert request.transport is not None
        name, uid = self.addresses[request.transport.get_extra_info("sockname")[0]]
        began = self.stopping.get(uid)
        seconds = 0.0 if began is None else time.monotonic() - began
        phase = Phase.SERVING if began is None else Phase.DRAINING
        if seconds >= DRAIN:
            phase = Phase.DRAINED
        left = Connections(active=int(phase is Phase.DRAINING))
        said = Report(name, uid, phase, seconds=seconds, connections=left)
        return web.Response(text=said.to_json(), content_type="application/json")


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


@dataclass
class Gates:
    """When each gate was seen open, by a watch beside the controller's."""

    opened: dict[str, float] = field(default_factory=dict)

    async def follow(self, client: Client) -> None:
        """Follow the pods until cancelled."""
        watch: Watch[bool] = Watch(client, resource_path("v1", "pods"), _gate_is_open)
        async for event in watch.events():
            if isinstance(event, Changed) and event.object:
                self.opened.setdefault(event.key.name, time.perf_counter())


def _gate_is_open(raw: Raw) -> bool:
    conditions = (raw.get("status") or {}).get("conditions") or ()
    return any(c["type"] == GATE and c["status"] == "True" for c in conditions)


@dataclass(frozen=True)
class Line:
    """One line of the table."""

    pods: int
    rollouts: int
    started: float
    settled: float
    rss: float
    cpu: float
    idle: float
    calls: float
    gate: Sequence[float]
    drain: Sequence[float]

    def __str__(self) -> str:
        gate, drain = (
            f"{statistics.median(times) * 1000:6.0f} /{_p99(times) * 1000:6.0f}"
            for times in (self.gate, self.drain)
        )
        return (
            f"{self.pods:6} {self.rollouts:9} {self.started:7.1f} {self.settled:8.1f}"
            f" {self.rss:7.0f} {self.cpu:9.1f} {self.idle:8.1f} {self.calls:10.1f} {gate}  {drain}"
        )


HEADER = (
    "  pods  rollouts start s settled s  RSS MB  CPU s/wave idle CPU% calls/pod"
    "  gate ms p50/p99  after a drain"
)


def _p99(times: Sequence[float]) -> float:
    return sorted(times)[min(len(times) - 1, int(len(times) * 0.99))]


def rss(pid: int) -> float:
    """Return the resident memory of a process in MB."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


def cpu(pid: int) -> float:
    """Return the CPU seconds of a process."""
    parts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


async def requests(session: aiohttp.ClientSession, server: str) -> int:
    """Return how many requests the API server has answered."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with session.get(f"{server}/metrics", headers=headers, ssl=False) as answer:
        text = await answer.text()
    # Its own housekeeping is of the kind that it does not do over and over for us.
    lines = re.findall(r"^apiserver_request_total\{([^}]*)\} (\S+)$", text, re.MULTILINE)
    ours = r'resource="(pods|losslessrollouts|deployments|replicasets|events)"'
    return sum(int(float(value)) for labels, value in lines if re.search(ours, labels))


async def measure(size: int) -> Line:
    """Measure one size."""
    rollouts = max(1, size // PODS_EACH)
    with tempfile.TemporaryDirectory(prefix="lossless-scale-") as text:
        folder = Path(text)
        async with (
            control_plane(folder) as (kubeconfig, server),
            await Counting.connect(folder / "kubeconfig", timeouts=Timeouts(total=60.0)) as client,
            aiohttp.ClientSession() as session,
        ):
            world = World(client, Pods())
            await fill(world, rollouts)
            app = web.Application()
            app.router.add_get(REPORT_PATH, world.pods.report)
            runner = web.AppRunner(app, access_log=None)
            await runner.setup()
            agents = free_port()
            for address, (name, _) in world.pods.addresses.items():
                if name.endswith("-old-0"):
                    await web.TCPSite(runner, address, agents).start()
            try:
                return await rolled(
                    world, session, kubeconfig, server, rollouts=rollouts, agents=agents
                )
            finally:
                await runner.cleanup()


async def fill(world: World, rollouts: int) -> None:
    """Create everything that is there before the controller starts."""
    client = world.client
    apps = [f"app-{number}" for number in range(rollouts)]
    for name in sorted({"lossless-system", *map(space_of, apps)}):
        await client.create("/api/v1/namespaces", {"metadata": {"name": name}})
    crd = yaml.safe_load((ROOT / "crds" / "losslessrollouts.yaml").read_text())
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


async def rolled(  # noqa: PLR0913 # the whole stage, each thing by its name
    world: World,
    session: aiohttp.ClientSession,
    kubeconfig: Path,
    server: str,
    *,
    rollouts: int,
    agents: int,
) -> Line:
    """Start the controller, let it settle, and have everything roll."""
    client, port = world.client, free_port()
    argv = (str(Path(__file__)), "--controller", str(kubeconfig), str(port), str(agents))

    async def ready() -> bool:
        try:
            async with session.get(f"http://127.0.0.1:{port}/readyz") as answer:
                return answer.status == 200  # HTTP's
        except aiohttp.ClientError:
            return False

    async def settled() -> bool:
        page = await client.get(resource_path(API_VERSION, PLURAL), {"resourceVersion": "0"})
        return all("phase" in (raw.get("status") or {}) for raw in page["items"])

    with process(kubeconfig.with_name("controller.log"), sys.executable, *argv) as running:
        began = time.perf_counter()
        await until(ready, "the controller to be ready", 300)
        started = time.perf_counter() - began
        await until(settled, "every LosslessRollout to have a status", 300)
        calm = time.perf_counter() - began
        # A full look at everything every 45 s is what an idle cluster costs.
        before, quiet = cpu(running.pid), 50.0
        await asyncio.sleep(quiet)
        idle = (cpu(running.pid) - before) / quiet * 100

        gates = Gates()
        following = asyncio.create_task(gates.follow(client))
        before, made, answered = cpu(running.pid), client.made, await requests(session, server)
        asked = await wave(world, gates, rollouts)
        spent = cpu(running.pid) - before
        calls = await requests(session, server) - answered - (client.made - made)
        following.cancel()
        return Line(
            pods=rollouts * PODS_EACH,
            rollouts=rollouts,
            started=started,
            settled=calm,
            rss=rss(running.pid),
            cpu=spent,
            idle=idle,
            calls=calls / (2 * rollouts),
            gate=[gates.opened[f"{app}-new-0"] - at for app, (at, _) in asked.items()],
            drain=[gates.opened[f"{app}-new-1"] - at for app, (_, at) in asked.items()],
        )


async def wave(world: World, gates: Gates, rollouts: int) -> dict[str, tuple[float, float]]:
    """Have every application roll: two new pods, one drain.

    Returns:
        When the first new pod of each became ready, and when the drain of its old pod ended.
    """
    asked: dict[str, tuple[float, float]] = {}

    async def roll(app: str) -> None:
        await world.release(app, "new", 2)
        await world.pod(app, "new", f"{app}-new-0", gate=False)
        first = time.perf_counter()
        await until(lambda: seen(f"{app}-new-0"), "the first gate to open", 120)
        # The kubelet says Ready, and the Deployment deletes an old pod.
        await world.status(f"{app}-new-0", {}, gate=True)
        await world.pod(app, "new", f"{app}-new-1", gate=False)
        old = f"{app}-old-0"
        gone = await world.client.delete(
            resource_path("v1", "pods", namespace=space_of(old), name=old),
            {"kind": "DeleteOptions"},
        )
        world.pods.stopping[gone["metadata"]["uid"]] = time.monotonic()
        asked[app] = first, time.perf_counter() + DRAIN
        await until(lambda: seen(f"{app}-new-1"), "the second gate to open", 120)

    async def seen(pod: str) -> bool:
        return pod in gates.opened

    async def later(number: int) -> None:
        await asyncio.sleep(number / PACE)
        await roll(f"app-{number}")

    await asyncio.gather(*(later(number) for number in range(rollouts)))
    return asked


async def main(sizes: Sequence[int]) -> None:
    """Print the table."""
    sys.stdout.write(HEADER + "\n")
    for size in sizes:
        sys.stdout.write(f"{await measure(size)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pods", type=int, nargs="*", default=SIZES)
    parser.add_argument("--controller", nargs=3, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.controller:
        controller(chosen.controller[0], *map(int, chosen.controller[1:]))
    else:
        asyncio.run(main(chosen.pods))
