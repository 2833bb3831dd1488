"""What ``helm test`` says of an installation, and of each thing that may be wrong with it."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress
from http import HTTPStatus
from typing import Any

import pytest

from lossless.cluster.client import Client
from lossless.cluster.lease import LeaseStore
from lossless.commands.selftest import SelftestError, examine
from lossless.injection.agent_settings import AgentSettings
from lossless.model.names import LEASE, NO_TARGET_WARNING, WARNING_PREFIX
from lossless.webhook.advice import advice, not_served
from lossless.webhook.owner import parse_rollout
from lossless.webhook.review import response_of
from tests.support.fake_kubernetes import FakeKubernetes, fake_kubernetes

NAMESPACE = "lossless-here"
ROLLOUTS = f"/apis/lossless.dev/v1alpha1/namespaces/{NAMESPACE}/losslessrollouts"
LEASES = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases"
#: Of what helm test's probe is told by the real webhook.
PROBE: dict[str, Any] = {
    "metadata": {"name": "x", "namespace": NAMESPACE},
    "spec": {"targetRef": {"kind": "Deployment", "name": "x"}},
}


def sent(warnings: Iterable[str]) -> tuple[str, ...]:
    """Return warnings as the real webhook answers them."""
    response = response_of("uid", warnings=warnings)["response"]
    return tuple(response["warnings"])


WARNINGS = sent(advice(parse_rollout(PROBE), [], None, AgentSettings("agent:1")))


@pytest.fixture
async def cluster() -> AsyncIterator[tuple[FakeKubernetes, Client]]:
    """An installation that works: a leader renews, and the webhook's warnings arrive."""
    async with fake_kubernetes() as (fake, client):
        fake.warnings = ("another webhook says hello", *WARNINGS)
        leader = asyncio.create_task(_lead(client))
        yield fake, client
        leader.cancel()
        with suppress(asyncio.CancelledError):
            await leader


async def _lead(client: Client) -> None:
    store = LeaseStore(client, NAMESPACE, LEASE)
    held = None
    while True:
        held = await store.take(held, "controller-0", 1, time.time()) or held
        await asyncio.sleep(0.02)


async def said(client: Client, timeout: float = 3.0) -> list[str]:
    """Return what is found to work."""
    return [line async for line in examine(client, NAMESPACE, timeout, pause=0.03)]


async def test_an_installation_that_works(cluster: tuple[FakeKubernetes, Client]) -> None:
    """Each question is answered by a sentence of its own, and nothing of it is stored."""
    fake, client = cluster
    lines = await said(client)

    assert len(lines) == 3
    assert lines[1].startswith("controller-0 leads")
    assert [path for _, path, _ in fake.writes if "losslessrollouts" in path] == []


def test_the_webhook_warns_of_the_probe() -> None:
    """The sign that is looked for is what the webhook's advice begins with."""
    assert [text for text in WARNINGS if text.startswith(f"{WARNING_PREFIX}{NO_TARGET_WARNING}")]


async def test_an_installation_that_serves_other_namespaces(
    cluster: tuple[FakeKubernetes, Client],
) -> None:
    """Its webhook answers too: that it does not serve the namespace of the installation."""
    fake, client = cluster
    fake.warnings = sent([not_served(NAMESPACE)])

    assert len(await said(client)) == 3


async def test_an_installation_that_still_starts_has_time(
    cluster: tuple[FakeKubernetes, Client],
) -> None:
    """Whoever runs the test right after the installation does not have to wait before."""
    fake, client = cluster
    warnings, fake.warnings = fake.warnings, ()
    asyncio.get_running_loop().call_later(0.3, setattr, fake, "warnings", warnings)

    assert len(await said(client)) == 3


def _without_crd(fake: FakeKubernetes) -> None:
    fake.refuse = lambda _, path: HTTPStatus.NOT_FOUND if path == ROLLOUTS else None


def _without_rights(fake: FakeKubernetes) -> None:
    fake.refuse = lambda _, path: HTTPStatus.FORBIDDEN if path == ROLLOUTS else None


def _without_api(fake: FakeKubernetes) -> None:
    fake.refuse = lambda _, path: HTTPStatus.SERVICE_UNAVAILABLE if path == ROLLOUTS else None


def _without_webhook(fake: FakeKubernetes) -> None:
    fake.warnings = ("spec.other: somebody else warns",)


@pytest.mark.parametrize(
    ("break_it", "says"),
    [
        pytest.param(_without_crd, ["not served", "crds.enabled=true"], id="no CRD"),
        pytest.param(_without_rights, ["lacks a right", "helm test"], id="no right"),
        pytest.param(_without_api, ["API server", "503"], id="no API"),
        pytest.param(
            _without_webhook,
            ["no answer from the webhook", "webhook.hostNetwork=true", f"-n {NAMESPACE} logs"],
            id="no webhook",
        ),
    ],
)
async def test_what_does_not_work_is_named(
    cluster: tuple[FakeKubernetes, Client],
    break_it: Callable[[FakeKubernetes], None],
    says: list[str],
) -> None:
    """With the place to look at."""
    fake, client = cluster
    break_it(fake)
    with pytest.raises(SelftestError) as failed:
        # The Lease is asked about before the webhook is, and waits for a renewal.
        await said(client, 0.2 if break_it is not _without_webhook else 3.0)

    assert [part for part in says if part not in str(failed.value)] == []


@pytest.mark.parametrize(
    ("holder", "says"),
    [
        pytest.param(None, "no controller leads", id="never led"),
        pytest.param("", "no controller leads", id="given up"),
        pytest.param("controller-0", "has not renewed it for 1 s", id="dead"),
    ],
)
async def test_a_lease_that_is_not_renewed_is_no_leader(holder: str | None, says: str) -> None:
    """A fresh-looking time proves nothing: clocks differ, so only a renewal counts."""
    async with fake_kubernetes() as (fake, client):
        if holder is not None:
            spec = {
                "holderIdentity": holder,
                "leaseDurationSeconds": 1,
                "renewTime": "2099-01-01T00:00:00.000000Z",
            }
            fake.put(f"{LEASES}/{LEASE}", {"spec": spec})
        with pytest.raises(SelftestError, match=says):
            await said(client, 1.5)
