"""The whole webhook over TLS on loopback, with an API server that a test can change."""

import asyncio
import base64
import json
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import aiohttp
import pytest
from structlog.testing import capture_logs

from lossless.cluster.client import Client
from lossless.model.names import (
    GATE,
    GROUP,
    PLURAL,
    VALIDATION_PATH,
    VERSION,
    WEBHOOK_PATH,
)
from lossless.model.scope import Scope
from lossless.webhook.certificate import Material, renewed
from lossless.webhook.options import WebhookOptions
from lossless.webhook.server import Webhook
from tests.injection.pods import SETTINGS, applied, injected, patch_in, pod, review
from tests.support.fake_kubernetes import FakeKubernetes, fake_kubernetes
from tests.support.waiting import eventually
from tests.webhook.running import (
    LEASE_PATH,
    NAMES,
    NAMESPACE,
    ROLLOUT_PATH,
    SECRET,
    Running,
    protect,
    renew,
    serving,
)


@pytest.fixture
async def cluster() -> AsyncIterator[tuple[FakeKubernetes, Client]]:
    """Return an API server and a client for it."""
    async with fake_kubernetes() as running:
        yield running


@pytest.fixture
async def running(cluster: tuple[FakeKubernetes, Client]) -> AsyncIterator[Running]:
    """Return a webhook in a cluster with one LosslessRollout and a living controller."""
    fake, client = cluster
    protect(fake)
    renew(fake)
    async with serving(fake, client) as webhook:
        yield webhook


async def test_a_pod_is_injected_over_tls(running: Running) -> None:
    """The chain verifies against ca.crt, under the Service's name."""
    answer = await running.ask(review(pod()))

    assert applied(pod(), patch_in(answer)) == injected(pod())


async def test_our_own_failure_is_told_with_pod_workload_and_place(running: Running) -> None:
    """And without the error's message, which may quote the pod."""
    broken = pod()
    broken["metadata"] |= {"generateName": "web-abc123-"}
    broken["spec"] = {"containers": ["a secret"]}
    with capture_logs() as said:
        answer = await running.ask(review(broken))

    assert answer["response"]["allowed"] is True
    (line,) = [line for line in said if line["event"] == "review failed"]
    assert (line["namespace"], line["pod"], line["workload"]) == (
        "shop",
        "web-abc123-",
        "Deployment web",
    )
    assert line["at"][0].startswith("webhook/review.py:")
    assert line["at"][0].endswith(" answer")
    assert "a secret" not in str(line)


async def test_it_follows_the_rollouts(running: Running) -> None:
    """Deleted, changed, made again: the next pod is judged by what is true then."""

    async def uses(timeout: float) -> bool:
        patch = json.dumps(patch_in(await running.ask(review(pod()))))
        return f'\\"timeout\\":{timeout}' in patch

    assert await uses(300.0)
    running.fake.remove(ROLLOUT_PATH)
    await eventually(lambda: not running.webhook._rollouts.objects)  # noqa: SLF001 # its cache
    assert patch_in(await running.ask(review(pod()))) == []

    protect(running.fake, drain={"timeout": "90s"})
    await eventually(lambda: bool(running.webhook._rollouts.objects))  # noqa: SLF001 # the same
    assert await uses(90.0)


async def test_the_gate_follows_the_leader(cluster: tuple[FakeKubernetes, Client]) -> None:
    """No Lease, no gate; a controller comes: gate; it goes: no gate."""
    fake, client = cluster
    protect(fake)
    renew(fake, seconds_ago=3600)

    async with serving(fake, client) as webhook:

        async def gated() -> bool:
            patch = json.dumps(patch_in(await webhook.ask(review(pod()))))
            return f'"conditionType": "{GATE}"' in patch

        async def leader(*, fresh: bool) -> None:
            text = f"lossless_webhook_leader_fresh {float(fresh)}"
            async with asyncio.timeout(5):
                while text not in (await webhook.tell("/metrics"))[1]:  # noqa: ASYNC110 # over HTTP
                    await asyncio.sleep(0.01)

        before = await gated()
        renew(fake)
        await leader(fresh=True)
        during = await gated()
        fake.remove(LEASE_PATH)
        await leader(fresh=False)
        after = await gated()

    assert (before, during, after) == (False, True, False)


