"""What a review costs: time as the API server sees it, memory and CPU of the webhook.

``python bench/webhook.py`` runs a webhook in a process of its own, with 500 LosslessRollouts in its
cache, and sends it reviews of pods of 13 kB over TLS on loopback, at a fixed rate whatever the
answers do. It prints a table.
"""

import argparse
import asyncio
import base64
import contextlib
import json
import ssl
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "operator"), str(ROOT)]

from kubernetes.aio.client.api_client import ApiClient  # noqa: E402 # after the path
from kubernetes.aio.client.configuration import Configuration  # noqa: E402 # the same

from lossless.cluster.client import Client  # noqa: E402 # the same
from lossless.injection.agent_settings import AgentSettings  # noqa: E402 # the same
from lossless.model.names import (  # noqa: E402 # the same
    API_VERSION,
    PLURAL,
    TLS_SECRET,
    WEBHOOK_PATH,
    WEBHOOK_SERVICE,
)
from lossless.telemetry import logs  # noqa: E402 # the same
from lossless.webhook.certificate import service_names  # noqa: E402 # the same
from lossless.webhook.options import WebhookOptions  # noqa: E402 # the same
from lossless.webhook.server import Webhook  # noqa: E402 # the same
from tests.injection.pods import container, pod, review  # noqa: E402 # the same
from tests.support.fake_kubernetes import FakeKubernetes, fake_kubernetes  # noqa: E402 # the same
from tests.support.waiting import eventually  # noqa: E402 # the same

NAMESPACE = "lossless-system"
ROLLOUTS = 500
CONNECTIONS = 4
NAME = service_names(WEBHOOK_SERVICE, NAMESPACE)[0]


async def serve(api: str) -> None:
    """Run a webhook until standard input ends; print its port when it is ready."""
    logs.configure("info", stream=sys.stderr)
    options = WebhookOptions(
        namespace=NAMESPACE,
        agent=AgentSettings(image="bench"),
        host="127.0.0.1",
        port=0,
        http_port=0,
        linger=0,
    )
    stop = asyncio.Event()
    async with Client(ApiClient(Configuration(host=api))) as client, asyncio.TaskGroup() as tasks:
        webhook = Webhook(options, client)
        tasks.create_task(webhook.serve(stop))
        await eventually(lambda: webhook.ready, within=30)
        print(webhook.port, flush=True)
        await asyncio.to_thread(sys.stdin.read)
        stop.set()


@contextlib.asynccontextmanager
async def webhook_process(api: str) -> AsyncIterator[tuple[int, int]]:
    """Run ``serve`` in a process of its own; yield its pid and port."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        __file__,
        "--serve",
        api,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    async with asyncio.timeout(60):
        port = int(await process.stdout.readline())
    try:
        yield process.pid, port
    finally:
        await process.communicate(b"")


def populate(fake: FakeKubernetes) -> None:
    """Store the LosslessRollouts, in namespaces of five."""
    for number in range(ROLLOUTS):
        path = f"/apis/{API_VERSION}/namespaces/shop-{number // 5}/{PLURAL}/web-{number}"
        target = {"kind": "Deployment", "name": f"web-{number}"}
        fake.put(path, {"metadata": {}, "spec": {"targetRef": target, "ports": ["http"]}})


def body(number: int) -> bytes:
    """Return the review of a pod of rollout ``number``, of 13 kB."""
    app = container(
        "app",
        ports=[{"containerPort": 8080, "name": "http"}],
        readinessProbe={"httpGet": {"path": "/", "port": "http"}},
        env=[{"name": f"SETTING_{i}", "value": "x" * 40} for i in range(150)],
    )
    raw = pod(app, container("proxy", pre_stop={"sleep": {"seconds": 5}}))
    raw["metadata"]["ownerReferences"][0]["name"] = f"web-{number}-abc123"
    return json.dumps(review(raw, namespace=f"shop-{number // 5}")).encode()


async def times(
    session: aiohttp.ClientSession, url: str, trust: ssl.SSLContext, rate: int, seconds: float
) -> list[float]:
    """Return the seconds of every review, sent at ``rate`` a second whatever the answers do."""
    bodies = [body(number) for number in range(0, ROLLOUTS, 7)]
    taken: list[float] = []

    async def one(number: int, due: float) -> None:
        await asyncio.sleep(due - time.perf_counter())
        begun = time.perf_counter()
        async with session.post(
            url, data=bodies[number % len(bodies)], ssl=trust, server_hostname=NAME
        ) as response:
            answer = await response.json()
        taken.append(time.perf_counter() - begun)
        if "patch" not in answer["response"]:
            raise AssertionError(f"a pod was not injected: {answer}")

    begin = time.perf_counter() + 0.1
    await asyncio.gather(*(one(n, begin + n / rate) for n in range(int(rate * seconds))))
    return sorted(taken)


def resident(pid: int) -> float:
    """Return the resident memory of a process in MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise LookupError(f"no VmRSS of process {pid}")


def cpu(pid: int) -> float:
    """Return the CPU seconds of a process, from the scheduler's own count."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


async def measure(rates: list[int], seconds: float) -> None:
    """Print one line per rate."""
    async with fake_kubernetes() as (fake, _):
        populate(fake)
        async with webhook_process(fake.url) as (pid, port):
            secret: Any = fake.objects[f"/api/v1/namespaces/{NAMESPACE}/secrets/{TLS_SECRET}"]
            trust = ssl.create_default_context(cadata=authority(secret))
            url = f"https://127.0.0.1:{port}{WEBHOOK_PATH}"
            connector = aiohttp.TCPConnector(limit=CONNECTIONS)
            async with aiohttp.ClientSession(connector=connector) as session:
                await times(session, url, trust, 50, 2.0)
                print(f"{len(body(0)) / 1000:.1f} kB a review, {ROLLOUTS} LosslessRollouts")
                print("  rate      p50      p99      max   CPU a review    RSS")
                for rate in rates:
                    before = cpu(pid)
                    taken = await times(session, url, trust, rate, seconds)
                    spent = (cpu(pid) - before) / len(taken)
                    p50, p99 = taken[len(taken) // 2], taken[int(len(taken) * 0.99)]
                    print(
                        f"{rate:4d}/s {p50 * 1000:5.1f} ms {p99 * 1000:5.1f} ms"
                        f" {taken[-1] * 1000:5.1f} ms  {spent * 1000:9.2f} ms"
                        f" {resident(pid):4.0f} MB"
                    )


def authority(secret: dict[str, Any]) -> str:
    """Return the certificate authority in a Secret."""
    return base64.b64decode(secret["data"]["ca.crt"]).decode()


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, action="append", help="reviews a second; repeatable")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each rate")
    parser.add_argument("--serve", metavar="URL", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve(options.serve))
    else:
        asyncio.run(measure(options.rate or [50, 200], options.seconds))


if __name__ == "__main__":
    main()
