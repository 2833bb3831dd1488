"""The leader at work, against an API server in memory and an agent: from an event to a gate."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Any

import pytest

from lossless.cluster.objects import claim_of, pod_event_summary_of
from lossless.cluster.reports import Agents
from lossless.cluster.timestamps import format_time
from lossless.cluster.watching import Change, Changed, Key
from lossless.controller.index import Index
from lossless.controller.injection import Injection
from lossless.controller.leader import Leader
from lossless.controller.listener import Listener
from lossless.controller.metrics import ControllerMetrics
from lossless.controller.options import ControllerOptions
from lossless.controller.reconciler import Reconciler
from lossless.model.names import AGENT_CONTAINER, API_VERSION, GATE
from lossless.model.phases import Phase
from lossless.model.rollout.decision import LOOK_MISSING
from lossless.model.scope import Scope
from tests.support.fake_agent import FakeAgent, fake_agent
from tests.support.fake_kubernetes import FakeKubernetes, fake_kubernetes
from tests.support.raw_objects import (
    DEPLOYMENTS,
    PODS,
    REPLICA_SETS,
    ROLLOUTS,
    START,
    raw_deployment,
    raw_pod,
    raw_replica_set,
    raw_report,
    raw_rollout,
)
from tests.support.waiting import eventually

CONFIGURATION = "mutatingwebhookconfigurations"
#: In the controller's future: a drain in these tests never runs out of time.
LATER = START + 900


@dataclass
class Work:
    """A leader at work and its surroundings."""

    fake: FakeKubernetes
    agent: FakeAgent
    leader: Leader
    reconciler: Reconciler
    index: Index
    metrics: ControllerMetrics
    leading: list[bool]

    def gate(self, pod: str) -> str | None:
        """Return the status of a pod's gate."""
        conditions = self.fake.objects[f"{PODS}/{pod}"]["status"]["conditions"]
        return next((str(c["status"]) for c in conditions if c["type"] == GATE), None)

    def status(self, name: str = "web") -> dict[str, Any]:
        """Return the stored status."""
        stored: dict[str, Any] = self.fake.objects[f"{ROLLOUTS}/{name}"].get("status") or {}
        return stored

    def events(self) -> list[str]:
        """Return the reasons of Events on LosslessRollouts."""
        made = self.fake.written("POST", "/events")
        return [e["reason"] for e in made if e["regarding"]["kind"] == "LosslessRollout"]

    def value(self, name: str, **labels: str) -> float:
        """Return a metric's value; 0 if there is none."""
        return self.metrics.registry.get_sample_value(name, labels) or 0.0


@pytest.fixture
async def work(request: pytest.FixtureRequest) -> AsyncIterator[Work]:
    """Three old pods serve, and everything is in its place; the parameter changes options."""
    changes: dict[str, Any] = {"resync": 60.0} | getattr(request, "param", {})
    async with (
        fake_kubernetes() as (fake, client),
        fake_agent() as agent,
        Agents(port=agent.port, timeout=5.0) as agents,
    ):
        fake.put(f"{ROLLOUTS}/web", raw_rollout())
        fake.put(f"{DEPLOYMENTS}/web", raw_deployment())
        fake.put(f"{REPLICA_SETS}/web-old", raw_replica_set("old", 1))
        for name in "abc":
            fake.put(f"{PODS}/{name}", raw_pod(name, "old"))
        index, metrics = Index(), ControllerMetrics()
        injection = Injection(client, "lossless", "Ignore", index.namespaces)
        leading = [True]
        made: list[Leader] = []

        def wake(keys: Iterable[Key]) -> None:
            made[0].wake(keys)

        listener = Listener(agents, wake, interval=0.02)
        reconciler = Reconciler(
            client,
            agents,
            index,
            listener,
            metrics,
            identity="controller-0",
            leading=lambda: leading[0],
            clock=lambda: START + 600,
        )
        options = ControllerOptions(namespace="lossless", identity="controller-0", **changes)
        made.append(Leader(client, index, reconciler, injection, listener, metrics, options))
        task = asyncio.create_task(made[0].lead())
        yield Work(fake, agent, made[0], reconciler, index, metrics, leading)
        task.cancel()
        await asyncio.wait({task})