async def test_what_is_no_review_gets_400(running: Running) -> None:
    """With words for whoever debugs it, and counted."""
    status, body, _ = await running.send(b'{"kind": "Pod"}')

    assert (status, body) == (400, b"the body is not of kind AdmissionReview")
    assert "lossless_webhook_malformed_reviews_total 1.0" in (await running.tell("/metrics"))[1]


@pytest.mark.parametrize(
    ("megabytes", "status"), [pytest.param(7, 200, id="fits"), pytest.param(9, 413, id="too-big")]
)
async def test_the_body_limit(running: Running, megabytes: int, status: int) -> None:
    """A review may be far bigger than aiohttp's default of one mebibyte."""
    raw = pod()
    raw["metadata"]["annotations"] = {"big": "x" * (megabytes * 1024 * 1024)}
    got, _, _ = await running.send(json.dumps(review(raw)).encode())

    assert got == status


async def test_health_and_metrics(running: Running) -> None:
    """Probes and Prometheus need neither TLS nor rights."""
    await running.ask(review(pod()))
    await running.ask(review(pod(hostNetwork=True)))
    _, metrics = await running.tell("/metrics")

    assert await running.tell("/healthz") == (200, "ok\n")
    assert (await running.tell("/readyz"))[0] == 200
    assert 'lossless_webhook_reviews_total{result="injected"} 1.0' in metrics
    assert 'lossless_webhook_reviews_total{result="refused"} 1.0' in metrics
    assert 'lossless_webhook_reviews_total{result="failed"} 0.0' in metrics
    assert "lossless_webhook_review_seconds_count 2.0" in metrics
    expiry = [line for line in metrics.splitlines() if "expiry_timestamp_seconds " in line]
    assert float(expiry[-1].split()[-1]) > datetime.now(UTC).timestamp() + 300 * 86400


async def test_it_is_not_ready_before_everything_is_known(
    cluster: tuple[FakeKubernetes, Client],
) -> None:
    """Without its caches it would let pods through that should be injected."""
    fake, client = cluster
    fake.refuse = lambda _method, path: 403 if "losslessrollouts" in path else None
    webhook, stop = (
        Webhook(
            WebhookOptions(
                namespace=NAMESPACE, agent=SETTINGS, host="127.0.0.1", port=0, http_port=0, linger=0
            ),
            client,
        ),
        asyncio.Event(),
    )
    task = asyncio.create_task(webhook.serve(stop))
    await eventually(lambda: webhook.http_port > 0)
    async with aiohttp.ClientSession() as session:
        page = Running(webhook, fake, stop, task, session)

        async with asyncio.timeout(5):
            status, words = 0, ""
            while "certificate: ok" not in words or "lease: ok" not in words:
                status, words = await page.tell("/readyz")
    stop.set()
    await task

    assert (status, webhook.ready) == (503, False)
    assert "rollouts: not yet" in words


@asynccontextmanager
async def connection(
    running: Running, trusted: Material
) -> AsyncIterator[tuple[int, Callable[[], Awaitable[bytes]]]]:
    """Open one connection; yield its certificate's serial number and a function that asks on it."""
    trust = ssl.create_default_context(cadata=trusted.ca_bundle.decode())
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", running.webhook.port, ssl=trust, server_hostname=NAMES[0]
    )
    body = json.dumps(review(pod())).encode()

    async def ask() -> bytes:
        head = f"POST {WEBHOOK_PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        headers = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(headers.split(b"content-length: ")[1].split(b"\r\n")[0])
        return await reader.readexactly(length)

    try:
        peer = writer.get_extra_info("ssl_object").getpeercert()
        yield int(peer["serialNumber"], 16), ask
    finally:
        writer.close()


