"""The chart's roles allow exactly the calls that the programs make: no more, and no less.

Each program works through a world in which everything happens that it may ever have to do, and the
API server in memory notes what it is asked.
"""

import asyncio
import copy
import json
import ssl
from collections.abc import AsyncIterator, Iterable
from typing import Any, NamedTuple

import pytest

from lossless.cluster.client import Client
from lossless.cluster.lease import LeaseStore
from lossless.cluster.reports import Agents
from lossless.cluster.timestamps import format_micro_time, format_time
from lossless.cluster.watching import Key
from lossless.commands.release import release
from lossless.commands.selftest import examine
from lossless.controller.election import Election
from lossless.controller.index import Index
from lossless.controller.injection import Injection
from lossless.controller.leader import Leader
from lossless.controller.listener import Listener
from lossless.controller.metrics import ControllerMetrics
from lossless.controller.options import ControllerOptions, ElectionTiming
from lossless.controller.reconciler import Reconciler
from lossless.model.names import (
    GROUP,
    LEASE,
    NO_TARGET_WARNING,
    PLURAL,
    VALIDATION_PATH,
    WARNING_PREFIX,
    WEBHOOK_CONFIGURATION,
)
from lossless.model.scope import WHOLE_CLUSTER, Scope
from tests.chart.test_rbac import EXPECTED
from tests.controller.test_leader import stuck
from tests.support.fake_kubernetes import FakeKubernetes, fake_kubernetes
from tests.support.raw_objects import (
    DAEMON_SETS,
    DEPLOYMENTS,
    NAMESPACE,
    PODS,
    REPLICA_SETS,
    ROLLOUTS,
    START,
    STATEFUL_SETS,
    raw_daemon_set,
    raw_deployment,
    raw_pod,
    raw_replica_set,
    raw_rollout,
    raw_stateful_set,
)
from tests.support.waiting import eventually
from tests.webhook.running import NAMES, serving

INSTALLED = "lossless-system"
LEASES = f"/apis/coordination.k8s.io/v1/namespaces/{INSTALLED}/leases"
ADMISSION = "/apis/admissionregistration.k8s.io/v1"
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


class Permission(NamedTuple):
    """One thing that a program may do."""

    group: str
    resource: str
    verb: str


def permissions(program: str) -> dict[Permission, frozenset[str]]:
    """Return what the chart allows a program, each with the names it is confined to, if any."""
    found: dict[Permission, frozenset[str]] = {}
    for kind in ("ClusterRole", "Role"):
        for (group, resource, names), verbs in EXPECTED.get((kind, program), {}).items():
            for verb in verbs:
                found[Permission(group, resource, verb)] = frozenset(names)
    return found


def used(fake: FakeKubernetes) -> set[tuple[Permission, str]]:
    """Return what was asked of the API server, each with the name of the object, if any."""
    return {_call(method, path, watch=watch) for method, path, watch in fake.calls}


def _call(method: str, path: str, *, watch: bool) -> tuple[Permission, str]:
    parts = path.strip("/").split("/")
    group = parts[1] if parts[0] == "apis" else ""
    rest = parts[3:] if group else parts[2:]
    if rest[0] == "namespaces":
        rest = rest[2:]
    resource, name, sub = (*rest, "", "")[:3]
    verb = _VERBS.get(method) or ("watch" if watch else "get" if name else "list")
    return Permission(group, f"{resource}/{sub}" if sub else resource, verb), name