async def settled(work: Work) -> None:
    """Wait until all there is was told of and looked at."""
    await eventually(lambda: work.leader.synced() and len(work.reconciler.views) == 1)


async def rolling(work: Work) -> None:
    """Begin a rollout and wait until the first victim drains and the next pod is held."""
    await eventually(lambda: work.status().get("phase") == "Ready")
    work.fake.put(f"{REPLICA_SETS}/web-new", raw_replica_set("new", 2))
    work.fake.put(f"{PODS}/n", raw_pod("n", ready=False, gate=None))
    await eventually(lambda: work.gate("n") == "True")
    work.agent.text = raw_report("a", Phase.DRAINING)
    work.fake.put(f"{PODS}/n", raw_pod("n"))
    work.fake.put(f"{PODS}/a", raw_pod("a", "old", deletion=LATER))
    work.fake.put(f"{PODS}/m", raw_pod("m", ready=False, gate=None))
    await eventually(lambda: work.gate("m") == "False")


async def test_a_rollout_waits_for_its_victim(work: Work) -> None:
    """The first gate opens at once, the next only when the drain has ended."""
    await rolling(work)
    await eventually(lambda: work.status().get("held") == 1)
    held = work.status()
    work.agent.text = raw_report("a", Phase.DRAINED)
    await eventually(lambda: work.gate("m") == "True")
    await eventually(lambda: "Drained" in work.events())

    assert work.status()["lastRollout"]["drained"] == 1
    assert (held["phase"], held["draining"], held["connections"]) == ("Progressing", 1, 1)
    assert {"RolloutStarted", "DrainStarted", "Held"} <= {*work.events()}
    assert work.value("lossless_drains_total", namespace="shop", rollout="web", result="Drained")
    assert work.value("lossless_event_to_gate_seconds_count") == 2


async def test_while_a_drain_goes_on_nothing_is_listed(work: Work) -> None:
    """Its agent is asked; the end of the drain is acted on after a read of its own."""
    await rolling(work)
    await eventually(lambda: work.status().get("held") == 1)
    await eventually(lambda: len(work.reconciler.views) == 1)
    listed = work.fake.requests.count(f"GET {PODS}")
    asked = work.agent.asked
    for _ in range(3):
        await work.reconciler.look(Key("shop", "web"), 0.0)
    assert work.fake.requests.count(f"GET {PODS}") == listed
    assert work.agent.asked >= asked + 3

    work.agent.text = raw_report("a", Phase.DRAINED)
    await eventually(lambda: work.gate("m") == "True")
    assert work.fake.requests.count(f"GET {PODS}") > listed


async def test_last_words_are_enough(work: Work) -> None:
    """The agent cannot be reached, and the pod is gone right after its last event."""
    await rolling(work)
    work.agent.status = 500
    said = raw_report("a", Phase.DRAINED)
    work.fake.put(f"{PODS}/a", raw_pod("a", "old", deletion=LATER, last_words=said))
    work.fake.remove(f"{PODS}/a")

    await eventually(lambda: work.gate("m") == "True")
    await eventually(lambda: work.status()["lastRollout"]["drained"] == 1)
    assert work.status()["lastRollout"]["lost"] == 0


async def test_last_words_outlast_a_list_that_is_behind(work: Work) -> None:
    """The pod's last event was heard while a list that still holds the pod was read."""
    await rolling(work)
    work.agent.status = 500
    said = raw_report("a", Phase.DRAINED)
    gone = pod_event_summary_of(raw_pod("a", "old", deletion=LATER, last_words=said))
    work.leader.wake(work.index.saw(Changed(Change.DELETED, Key("shop", "a"), gone)))
    await eventually(lambda: "AgentUnreachable" in work.events())
    behind = work.gate("m")

    del work.fake.objects[f"{PODS}/a"]
    work.leader.wake([Key("shop", "web")])

    await eventually(lambda: work.gate("m") == "True")
    await eventually(lambda: work.status()["lastRollout"]["drained"] == 1)
    assert work.status()["lastRollout"]["lost"] == 0
    assert behind == "False"


