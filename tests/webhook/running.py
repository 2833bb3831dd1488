"""A webhook that serves over TLS on loopback, and the API server that it follows."""

import asyncio
import base64
import io
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp

from lossless.cluster.client import Client
from lossless.model.names import LEASE, TLS_SECRET, WEBHOOK_PATH
from lossless.webhook.certificate import Material, service_names
from lossless.webhook.options import WebhookOptions
from lossless.webhook.server import Webhook
from tests.injection.pods import SETTINGS, Raw
from tests.support.fake_kubernetes import FakeKubernetes
from tests.support.waiting import eventually

NAMESPACE = "lossless-system"
NAMES = service_names("lossless-webhook", NAMESPACE)
SECRET = f"/api/v1/namespaces/{NAMESPACE}/secrets/{TLS_SECRET}"
LEASE_PATH = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/{LEASE}"
ROLLOUT_PATH = "/apis/lossless.dev/v1alpha1/namespaces/shop/losslessrollouts/web"


@dataclass
class Running:
    """A webhook that serves, and what surrounds it."""

    webhook: Webhook
    fake: FakeKubernetes
    stop: asyncio.Event
    task: asyncio.Task[None]
    session: aiohttp.ClientSession
    seen: list[Any] = field(default_factory=list)

    def material(self) -> Material:
        """Return what the Secret holds."""
        data = self.fake.objects[SECRET]["data"]
        found = Material.of({key: base64.b64decode(value) for key, value in data.items()})
        assert found is not None
        return found

    async def send(self, body: bytes, path: str = WEBHOOK_PATH) -> tuple[int, bytes, str]:
        """Post a body as the API server does; return status, body and the Connection header."""
        trust = ssl.create_default_context(cadata=self.material().ca_bundle.decode())
        async with self.session.post(
            f"https://127.0.0.1:{self.webhook.port}{path}",
            data=io.BytesIO(body),
            ssl=trust,
            server_hostname=NAMES[0],
        ) as response:
            connection = response.headers.get("Connection", "")
            return response.status, await response.read(), connection

    async def ask(self, raw: Raw) -> Raw:
        """Return the answer to an AdmissionReview."""
        status, body, _ = await self.send(json.dumps(raw).encode())
        assert status == 200
        answer: Raw = json.loads(body)
        return answer

    async def tell(self, path: str) -> tuple[int, str]:
        """Get a page of the listener in the clear."""
        url = f"http://127.0.0.1:{self.webhook.http_port}{path}"
        async with self.session.get(url) as response:
            return response.status, await response.text()


def protect(fake: FakeKubernetes, **spec: Any) -> None:
    """Store a LosslessRollout for Deployment ``web`` in namespace ``shop``."""
    target = {"kind": "Deployment", "name": "web"}
    fake.put(ROLLOUT_PATH, {"metadata": {}, "spec": {"targetRef": target, **spec}})


def renew(fake: FakeKubernetes, *, seconds_ago: float = 0.0) -> None:
    """Store the Lease as a controller that renews it."""
    renewed_at = datetime.now(UTC) - timedelta(seconds=seconds_ago)
    spec = {
        "holderIdentity": "controller-0",
        "leaseDurationSeconds": 15,
        "renewTime": renewed_at.isoformat(),
    }
    fake.put(LEASE_PATH, {"metadata": {}, "spec": spec})


@asynccontextmanager
async def serving(fake: FakeKubernetes, client: Client, **options: Any) -> AsyncIterator[Running]:
    """Run a webhook for the length of the block."""
    settings = {
        "namespace": NAMESPACE,
        "agent": SETTINGS,
        "host": "127.0.0.1",
        "port": 0,
        "http_port": 0,
        "certificate_interval": 0.02,
        "linger": 0.0,
        **options,
    }
    webhook, stop = Webhook(WebhookOptions(**settings), client), asyncio.Event()
    task = asyncio.create_task(webhook.serve(stop))
    try:
        await eventually(lambda: webhook.ready or task.done())
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
            yield Running(webhook, fake, stop, task, session)
        stop.set()
        await asyncio.wait_for(task, 10)
    finally:
        task.cancel()
