"""Workloads of every kind, read from the API server into one shape."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from lossless.cluster.client import Client
from lossless.cluster.errors import ForbiddenError
from lossless.cluster.workloads import (
    daemon_set_of,
    deployment_of,
    find,
    label_selector_of,
    owned,
    stateful_set_of,
)
from lossless.model.rollout.strategy import Strategy
from lossless.model.targets import Kind, Target
from tests.support.fake_kubernetes import FakeKubernetes, fake_kubernetes
from tests.support.raw_objects import (
    CONTROLLER_REVISIONS,
    DAEMON_SETS,
    DEPLOYMENTS,
    NAMESPACE,
    PODS,
    REPLICA_SETS,
    STATEFUL_SETS,
    owned_by,
    raw_controller_revision,
    raw_daemon_set,
    raw_deployment,
    raw_pod,
    raw_replica_set,
    raw_stateful_set,
)

Kubernetes = tuple[FakeKubernetes, Client]


@pytest.fixture
async def kubernetes() -> AsyncIterator[Kubernetes]:
    """An empty API server."""
    async with fake_kubernetes() as pair:
        yield pair


async def test_a_deployment_is_found_with_its_pods(kubernetes: Kubernetes) -> None:
    """A pod whose ReplicaSet was renamed by a hash collision counts by its owner's uid."""
    fake, client = kubernetes
    adopted, others = raw_pod("b"), raw_pod("c")
    adopted["metadata"]["ownerReferences"][0]["name"] = "web-collision"
    others["metadata"]["ownerReferences"][0] |= {"name": "api-new", "uid": "uid-rs-api"}
    fake.put(f"{DEPLOYMENTS}/web", raw_deployment())
    fake.put(f"{REPLICA_SETS}/web-new", raw_replica_set("new", 2))
    for pod in (raw_pod("a"), adopted, others):
        fake.put(f"{PODS}/{pod['metadata']['name']}", pod)

    found = await find(client, NAMESPACE, Target(Kind.DEPLOYMENT, "web"))

    assert found.workload is not None
    assert found.workload.newest == "web-new"
    assert [pod["metadata"]["name"] for pod in found.pods] == ["a", "b"]
    # The ReplicaSet of its last pods may be gone before they are.
    assert found.belongs(raw_pod("d", "gone"))


async def test_a_stateful_set_is_found_with_its_pods(kubernetes: Kubernetes) -> None:
    """Its pods are its own; one of another owner with the same labels is not."""
    fake, client = kubernetes
    fake.put(f"{STATEFUL_SETS}/db", raw_stateful_set())
    fake.put(f"{PODS}/db-0", {"metadata": owned_by("StatefulSet", "db", "db-new", "db-0")})
    fake.put(f"{PODS}/x-0", {"metadata": owned_by("StatefulSet", "x", "x-new", "x-0")})

    found = await find(client, NAMESPACE, Target(Kind.STATEFUL_SET, "db"))

    assert found.workload is not None
    assert (found.workload.kind, found.workload.newest) == (Kind.STATEFUL_SET, "db-new")
    assert [pod["metadata"]["name"] for pod in found.pods] == ["db-0"]


async def test_a_daemon_set_is_found_with_its_pods(kubernetes: Kubernetes) -> None:
    """Its newest release is that of its ControllerRevision with the highest number."""
    fake, client = kubernetes
    fake.put(f"{DAEMON_SETS}/edge", raw_daemon_set())
    for digest, number in (("nine", 9), ("ten", 10)):
        raw = raw_controller_revision(digest, number)
        fake.put(f"{CONTROLLER_REVISIONS}/edge-{digest}", raw)
    fake.put(f"{PODS}/edge-x", {"metadata": owned_by("DaemonSet", "edge", "nine", "edge-x")})

    found = await find(client, NAMESPACE, Target(Kind.DAEMON_SET, "edge"))

    assert found.workload is not None
    assert (found.workload.newest, found.workload.revision) == ("ten", "10")
    assert [pod["metadata"]["name"] for pod in found.pods] == ["edge-x"]