def judged(
    fake: FakeKubernetes,
    program: str,
    scope: Scope = WHOLE_CLUSTER,
    *,
    elsewhere: Iterable[Permission] = (),
) -> None:
    """Compare what was asked with what is allowed."""
    for path in {path for _, path, _ in fake.calls} if scope.namespaces else ():
        # Only the webhook configurations have no namespace.
        within = path.partition("/namespaces/")[2].partition("/")[0]
        assert within in {INSTALLED, *scope.namespaces} or path.startswith(ADMISSION), path
    allowed, asked = permissions(program), used(fake)
    for permission, name in asked:
        assert permission in allowed, f"{program} may not {permission}"
        confined = allowed[permission]
        # A watch or list of one object names it in a field selector.
        if confined and name:
            assert name in confined, f"{program} may not {permission} {name}"
    assert {permission for permission, _ in asked} | {*elsewhere} == allowed.keys()


@pytest.fixture
async def cluster() -> AsyncIterator[tuple[FakeKubernetes, Client]]:
    """One LosslessRollout for each kind of workload, a held pod and one that is stuck."""
    async with fake_kubernetes() as (fake, client):
        fake.put(f"{ADMISSION}/mutatingwebhookconfigurations/{WEBHOOK_CONFIGURATION}", {})
        fake.put(f"{ADMISSION}/validatingwebhookconfigurations/{WEBHOOK_CONFIGURATION}", {})
        fake.put(
            f"/api/v1/namespaces/{INSTALLED}/secrets/lossless-webhook-tls",
            {"data": {"ca.crt": "Y2E="}},
        )
        suspended = {"state": "Suspended", "cause": "Image", "since": format_time(START + 590)}
        fake.put(f"{ROLLOUTS}/web", raw_rollout() | {"status": {"injection": suspended}})
        for kind, name in (("StatefulSet", "db"), ("DaemonSet", "edge")):
            target = {"kind": kind, "name": name}
            fake.put(f"{ROLLOUTS}/{name}", raw_rollout(name, targetRef=target))
        fake.put(f"{DEPLOYMENTS}/web", raw_deployment())
        fake.put(f"{STATEFUL_SETS}/db", raw_stateful_set())
        fake.put(f"{DAEMON_SETS}/edge", raw_daemon_set())
        fake.put(f"{REPLICA_SETS}/web-old", raw_replica_set("old", 1))
        fake.put(f"{PODS}/held", raw_pod("held", "old", ready=False, gate=None))
        fake.put(f"{PODS}/stuck", stuck("stuck"))
        yield fake, client


SCOPES = pytest.mark.parametrize(
    "scope",
    [
        pytest.param(WHOLE_CLUSTER, id="whole-cluster"),
        pytest.param(Scope((NAMESPACE,)), id="named"),
    ],
)


@SCOPES
async def test_the_controller(cluster: tuple[FakeKubernetes, Client], scope: Scope) -> None:
    """Leads, watches, opens a gate, evicts, writes status and Events, keeps the webhooks."""
    fake, client = cluster
    index, metrics = Index(), ControllerMetrics()
    timing = ElectionTiming(duration=3, renew=1.0, retry=0.05)
    election = Election(LeaseStore(client, INSTALLED, LEASE), "controller-0", timing)
    async with Agents(timeout=0.2) as agents:
        injection = Injection(client, INSTALLED, "Ignore", index.namespaces)
        listener = Listener(agents, lambda _: None)
        reconciler = Reconciler(
            client,
            agents,
            index,
            listener,
            metrics,
            identity="controller-0",
            leading=lambda: True,
            clock=lambda: START + 600,
        )
        options = ControllerOptions(namespace=INSTALLED, identity="controller-0", scope=scope)
        leader = Leader(client, index, reconciler, injection, listener, metrics, options)
        task = asyncio.create_task(election.run(leader.lead))
        try:
            await eventually(lambda: f"{PODS}/stuck" not in fake.objects)
            await eventually(
                lambda: Permission("", "pods/status", "patch") in {p for p, _ in used(fake)}
            )
            missing = permissions("lossless-controller").keys() - {
                # kopf follows the LosslessRollouts; it is not run here.
                Permission(GROUP, PLURAL, "watch")
            }
            await eventually(lambda: {p for p, _ in used(fake)} >= missing)
        finally:
            task.cancel()
            await asyncio.wait({task})

    judged(fake, "lossless-controller", scope, elsewhere=[Permission(GROUP, PLURAL, "watch")])
    assert Key(NAMESPACE, "db") in index.rollouts


