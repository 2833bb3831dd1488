"""Decisions, written: gates, status and Events as an API server receives them."""

from collections.abc import AsyncIterator

import pytest

from lossless.cluster.apply import EVENTS_VERSION, Announcer, evict, set_gate, write_status
from lossless.cluster.client import Client
from lossless.cluster.errors import ConflictError, NotFoundError, ThrottledError
from lossless.cluster.rollout_status import parse_status
from lossless.cluster.watching import Key
from lossless.model.conditions import Reason
from lossless.model.names import GATE
from lossless.model.rollout.announcements import Announcement
from lossless.model.rollout.decision import Evict, SetGate
from lossless.model.status import RolloutPhase, RolloutStatus
from tests.support.fake_kubernetes import FakeKubernetes, fake_kubernetes
from tests.support.raw_objects import NAMESPACE, PODS, ROLLOUTS, START, raw_pod, raw_rollout

KEY = Key(NAMESPACE, "web")
OPEN = SetGate("n", "uid-n", open=True, reason="WithinBudget", message="the rollout may go on")


@pytest.fixture
async def api() -> AsyncIterator[tuple[FakeKubernetes, Client]]:
    """One LosslessRollout and one held pod."""
    async with fake_kubernetes() as (fake, client):
        fake.put(f"{ROLLOUTS}/web", raw_rollout())
        fake.put(f"{PODS}/n", raw_pod("n", ready=False, gate=None))
        yield fake, client


async def test_a_gate_is_one_condition_beside_the_others(
    api: tuple[FakeKubernetes, Client],
) -> None:
    """The kubelet's conditions stay as they are."""
    fake, client = api

    await set_gate(client, NAMESPACE, OPEN, START)
    conditions = {c["type"]: c for c in fake.objects[f"{PODS}/n"]["status"]["conditions"]}

    assert conditions[GATE] == {
        "type": GATE,
        "status": "True",
        "reason": "WithinBudget",
        "message": "the rollout may go on",
        "lastTransitionTime": "2027-01-15T08:00:00Z",
        "lastProbeTime": None,
    }
    assert {"Ready", "ContainersReady"} <= conditions.keys()


@pytest.mark.parametrize(
    ("gate", "error"),
    [
        pytest.param(SetGate("x", "uid-x", open=True, reason="r", message="m"), NotFoundError),
        pytest.param(SetGate("n", "uid-old", open=True, reason="r", message="m"), ConflictError),
    ],
    ids=["the pod is gone", "its name belongs to another"],
)
async def test_a_gate_of_another_pod_is_never_opened(
    api: tuple[FakeKubernetes, Client], gate: SetGate, error: type[Exception]
) -> None:
    """The uid is a precondition."""
    _, client = api

    with pytest.raises(error):
        await set_gate(client, NAMESPACE, gate, START)


async def test_a_status_is_stored_as_it_reads_back(api: tuple[FakeKubernetes, Client]) -> None:
    """By server-side apply on the subresource, for this very object."""
    fake, client = api
    status = RolloutStatus(phase=RolloutPhase.READY, replicas=3, connections=0)

    await write_status(client, KEY, "uid-llr-web", status)

    assert parse_status(fake.objects[f"{ROLLOUTS}/web"]["status"]) == status
    assert fake.writes[-1][:2] == ("PATCH", f"{ROLLOUTS}/web/status")


@pytest.mark.parametrize(
    ("key", "uid", "error"),
    [
        pytest.param(Key(NAMESPACE, "gone"), "uid-llr-web", NotFoundError, id="gone"),
        pytest.param(KEY, "uid-before", ConflictError, id="made anew"),
    ],
)
async def test_a_status_is_not_written_to_another_object(
    api: tuple[FakeKubernetes, Client], key: Key, uid: str, error: type[Exception]
) -> None:
    """What was decided for one object is not said of its successor."""
    _, client = api

    with pytest.raises(error):
        await write_status(client, key, uid, RolloutStatus())


async def test_an_announcement_is_an_event_on_both(api: tuple[FakeKubernetes, Client]) -> None:
    """On the LosslessRollout, and on the pod that drained."""
    fake, client = api
    said = Announcement(Reason.TIMED_OUT, "a released", warning=True, pod=("a", "uid-a"))

    await Announcer(client, "controller-0").announce(KEY, "uid-llr-web", said, START)
    first, second = fake.written("POST", f"/apis/{EVENTS_VERSION}/")

    assert (first["regarding"]["kind"], second["regarding"]["kind"]) == ("LosslessRollout", "Pod")
    assert second["related"]["name"] == "web"
    assert (first["type"], first["reason"], first["note"]) == (
        "Warning",
        "DrainTimedOut",
        "a released",
    )
    assert (first["eventTime"], first["reportingInstance"]) == (
        "2027-01-15T08:00:00.000000Z",
        "controller-0",
    )


async def test_the_same_said_twice_is_one_event(api: tuple[FakeKubernetes, Client]) -> None:
    """Two controllers at once, or a request that was sent twice."""
    fake, client = api
    said = Announcement(Reason.HELD, "waits")

    for instance in ("controller-0", "controller-1"):
        await Announcer(client, instance).announce(KEY, "uid-llr-web", said, START)

    assert len(fake.written("POST", "/events")) == 1


async def test_a_pod_that_never_started_is_evicted(api: tuple[FakeKubernetes, Client]) -> None:
    """That pod and no other of its name, and never past a disruption budget."""
    fake, client = api
    stuck = raw_pod("n", ready=False, gate=None)
    fake.put(f"{PODS}/started", stuck | {"metadata": {"name": "started"}})
    stuck["status"]["phase"] = "Pending"
    fake.put(f"{PODS}/n", stuck)

    with pytest.raises(ConflictError):
        await evict(client, NAMESPACE, Evict("n", "uid-before"))
    with pytest.raises(ThrottledError):
        await evict(client, NAMESPACE, Evict("started", "uid-started"))
    await evict(client, NAMESPACE, Evict("n", "uid-n"))
    with pytest.raises(NotFoundError):
        await evict(client, NAMESPACE, Evict("n", "uid-n"))

    assert f"{PODS}/n" not in fake.objects