async def test_pods_of_other_controllers_are_found_by_their_label(kubernetes: Kubernetes) -> None:
    """Whoever made them; there is always such a workload, and its release is nobody's to know."""
    fake, client = kubernetes
    metadata = owned_by("CloneSet", "clone", "clone-1", "clone-x")
    fake.put(f"{PODS}/clone-x", {"metadata": metadata})
    going = metadata | {"name": "clone-y", "deletionTimestamp": "2027-01-15T08:00:00Z"}
    fake.put(f"{PODS}/clone-y", {"metadata": going})
    fake.put(f"{PODS}/b", raw_pod("b", injected=False))

    found = await find(client, NAMESPACE, Target(Kind.POD, "web"))

    assert found.workload is not None
    assert (found.workload.replicas, found.workload.newest) == (1, "")
    assert [pod["metadata"]["name"] for pod in found.pods] == ["clone-x", "clone-y"]


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.POD])
async def test_what_is_not_there_is_not_found(kubernetes: Kubernetes, kind: Kind) -> None:
    """No workload is an answer; no answer is an error."""
    fake, client = kubernetes

    found = await find(client, NAMESPACE, Target(kind, "web"))
    fake.refuse = lambda _method, _path: 403

    assert (found.workload, found.pods, found.belongs(raw_pod("a"))) == (None, (), False)
    with pytest.raises(ForbiddenError):
        await find(client, NAMESPACE, Target(kind, "web"))


def test_the_newest_replica_set_has_the_highest_revision() -> None:
    """Whatever the Deployment's own annotation says: it is written later."""
    deployment = raw_deployment(
        4, minReadySeconds=7, strategy={"rollingUpdate": {"maxSurge": "50%", "maxUnavailable": 1}}
    )
    deployment["metadata"]["annotations"] = {"deployment.kubernetes.io/revision": "9"}

    workload = deployment_of(deployment, [raw_replica_set("nine", 9), raw_replica_set("ten", 10)])

    assert (workload.revision, workload.newest) == ("10", "web-ten")
    assert (workload.replicas, workload.min_ready_seconds) == (4, 7)
    assert workload.strategy == Strategy(max_surge="50%", max_unavailable=1)


@pytest.mark.parametrize(
    ("spec", "replicas", "recreate"),
    [
        pytest.param({"replicas": 0}, 0, False, id="scaled to zero"),
        pytest.param({"replicas": None}, 1, False, id="not said"),
        pytest.param({"strategy": {"type": "Recreate"}}, 3, True, id="Recreate"),
    ],
)
def test_what_a_deployment_does_not_say(
    spec: dict[str, Any], replicas: int, *, recreate: bool
) -> None:
    """Defaults are those of the API; no ReplicaSet is no revision."""
    workload = deployment_of(raw_deployment(**spec), [])

    assert (workload.replicas, workload.strategy.recreate) == (replicas, recreate)
    assert (workload.revision, workload.newest) == ("", "")


@pytest.mark.parametrize(
    ("update", "by_hand", "partition"),
    [
        pytest.param({}, False, 0, id="RollingUpdate"),
        pytest.param({"rollingUpdate": None}, False, 0, id="not said"),
        pytest.param({"rollingUpdate": {"partition": 2}}, False, 2, id="partition"),
        pytest.param({"type": "OnDelete", "rollingUpdate": None}, True, 0, id="OnDelete"),
    ],
)
def test_a_stateful_sets_update_strategy(
    update: dict[str, Any], partition: int, *, by_hand: bool
) -> None:
    """What it leaves alone, and that it paces itself."""
    workload = stateful_set_of(raw_stateful_set(**update))

    assert (workload.by_hand, workload.partition) == (by_hand, partition)
    assert (workload.revision, workload.newest, workload.paced) == ("new", "db-new", False)


@pytest.mark.parametrize("by_hand", [False, True])
def test_a_daemon_sets_update_strategy(*, by_hand: bool) -> None:
    """It counts nodes; before its first ControllerRevision it has no newest release."""
    workload = daemon_set_of(raw_daemon_set(7, type="OnDelete" if by_hand else "RollingUpdate"), [])

    assert (workload.replicas, workload.by_hand, workload.newest) == (7, by_hand, "")


def test_what_is_owned_is_told_by_uid() -> None:
    """A ReplicaSet of a Deployment that was deleted and made anew is not the new one's."""
    sets = [raw_replica_set("new", 2)]

    assert owned(sets, "uid-deployment") == sets
    assert owned(sets, "uid-other") == []


@pytest.mark.parametrize(
    ("selector", "text"),
    [
        pytest.param({"matchLabels": {"a": "b", "c": "d"}}, "a=b,c=d", id="labels"),
        pytest.param(
            {
                "matchExpressions": [
                    {"key": "a", "operator": "In", "values": ["x", "y"]},
                    {"key": "b", "operator": "NotIn", "values": ["z"]},
                    {"key": "c", "operator": "Exists"},
                    {"key": "d", "operator": "DoesNotExist"},
                ]
            },
            "a in (x,y),b notin (z),c,!d",
            id="expressions",
        ),
        pytest.param({}, "", id="nothing"),
    ],
)
def test_a_selector_as_a_list_takes_it(selector: dict[str, Any], text: str) -> None:
    """All four operators of a LabelSelector."""
    assert label_selector_of(selector) == text
