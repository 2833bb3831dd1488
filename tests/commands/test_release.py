"""What is left behind when the product is removed: no webhook, and no gate that is shut."""

from collections.abc import AsyncIterator

import pytest

from lossless.cluster.client import Client
from lossless.commands.release import release
from lossless.model.names import GATE, WEBHOOK_CONFIGURATION
from tests.support.fake_kubernetes import FakeKubernetes, fake_kubernetes
from tests.support.raw_objects import PODS, raw_pod

CONFIGURATION = (
    "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/" + WEBHOOK_CONFIGURATION
)
ADVICE = CONFIGURATION.replace("mutating", "validating")


@pytest.fixture
async def api() -> AsyncIterator[tuple[FakeKubernetes, Client]]:
    """A held pod, one whose gate nobody has looked at, one that serves, one that terminates."""
    async with fake_kubernetes() as (fake, client):
        fake.put(CONFIGURATION, {"webhooks": [{"name": "pods.lossless.dev"}]})
        fake.put(ADVICE, {"webhooks": [{"name": "losslessrollouts.lossless.dev"}]})
        fake.put(f"{PODS}/held", raw_pod("held", ready=False, gate=False))
        fake.put(f"{PODS}/fresh", raw_pod("fresh", ready=False, gate=None))
        fake.put(f"{PODS}/serving", raw_pod("serving", gate=True))
        yield fake, client


def _gate_of(fake: FakeKubernetes, pod: str) -> str:
    conditions = fake.objects[f"{PODS}/{pod}"]["status"]["conditions"]
    return next(str(c["status"]) for c in conditions if c["type"] == GATE)


async def test_injection_ends_before_the_gates_open(api: tuple[FakeKubernetes, Client]) -> None:
    """In the other order a pod could be injected after the last look, and be held for ever."""
    fake, client = api

    assert await release(client, settle=0) == 2

    assert not {CONFIGURATION, ADVICE} & fake.objects.keys()
    assert fake.writes[0][:2] == ("DELETE", CONFIGURATION)
    assert [_gate_of(fake, pod) for pod in ("held", "fresh", "serving")] == ["True"] * 3


async def test_a_second_removal_finds_nothing_to_do(api: tuple[FakeKubernetes, Client]) -> None:
    """The hook of a removal that failed half-way runs again."""
    fake, client = api
    await release(client, settle=0)
    written = len(fake.writes)

    assert await release(client, settle=0) == 0

    assert [write for write in fake.writes[written:] if write[0] == "PATCH"] == []
