"""What the controller costs as a cluster grows: memory, CPU, requests, latency, time to start.

``python bench/scale.py`` starts a real etcd and a real kube-apiserver on loopback, fills them with
pods that no kubelet runs (this program writes their status, and answers for their agents), starts a
controller in a process of its own, and has every LosslessRollout roll: a new pod of each becomes
ready, its gate opens, an old one is deleted and drains, and a second gate opens at its end. It
prints a table, one line for each number of pods.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp
from aiohttp import web

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path[:1] = [str(ROOT / "operator"), str(ROOT)]

from bench.simulated.agents import Pods  # noqa: E402 # the path comes first
from bench.simulated.api_calls import Counting, requests  # noqa: E402 # the same
from bench.simulated.control_plane import control_plane  # noqa: E402 # the same
from bench.simulated.processes import cpu, process, rss  # noqa: E402 # the same
from bench.simulated.rolling import Gates, wave  # noqa: E402 # the same
from bench.simulated.waiting import until  # noqa: E402 # the same
from bench.simulated.workloads import PODS_EACH, World, fill  # noqa: E402 # the same
from lossless.cluster.client import Timeouts, resource_path  # noqa: E402 # the same
from lossless.model.names import API_VERSION, PLURAL, REPORT_PATH  # noqa: E402 # the same
from tests.support.free_ports import free_port  # noqa: E402 # the same

SIZES: Final = (100, 1000, 5000)
#: Seconds between two full looks at everything, as by default.
RESYNC: Final = 45.0
#: Seconds from when the controller is ready to a stretch of ``RESYNC`` with exactly one full look
#: at everything in it, whatever the jitter: that begins up to a tenth of RESYNC early or late, and
#: takes half of it.
QUIET: Final = 0.75 * RESYNC


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
        resync=RESYNC,
    )
    asyncio.run(run(options))


@dataclass(frozen=True)
class Line:
    """One line of the table."""

    pods: int
    rollouts: int
    started: float
    settled: float
    settling: float
    """CPU seconds until then, which no busy machine prolongs."""
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
            f" {self.settling:5.1f} {self.rss:7.0f} {self.cpu:9.1f} {self.idle:8.1f}"
            f" {self.calls:10.1f} {gate}  {drain}"
        )


HEADER = (
    "  pods  rollouts start s settled s CPU s  RSS MB  CPU/wave   idle %  calls/pod"
    "  gate ms p50/p99  after a drain"
)


def _p99(times: Sequence[float]) -> float:
    return sorted(times)[min(len(times) - 1, int(len(times) * 0.99))]


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
        calm, settling = time.perf_counter() - began, cpu(running.pid)
        await asyncio.sleep(max(0.0, began + started + QUIET - time.perf_counter()))
        before = cpu(running.pid)
        await asyncio.sleep(RESYNC)
        idle = (cpu(running.pid) - before) / RESYNC * 100

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
            settling=settling,
            rss=rss(running.pid),
            cpu=spent,
            idle=idle,
            calls=calls / (2 * rollouts),
            gate=[gates.opened[f"{app}-new-0"] - at for app, (at, _) in asked.items()],
            drain=[gates.opened[f"{app}-new-1"] - at for app, (_, at) in asked.items()],
        )


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