async def test_a_pod_that_vanishes_is_lost_and_holds_nobody(work: Work) -> None:
    """Force-deleted, or gone with its node."""
    await rolling(work)
    work.fake.remove(f"{PODS}/a")

    await eventually(lambda: work.gate("m") == "True")
    await eventually(lambda: "PodLost" in work.events())
    assert work.status()["lastRollout"]["lost"] == 1


async def test_a_deleted_rollout_lets_go_of_its_pods(work: Work) -> None:
    """Whoever deletes it wants its pods back."""
    await rolling(work)
    work.fake.remove(f"{ROLLOUTS}/web")
    work.leader.wake(work.index.remove(Key("shop", "web")))

    await eventually(lambda: work.gate("m") == "True")


async def test_pods_of_a_rollout_that_is_long_gone_are_found_by_their_label(work: Work) -> None:
    """Nothing else tells of them when a leader starts."""
    pod = raw_pod("s", ready=False, gate=None)
    pod["metadata"]["labels"]["lossless.dev/rollout"] = "before"
    pod["metadata"]["ownerReferences"] = []
    work.fake.put(f"{PODS}/s", pod)

    await eventually(lambda: work.gate("s") == "True")


@pytest.mark.parametrize("work", [{"resync": 1.0}], indirect=True)
async def test_what_no_event_told_is_found_by_the_next_full_look(work: Work) -> None:
    """A LosslessRollout that nobody announced is looked at within a resync."""
    await eventually(lambda: work.status().get("phase") == "Ready")
    work.fake.put(f"{DEPLOYMENTS}/api", raw_deployment() | {"metadata": {"name": "api"}})
    late = raw_rollout("late", targetRef={"kind": "Deployment", "name": "api"})
    work.fake.put(f"{ROLLOUTS}/late", late)

    await eventually(lambda: bool(work.status("late")))


@pytest.mark.parametrize("work", [{"resync": 1.0}], indirect=True)
async def test_one_that_goes_without_an_event_leaves_no_series(work: Work) -> None:
    """Not even if no pod of its own is there to tell."""
    name = "lossless_rollout_phase"
    labels = {"namespace": "shop", "rollout": "lone", "phase": "Degraded"}
    target = {"kind": "Deployment", "name": "none"}
    work.fake.put(f"{ROLLOUTS}/lone", raw_rollout("lone", targetRef=target))
    await eventually(lambda: work.value(name, **labels) == 1.0)
    work.fake.remove(f"{ROLLOUTS}/lone")

    await eventually(lambda: work.metrics.registry.get_sample_value(name, labels) is None)


async def test_a_release_wakes_without_a_pod(work: Work) -> None:
    """A changed Deployment is looked at; one whose status changed is not."""
    await settled(work)
    asked = len(work.fake.requests)
    same = raw_deployment() | {"status": {"readyReplicas": 2}}
    work.fake.put(f"{DEPLOYMENTS}/web", same)
    await asyncio.sleep(0.1)
    quiet = [r for r in work.fake.requests[asked:] if "replicasets" in r]
    scaled = raw_deployment(5)
    scaled["metadata"]["generation"] = 2
    work.fake.put(f"{DEPLOYMENTS}/web", scaled)

    await eventually(lambda: "replicasets" in " ".join(work.fake.requests[asked:]))
    assert quiet == []


async def test_a_pod_that_comes_without_an_agent_is_found_while_pods_are_missing(
    work: Work,
) -> None:
    """No event tells of it: the webhook is down, and somebody scales up."""
    await settled(work)
    scaled = raw_deployment(4)
    scaled["metadata"]["generation"] = 2
    work.fake.put(f"{DEPLOYMENTS}/web", scaled)
    await eventually(lambda: len(work.reconciler.views) == 0)

    early = await work.reconciler.look(Key("shop", "web"), 0.0)
    work.fake.put(f"{PODS}/z", raw_pod("z", "old", injected=False, gate=None))
    late = await work.reconciler.look(Key("shop", "web"), 0.0)

    assert (early, late) == (LOOK_MISSING, None)
    (injected,) = [c for c in work.status()["conditions"] if c["type"] == "Injected"]
    assert injected["status"] == "False"
    assert injected["message"].startswith("1 of 4 pods have no agent")