async def test_a_rotation_drops_no_request(running: Running) -> None:
    """Connections that are open go on, new ones see the new certificate, nobody sees an error."""
    first = running.material()
    serials: Counter[int] = Counter()
    failures: list[str] = []
    done = asyncio.Event()

    async def reviews(*, keep: bool) -> None:
        while not done.is_set():
            try:
                async with connection(running, first) as (serial, ask):
                    for _ in range(1000 if keep else 1):
                        if done.is_set():
                            break
                        if b'"patchType": "JSONPatch"' not in await ask():
                            failures.append("no patch")
                        serials[serial] += 1
            except (OSError, asyncio.IncompleteReadError) as error:
                failures.append(repr(error))

    async with asyncio.TaskGroup() as tasks:
        for keep in (True, True, False, False):
            tasks.create_task(reviews(keep=keep))
        for generation in range(1, 4):
            # Another name makes it due; the authority stays.
            names = (*NAMES, *(f"generation-{number}.example" for number in range(generation)))
            again = renewed(running.material(), names, datetime.now(UTC))
            data = {k: base64.b64encode(v).decode() for k, v in again.data().items()}
            secret = running.fake.objects[SECRET]
            running.fake.put(SECRET, {**secret, "data": data})
            await eventually(lambda known=generation: len(serials) > known)  # type: ignore[misc]
        done.set()

    assert failures == []
    assert len(serials) == 4
    assert sum(serials.values()) > 20


async def test_it_stops_without_losing_a_review(cluster: tuple[FakeKubernetes, Client]) -> None:
    """While it lingers it answers, and tells each connection to close with the answer."""
    fake, client = cluster
    protect(fake)
    async with serving(fake, client, linger=0.5) as webhook:
        _, _, before = await webhook.send(json.dumps(review(pod())).encode())
        webhook.stop.set()
        await eventually(lambda: not webhook.webhook.ready)
        status, body, connection = await webhook.send(json.dumps(review(pod())).encode())
        ready, words = await webhook.tell("/readyz")
        await asyncio.wait_for(webhook.task, 5)

    assert before != "close"
    assert (status, connection) == (200, "close")
    assert patch_in(json.loads(body)) != []
    assert (ready, "staying: not yet" in words) == (503, True)


async def test_a_slow_body_is_not_waited_for(running: Running) -> None:
    """The API server has given up by then; whoever it is holds a connection for nothing."""
    trust = ssl.create_default_context(cadata=running.material().ca_bundle.decode())
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", running.webhook.port, ssl=trust, server_hostname=NAMES[0]
    )
    writer.write(f"POST {WEBHOOK_PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n".encode())
    async with asyncio.timeout(8):
        line = await reader.readline()
    writer.close()

    assert line.startswith(b"HTTP/1.1 408 ")


async def test_a_taken_port_is_an_error_at_once(cluster: tuple[FakeKubernetes, Client]) -> None:
    """Not a process that runs and serves nobody."""
    fake, client = cluster
    async with serving(fake, client) as webhook:
        options = WebhookOptions(
            namespace=NAMESPACE, agent=SETTINGS, host="127.0.0.1", port=webhook.webhook.port
        )
        with pytest.raises(OSError, match="address already in use"):
            await Webhook(options, client).serve(asyncio.Event())


async def advised(running: Running, namespace: str) -> list[str]:
    """Return the warnings that a new LosslessRollout for Deployment ``api`` gets."""
    raw = {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "1",
            "operation": "CREATE",
            "resource": {"group": GROUP, "version": VERSION, "resource": PLURAL},
            "namespace": namespace,
            "object": {
                "metadata": {"name": "api"},
                "spec": {
                    "targetRef": {"kind": "Deployment", "name": "api"},
                    "close": [{"nginx": {}}],
                },
            },
        },
    }
    _, body, _ = await running.send(json.dumps(raw).encode(), VALIDATION_PATH)
    answer = json.loads(body)["response"]
    assert answer["allowed"]
    return list(answer.get("warnings", []))


async def test_advice_comes_over_the_same_listener(running: Running) -> None:
    """Read from the API server at the moment of the question; failing, nothing is said."""
    (missing,) = await advised(running, "shop")
    running.fake.refuse = lambda _method, path: 500 if "deployments" in path else None
    unknown = await advised(running, "shop")

    assert "there is no Deployment api" in missing
    assert unknown == []


async def test_a_namespace_that_is_not_served_is_said_at_once(
    cluster: tuple[FakeKubernetes, Client],
) -> None:
    """Nobody else ever would; which ones are served is not told, and nothing is read there."""
    fake, client = cluster
    renew(fake)
    async with serving(fake, client, scope=Scope(("shop",))) as running:
        (said,) = await advised(running, "elsewhere")
        (served,) = await advised(running, "shop")

    assert "does not serve namespace elsewhere" in said
    assert "watchNamespaces" in said
    assert "shop" not in said
    assert "there is no Deployment api" in served
    assert not [request for request in fake.requests if "elsewhere" in request]
