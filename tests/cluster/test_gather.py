"""One LosslessRollout's world, read from an API server and from agents."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from lossless.cluster.client import Client
from lossless.cluster.errors import UnreachableError
from lossless.cluster.gather import Hints, gather
from lossless.cluster.reports import Agents
from lossless.cluster.watching import Key
from lossless.model.phases import Phase
from lossless.model.report import MAX_BYTES, Report, parse_report
from lossless.model.rollout.observation import Departure, Observation, Unknown
from tests.support.fake_agent import FakeAgent, fake_agent
from tests.support.fake_kubernetes import FakeKubernetes, fake_kubernetes
from tests.support.raw_objects import (
    DEPLOYMENTS,
    NAMESPACE,
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

KEY = Key(NAMESPACE, "web")


class Known:
    """What events and agents have told: as much as a test wants."""

    def __init__(
        self,
        hints: Hints | None = None,
        results: Mapping[str, Report] | None = None,
        silent: Mapping[str, Unknown] | None = None,
    ) -> None:
        self._hints = hints or Hints()
        self._results = results or {}
        self._silent = silent or {}
        self.waited: frozenset[str] = frozenset()

    def hints(self, _: Key) -> Hints:
        """Return the test's hints."""
        return self._hints

    def results(self, _: Key) -> Mapping[str, Report]:
        """Return the test's results."""
        return self._results

    def silent(self, _: Key) -> Mapping[str, Unknown]:
        """Return the test's silent agents."""
        return self._silent

    async def told_gone(self, _: Key, uids: frozenset[str]) -> None:
        """Remember what was waited for."""
        self.waited = uids


@dataclass
class World:
    """An API server with one workload, and an agent that answers for any of its pods."""

    fake: FakeKubernetes
    client: Client
    agent: FakeAgent
    agents: Agents

    async def look(self, known: Known | None = None) -> Observation:
        """Gather."""
        return await gather(self.client, self.agents, KEY, known or Known())


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """A Deployment of two revisions, protected."""
    async with (
        fake_kubernetes() as (fake, client),
        fake_agent() as agent,
        Agents(port=agent.port, timeout=5.0) as agents,
    ):
        fake.put(f"{ROLLOUTS}/web", raw_rollout())
        fake.put(f"{DEPLOYMENTS}/web", raw_deployment())
        fake.put(f"{REPLICA_SETS}/web-old", raw_replica_set("old", 1))
        fake.put(f"{REPLICA_SETS}/web-new", raw_replica_set("new", 2))
        fake.put(f"{PODS}/a", raw_pod("a", "old"))
        fake.put(f"{PODS}/n", raw_pod("n", ready=False, gate=None))
        yield World(fake, client, agent, agents)


async def test_the_whole_world_is_seen(world: World) -> None:
    """The LosslessRollout, its Deployment and the pods of both revisions."""
    seen = await world.look()

    assert seen.rollout is not None
    assert seen.workload is not None
    assert seen.workload.newest == "web-new"
    assert {pod.name: pod.revision for pod in seen.pods} == {"a": "web-old", "n": "web-new"}
    assert (seen.owner, seen.strays, seen.departures) == ("", (), ())


async def test_pods_that_only_share_labels_are_not_the_workloads(world: World) -> None:
    """A pod of another owner, or of none, is left alone."""
    world.fake.put(f"{PODS}/lone", raw_pod("lone") | {"metadata": {"labels": {"app": "web"}}})

    assert {pod.name for pod in (await world.look()).pods} == {"a", "n"}


async def test_a_rollout_that_is_gone_leaves_its_labelled_pods(world: World) -> None:
    """They are found by their label."""
    del world.fake.objects[f"{ROLLOUTS}/web"]

    seen = await world.look()

    assert (seen.rollout, seen.pods) == (None, ())
    assert {pod.name for pod in seen.strays} == {"a", "n"}


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param({"targetRef": {"kind": "Job", "name": "web"}}, id="invalid spec"),
        pytest.param({"targetRef": {"kind": "Deployment", "name": "gone"}}, id="no Deployment"),
    ],
)
async def test_without_a_workload_labelled_pods_are_strays(
    world: World, spec: dict[str, Any]
) -> None:
    """Nobody looks after their gates."""
    world.fake.put(f"{ROLLOUTS}/web", raw_rollout(**spec))

    seen = await world.look()

    assert seen.workload is None
    assert {pod.name for pod in seen.strays} == {"a", "n"}