async def test_one_that_always_fails_does_not_stop_the_others(work: Work) -> None:
    """It is retried with backoff, and counted."""
    work.fake.refuse = lambda _, path: 500 if path.endswith("losslessrollouts/bad") else None
    bad = raw_rollout("bad", targetRef={"kind": "Deployment", "name": "api"})
    work.fake.put(f"{ROLLOUTS}/bad", bad)
    work.leader.wake({Key("shop", "bad"), Key("shop", "web")})

    await eventually(lambda: work.status().get("phase") == "Ready")
    await eventually(lambda: work.value("lossless_reconcile_seconds_count", result="failed") > 0)


async def test_a_gate_that_is_refused_keeps_no_other_from_opening(work: Work) -> None:
    """Nor the status from being written; it is tried again."""
    refused = f"{PODS}/n/status"
    work.fake.refuse = lambda method, path: 500 if (method, path) == ("PATCH", refused) else None
    for name in "no":
        work.fake.put(f"{PODS}/{name}", raw_pod(name, "old", ready=False, gate=None))

    await eventually(lambda: work.gate("o") == "True")
    await eventually(lambda: work.status().get("replicas") == 5)
    assert work.gate("n") is None
    work.fake.refuse = lambda _method, _path: None
    await eventually(lambda: work.gate("n") == "True")


async def test_nothing_is_written_by_one_that_leads_no_more(work: Work) -> None:
    """Between what it decided and what it writes another may have begun."""
    await settled(work)
    work.leading[0] = False
    written = len(work.fake.writes)
    work.fake.put(f"{PODS}/n", raw_pod("n", "old", ready=False, gate=None))
    await asyncio.sleep(0.2)

    assert len(work.fake.writes) == written


async def test_the_webhook_is_never_taken_away_for_want_of_a_list(work: Work) -> None:
    """A new leader knows which namespaces there are before it says so."""
    await eventually(work.leader.synced)
    await eventually(lambda: any(CONFIGURATION in request for request in work.fake.requests))
    asked = work.fake.requests

    listed = asked.index(f"GET /apis/{API_VERSION}/losslessrollouts")
    assert listed < next(at for at, request in enumerate(asked) if CONFIGURATION in request)


def rollout_in(work: Work, namespace: str) -> str:
    """Store a LosslessRollout for a Deployment ``web`` in a namespace and return its path."""
    raw = raw_rollout()
    raw["metadata"]["namespace"] = namespace
    path = f"/apis/{API_VERSION}/namespaces/{namespace}/losslessrollouts/web"
    work.fake.put(path, raw)
    return path


NAMED = {"scope": Scope(("shop", "bank")), "resync": 1.0}


@pytest.mark.parametrize("work", [NAMED], indirect=True)
async def test_only_named_namespaces_are_served(work: Work) -> None:
    """A LosslessRollout elsewhere is neither listed nor written to, nor are its pods seen."""
    elsewhere, bank = rollout_in(work, "elsewhere"), rollout_in(work, "bank")

    await eventually(lambda: work.status().get("phase") == "Ready")
    await eventually(lambda: "status" in work.fake.objects[bank])
    assert work.index.namespaces() == {"shop", "bank"}
    assert not [request for request in work.fake.requests if "elsewhere" in request]
    assert "status" not in work.fake.objects[elsewhere]