@SCOPES
async def test_the_webhook(cluster: tuple[FakeKubernetes, Client], scope: Scope) -> None:
    """Makes its certificate, follows what it must, and looks at the targets of new objects."""
    fake, client = cluster
    async with serving(fake, client, namespace=INSTALLED, scope=scope) as running:
        trust = ssl.create_default_context(cadata=running.material().ca_bundle.decode())
        url = f"https://127.0.0.1:{running.webhook.port}{VALIDATION_PATH}"
        for kind in ("Deployment", "StatefulSet", "DaemonSet"):
            body = json.dumps(review(kind))
            async with running.session.post(
                url, data=body, ssl=trust, server_hostname=NAMES[0]
            ) as answer:
                assert answer.status == 200
        # Somebody takes the certificate away, then everything but an empty Secret.
        path = next(path for path in fake.objects if "lossless-webhook-tls" in path)
        wanted = permissions("lossless-webhook").keys()
        fake.remove(path)
        await eventually(lambda: {p for p, _ in used(fake)} >= wanted)

    judged(fake, "lossless-webhook", scope)


def review(kind: str) -> dict[str, Any]:
    """Return an AdmissionReview of a new LosslessRollout."""
    raw = {"metadata": {"name": "new"}, "spec": {"targetRef": {"kind": kind, "name": "new"}}}
    request = {
        "uid": "1",
        "operation": "CREATE",
        "resource": {"group": GROUP, "resource": PLURAL},
        "namespace": NAMESPACE,
        "object": raw,
    }
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}


async def test_helm_test(cluster: tuple[FakeKubernetes, Client]) -> None:
    """Looks at the API and the Lease, and asks for a review."""
    fake, client = cluster
    fake.warnings = (f"{WARNING_PREFIX}{NO_TARGET_WARNING}",)
    store = LeaseStore(client, INSTALLED, LEASE)
    await store.take(None, "controller-0", 15, START)
    fake.calls.clear()
    asyncio.get_running_loop().call_later(
        0.5, lambda: fake.put(f"{LEASES}/{LEASE}", renewed_lease(fake))
    )
    lines = [line async for line in examine(client, INSTALLED, 10.0, pause=0.05)]

    assert len(lines) == 3
    judged(fake, "lossless-selftest")


def renewed_lease(fake: FakeKubernetes) -> dict[str, Any]:
    """Return the Lease as its holder would write it a moment later."""
    lease = copy.deepcopy(fake.objects[f"{LEASES}/{LEASE}"])
    lease["spec"]["renewTime"] = format_micro_time(START + 2)
    return lease


async def test_the_removal(cluster: tuple[FakeKubernetes, Client]) -> None:
    """Takes the webhooks away and opens gates."""
    fake, client = cluster

    assert await release(client, settle=0) == 2

    judged(fake, "lossless-release")


@pytest.mark.parametrize(
    ("method", "path", "watch", "expected"),
    [
        ("GET", "/api/v1/pods", False, ("", "pods", "list")),
        ("GET", "/api/v1/pods", True, ("", "pods", "watch")),
        ("PATCH", "/api/v1/namespaces/a/pods/b/status", False, ("", "pods/status", "patch")),
        ("GET", "/apis/apps/v1/namespaces/a/deployments/b", False, ("apps", "deployments", "get")),
        ("DELETE", f"{ADMISSION}/x/y", False, ("admissionregistration.k8s.io", "x", "delete")),
    ],
)
def test_a_request_is_a_permission(
    method: str, path: str, expected: tuple[str, str, str], *, watch: bool
) -> None:
    """As an API server's authorizer takes it apart."""
    assert _call(method, path, watch=watch)[0] == expected