async def test_strays_are_looked_for_only_if_an_event_told_of_one(world: World) -> None:
    """Pods left over from another target; and one of the workload's own is none."""
    stray = raw_pod("s")
    stray["metadata"]["ownerReferences"][0] |= {"name": "api-new", "uid": "uid-api"}
    stray["metadata"]["labels"]["app"] = "api"
    world.fake.put(f"{PODS}/s", stray)

    unaware = await world.look()
    aware = await world.look(Known(Hints(labelled=frozenset({"uid-a", "uid-s"}))))

    assert unaware.strays == ()
    assert [pod.name for pod in aware.strays] == ["s"]


@pytest.mark.parametrize(
    ("other", "owner"),
    [
        pytest.param(raw_rollout("older", created=START - 999), "older", id="an older one"),
        pytest.param(raw_rollout("younger", created=START), "", id="a younger one"),
        pytest.param(raw_rollout("a"), "a", id="equally old: the first name"),
        pytest.param(raw_rollout("z"), "", id="equally old: not the last name"),
        pytest.param(
            raw_rollout(
                "older", created=START - 999, targetRef={"kind": "Deployment", "name": "x"}
            ),
            "",
            id="another target by now",
        ),
        pytest.param(None, "", id="gone by now"),
    ],
)
async def test_the_oldest_owns_the_target(
    world: World, other: dict[str, Any] | None, owner: str
) -> None:
    """What events have told of others is read again."""
    name = "older" if other is None else other["metadata"]["name"]
    if other is not None:
        world.fake.put(f"{ROLLOUTS}/{name}", other)

    seen = await world.look(Known(Hints(rivals=(name,))))

    assert seen.owner == owner


async def test_agents_of_one_node_are_told_apart_by_their_ports(world: World) -> None:
    """On their node's network pods have one address, and each agent has a port of its own."""
    async with fake_agent() as other:
        for name, agent in (("a", world.agent), ("n", other)):
            agent.text = raw_report(name, Phase.DRAINING)
            raw = raw_pod(name, deletion=START + 400, agent_port=agent.port)
            world.fake.put(f"{PODS}/{name}", raw)
        seen = await world.look()

    said = {pod.name: pod.evidence for pod in seen.pods}
    assert [isinstance(said[name], Report) for name in ("a", "n")] == [True, True]


async def test_the_agent_of_a_draining_pod_is_asked(world: World) -> None:
    """Its answer is evidence; pods that serve are not asked."""
    world.fake.put(f"{PODS}/a", raw_pod("a", "old", deletion=START + 400))
    world.agent.text = raw_report("a", Phase.DRAINING)

    seen = await world.look()
    evidence = {pod.name: pod.evidence for pod in seen.pods}

    assert isinstance(evidence["a"], Report)
    assert evidence["n"] is None
    assert world.agent.asked == 1


@pytest.mark.parametrize(
    ("status", "text", "cause"),
    [
        pytest.param(500, "", "HTTP 500", id="an error"),
        pytest.param(302, "", "HTTP 302", id="moved"),
        pytest.param(200, "hello", "Expecting value", id="no report"),
        pytest.param(200, raw_report("b", Phase.DRAINED), "uid-b", id="another pod's report"),
        pytest.param(200, " " * (MAX_BYTES + 1), "at most", id="too long"),
    ],
)
async def test_what_is_no_answer_is_unknown(
    world: World, status: int, text: str, cause: str
) -> None:
    """Unknown has a cause, and is never zero."""
    world.fake.put(f"{PODS}/a", raw_pod("a", "old", deletion=START + 400))
    world.agent.status, world.agent.text = status, text

    seen = await world.look()
    evidence = next(pod.evidence for pod in seen.pods if pod.name == "a")

    assert isinstance(evidence, Unknown)
    assert cause in evidence.cause


@pytest.mark.parametrize(
    ("address", "cause"),
    [
        pytest.param("", "no address", id="no address"),
        pytest.param("::1", "refused", id="IPv6, nobody there"),
    ],
)
async def test_an_agent_that_cannot_be_reached_is_unknown(
    world: World, address: str, cause: str
) -> None:
    """Whatever the network says is a cause in words."""
    pod = raw_pod("a", "old", deletion=START + 400, address=address)
    world.fake.put(f"{PODS}/a", pod)

    seen = await world.look()
    evidence = next(pod.evidence for pod in seen.pods if pod.name == "a")

    assert isinstance(evidence, Unknown)
    assert cause in evidence.cause


