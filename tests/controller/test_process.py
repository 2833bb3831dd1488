"""The whole process with kopf in front, against an API server in memory."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from itertools import islice
from pathlib import Path

import aiohttp
import pytest

from lossless.controller.front import connection_of, settings
from lossless.controller.options import ControllerOptions
from lossless.controller.process import run
from lossless.model.names import API_VERSION, PLURAL
from lossless.model.scope import Scope
from tests.controller.running import DISCOVERY, kubeconfig
from tests.support.fake_kubernetes import FakeKubernetes, fake_kubernetes
from tests.support.free_ports import free_port
from tests.support.raw_objects import (
    DEPLOYMENTS,
    PODS,
    REPLICA_SETS,
    ROLLOUTS,
    raw_deployment,
    raw_pod,
    raw_replica_set,
    raw_rollout,
)
from tests.support.waiting import eventually

LEASE = "/apis/coordination.k8s.io/v1/namespaces/lossless/leases/lossless-controller"


@pytest.fixture
async def fake() -> AsyncIterator[FakeKubernetes]:
    """A workload whose one pod waits for its gate."""
    async with fake_kubernetes() as (fake, _):
        fake.documents |= DISCOVERY
        fake.put(f"{DEPLOYMENTS}/web", raw_deployment(1))
        fake.put(f"{REPLICA_SETS}/web-new", raw_replica_set("new", 1))
        fake.put(f"{PODS}/n", raw_pod("n", ready=False, gate=None))
        yield fake


async def probe(port: int, path: str) -> tuple[int, str]:
    """Ask the process's own server."""
    url = f"http://127.0.0.1:{port}{path}"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return answer.status, await answer.text()


@pytest.mark.parametrize(
    ("scope", "followed"),
    [
        pytest.param(Scope(), f"GET /apis/{API_VERSION}/{PLURAL}", id="whole-cluster"),
        pytest.param(Scope(("shop",)), f"GET {ROLLOUTS}", id="named"),
    ],
)
async def test_the_process_from_start_to_end(
    fake: FakeKubernetes, tmp_path: Path, scope: Scope, followed: str
) -> None:
    """It leads, follows LosslessRollouts through kopf, serves probes, and releases the Lease."""
    port = free_port()
    options = ControllerOptions(
        namespace="lossless",
        identity="controller-0",
        scope=scope,
        kubeconfig=kubeconfig(fake.url, tmp_path),
        host="127.0.0.1",
        http_port=port,
        resync=600.0,
    )
    task = asyncio.create_task(run(options))
    await eventually(lambda: followed in fake.requests)
    await eventually(lambda: LEASE in fake.objects)
    fake.put(f"{ROLLOUTS}/web", raw_rollout())
    await eventually(lambda: "status" in fake.objects[f"{ROLLOUTS}/web"])
    healthy, ready = await probe(port, "/healthz"), await probe(port, "/readyz")
    _, metrics = await probe(port, "/metrics")
    task.cancel()
    await asyncio.wait({task}, timeout=10)

    assert task.done()
    assert not scope.namespaces or f"GET /apis/{API_VERSION}/{PLURAL}" not in fake.requests
    assert (healthy, ready) == ((200, "ok"), (200, "ok"))
    assert "lossless_controller_leader 1.0" in metrics
    assert fake.objects[LEASE]["spec"]["holderIdentity"] == ""
    assert not fake.objects[f"{ROLLOUTS}/web"]["metadata"].get("annotations")


def test_kopf_never_gives_a_request_up() -> None:
    """It would end, and the process with it, for the sake of one namespace that is gone."""
    backoffs = settings().networking.error_backoffs
    assert isinstance(backoffs, Iterable)
    waits = [*islice(backoffs, 1000)]

    assert len(waits) == 1000
    assert 0 < min(waits) <= max(waits) <= 30


async def test_kopf_uses_our_own_way_to_the_api_server() -> None:
    """The same server, the same token, read anew when it is asked."""
    async with fake_kubernetes() as (_, client):
        configuration = client.api.configuration
        configuration.api_key["BearerToken"] = "bearer a-token\n"

        connection = await connection_of(configuration)

    assert connection.server == configuration.host
    assert connection.token == "a-token"  # noqa: S105 # not a secret


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"namespace": ""}, "namespace ''", id="namespace"),
        pytest.param({"identity": ""}, "identity ''", id="identity"),
        pytest.param({"http_port": 70000}, "http port 70000", id="port"),
        pytest.param({"workers": 0}, "workers 0", id="workers"),
        pytest.param({"resync": 0.0}, "resync 0.0", id="resync"),
        pytest.param({"scope": Scope(("lossless",))}, "namespace of the installation", id="scope"),
        pytest.param({"failure_policy": "No"}, "failure policy 'No'", id="policy"),
    ],
)
def test_options_that_cannot_work_are_refused(changes: dict[str, object], message: str) -> None:
    """The message names the option, its value and what is allowed."""
    good: dict[str, object] = {"namespace": "lossless", "identity": "controller-0"}

    with pytest.raises(ValueError, match=message):
        ControllerOptions(**(good | changes))  # type: ignore[arg-type]