@pytest.mark.parametrize("work", [NAMED], indirect=True)
async def test_a_named_namespace_that_refuses_stops_no_other(work: Work) -> None:
    """Whoever deletes a namespace, with the Role in it, does not end the work in the others."""
    bank = rollout_in(work, "bank")
    await eventually(lambda: work.index.namespaces() == {"shop", "bank"})
    work.fake.refuse = lambda _, path: 403 if "/bank/" in path else None
    listings = work.fake.requests.count(f"GET {bank.rpartition('/')[0]}")
    work.fake.put(f"{PODS}/n", raw_pod("n", "old", ready=False, gate=None))

    await eventually(lambda: work.gate("n") == "True")
    await eventually(lambda: work.fake.requests.count(f"GET {bank.rpartition('/')[0]}") > listings)
    assert (work.leader.synced(), work.leader.unhealthy_reason()) == (True, "")
    assert work.index.namespaces() == {"shop", "bank"}


@pytest.mark.parametrize("work", [NAMED], indirect=True)
async def test_one_that_is_made_during_a_list_is_not_forgotten(work: Work) -> None:
    """An event tells of it when its namespace has been listed, and another's is being."""
    bank = rollout_in(work, "bank").rpartition("/")[0]
    made: list[Key] = []

    def told(method: str, path: str) -> int | None:
        if (method, path) == ("GET", bank):
            made.append(Key("shop", f"new-{len(made)}"))
            work.index.put(made[-1], claim_of(raw_rollout(made[-1].name)))
        return None

    await eventually(lambda: work.index.namespaces() == {"shop", "bank"})
    work.fake.refuse = told
    # The next list ends by looking at the one that no event has told of.
    late = rollout_in(work, "bank").removesuffix("web") + "late"
    work.fake.put(late, raw_rollout("late") | {"metadata": {"namespace": "bank"}})
    await eventually(lambda: Key("bank", "late") in work.index.rollouts)

    assert made[-1] in work.index.rollouts


async def test_the_probe_is_content_while_all_is_well(work: Work) -> None:
    """And says so only when everything was seen once."""
    await eventually(work.leader.synced)

    assert work.leader.unhealthy_reason() == ""


def stuck(name: str) -> dict[str, Any]:
    """Return a pod whose agent's image cannot be pulled."""
    raw = raw_pod(name, ready=False, containers_ready=False, gate=None)
    raw["metadata"]["creationTimestamp"] = format_time(START + 500)
    waiting = {"reason": "ImagePullBackOff", "message": "not found"}
    raw["status"] |= {
        "phase": "Pending",
        "initContainerStatuses": [{"name": AGENT_CONTAINER, "state": {"waiting": waiting}}],
    }
    return raw


async def test_an_agent_that_does_not_start_suspends_injection(work: Work) -> None:
    """Status, Event and metric say so; the webhook reads it there."""
    work.fake.put(f"{REPLICA_SETS}/web-new", raw_replica_set("new", 2))
    work.fake.put(f"{PODS}/n", stuck("n"))

    await eventually(lambda: "injection" in work.status())
    await eventually(lambda: "InjectionSuspended" in work.events())

    assert work.status()["injection"]["state"] == "Suspended"
    assert work.value("lossless_injection_suspended", namespace="shop", rollout="web") == 1
    assert f"{PODS}/n" in work.fake.objects


async def test_a_pod_that_never_started_is_made_anew(work: Work) -> None:
    """Once the webhooks have heard; whoever has started is left alone."""
    suspended = {
        "state": "Suspended",
        "since": format_time(START + 590),
        "cause": "Image",
        "reason": "the agent of n does not start",
        "attempts": 0,
    }
    work.fake.put(f"{ROLLOUTS}/web", raw_rollout() | {"status": {"injection": suspended}})
    work.fake.put(f"{REPLICA_SETS}/web-new", raw_replica_set("new", 2))
    work.fake.put(f"{PODS}/n", stuck("n"))

    await eventually(lambda: f"{PODS}/n" not in work.fake.objects)
    await eventually(lambda: "StuckPodReplaced" in work.events())

    assert work.value("lossless_stuck_pods_replaced_total", namespace="shop", rollout="web") == 1
    assert {path for path in work.fake.objects if path.startswith(f"{PODS}/")} == {
        f"{PODS}/{name}" for name in "abc"
    }