async def test_last_words_spare_the_question(world: World) -> None:
    """An agent that has ended cannot be asked any more."""
    said = raw_report("a", Phase.TIMED_OUT)
    world.fake.put(f"{PODS}/a", raw_pod("a", "old", deletion=START + 400, last_words=said))

    seen = await world.look()
    evidence = next(pod.evidence for pod in seen.pods if pod.name == "a")

    assert isinstance(evidence, Report)
    assert (evidence.phase, world.agent.asked) == (Phase.TIMED_OUT, 0)


async def test_what_was_heard_before_spares_the_question(world: World) -> None:
    """The end of the drain was heard between two looks."""
    world.fake.put(f"{PODS}/a", raw_pod("a", "old", deletion=START + 400))
    heard = parse_report(raw_report("a", Phase.DRAINED), uid="uid-a")

    seen = await world.look(Known(results={"uid-a": heard}))

    assert next(pod.evidence for pod in seen.pods if pod.name == "a") == heard
    assert world.agent.asked == 0


async def test_an_agent_that_is_silent_is_not_asked_by_a_look(world: World) -> None:
    """Each question to it would take a second; what it left behind is found all the same."""
    ended = raw_pod("a", "old", deletion=START + 400, last_words=raw_report("a", Phase.DRAINED))
    world.fake.put(f"{PODS}/a", ended)
    world.fake.put(f"{PODS}/b", raw_pod("b", "old", deletion=START + 400))
    silent = {f"uid-{name}": Unknown("no answer in time") for name in "ab"}

    seen = await world.look(Known(silent=silent))
    evidence = {pod.name: pod.evidence for pod in seen.pods}

    assert isinstance(evidence["a"], Report)
    assert evidence["b"] == silent["uid-b"]
    assert world.agent.asked == 0


async def test_what_was_heard_outlasts_a_silent_departure(world: World) -> None:
    """A pod that went without last words, but after its agent had said Drained."""
    heard = parse_report(raw_report("x", Phase.DRAINED), uid="uid-x")
    gone = Departure("x", "uid-x", Unknown("killed"), served=True)

    seen = await world.look(Known(Hints(departures=(gone,)), {"uid-x": heard}))

    assert [departure.evidence for departure in seen.departures] == [heard]


@pytest.mark.parametrize(
    ("injected", "departed"),
    [
        pytest.param(True, [], id="the list is behind"),
        pytest.param(False, ["a"], id="only its label went"),
    ],
)
async def test_a_departure_is_for_a_list_without_the_pod(
    world: World, *, injected: bool, departed: list[str]
) -> None:
    """What events told while a list was read would be forgotten with a look that ignores it."""
    raw = raw_pod("a", "old", deletion=START + 400, injected=injected)
    world.fake.put(f"{PODS}/a", raw)
    gone = Departure("a", "uid-a", Unknown("killed"), served=True)

    seen = await world.look(Known(Hints(departures=(gone,))))

    assert "a" in {pod.name for pod in seen.pods}
    assert [departure.name for departure in seen.departures] == departed


async def test_a_pod_that_drained_and_is_missing_is_waited_for(world: World) -> None:
    """The event that it is gone carries its last words, and may come after the list."""
    rollout = raw_rollout()
    rollout["status"] = {
        "pods": [
            {"name": "x", "uid": "uid-x", "phase": "Draining"},
            {"name": "y", "uid": "uid-y", "phase": "Serving"},
            {"name": "a", "uid": "uid-a", "phase": "Draining"},
        ]
    }
    world.fake.put(f"{ROLLOUTS}/web", rollout)
    known = Known()

    await world.look(known)

    assert known.waited == {"uid-x"}


async def test_a_pod_that_drains_and_is_another_workloads_now_is_not_waited_for(
    world: World,
) -> None:
    """After the target has changed the pod is there for minutes, and each look would wait."""
    stray = raw_pod("s", deletion=START + 400)
    stray["metadata"]["ownerReferences"][0] |= {"name": "api-new", "uid": "uid-api"}
    stray["metadata"]["labels"]["app"] = "api"
    world.fake.put(f"{PODS}/s", stray)
    entry = {"name": "s", "uid": "uid-s", "phase": "Draining"}
    world.fake.put(f"{ROLLOUTS}/web", raw_rollout() | {"status": {"pods": [entry]}})
    known = Known(Hints(labelled=frozenset({"uid-a", "uid-s"})))

    seen = await world.look(known)

    assert [pod.name for pod in seen.strays] == ["s"]
    assert known.waited == frozenset()


async def test_an_answer_that_fails_is_no_observation(world: World) -> None:
    """Nothing may be concluded from what could not be read."""
    world.fake.refuse = lambda _, path: 503 if path.endswith("/pods") else None

    with pytest.raises(UnreachableError):
        await world.look()
