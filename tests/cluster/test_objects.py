"""Raw objects parsed once: what an API server returns becomes what a decision needs."""

from typing import Any

import pytest

from lossless.cluster.objects import (
    belongs,
    claim_of,
    deployment_of,
    label_selector_of,
    last_words,
    owned,
    pod_of,
    rollout_of,
    sighting_of,
    workload_of,
)
from lossless.model.fields import InvalidSpec
from lossless.model.names import (
    AGENT_CONTAINER,
    GATE,
    INCOMPLETE_ANNOTATION,
    UNPROTECTED_ANNOTATION,
)
from lossless.model.observation import Departure, Gate, Unknown
from lossless.model.phases import Phase
from lossless.model.policy import RolloutSpec
from lossless.model.report import Report
from lossless.model.strategy import Strategy
from tests.support.raw_objects import (
    START,
    raw_deployment,
    raw_pod,
    raw_replica_set,
    raw_report,
    raw_rollout,
)


def test_a_pod_is_what_its_object_says() -> None:
    """Labels, owner, gate, readiness and times end up in their fields."""
    pod = pod_of(raw_pod("a"))

    assert (pod.name, pod.uid, pod.replica_set, pod.rollout) == ("a", "uid-a", "web-new", "web")
    assert pod.gated
    assert pod.gate == Gate(open=True, since=START + 5)
    assert (pod.ready, pod.ready_since) == (True, START + 6)
    assert (pod.containers_ready, pod.containers_ready_since) == (True, START + 5)
    assert pod.live
    assert not pod.shut


def test_what_the_webhook_could_not_do_is_read_from_the_pod() -> None:
    """Both annotations are for people, and end up in the status."""
    raw = raw_pod("a")
    raw["metadata"]["annotations"] = {
        UNPROTECTED_ANNOTATION: "db: it keeps its hook",
        INCOMPLETE_ANNOTATION: "spec.close[0]: no volume",
    }
    pod = pod_of(raw)

    assert (pod.unprotected, pod.incomplete) == (
        "db: it keeps its hook",
        "spec.close[0]: no volume",
    )


def test_an_empty_object_is_a_pod_of_which_nothing_is_known() -> None:
    """What is missing is empty, and never an exception."""
    pod = pod_of({})

    assert (pod.rollout, pod.gated, pod.ready, pod.served) == ("", False, False, False)
    assert (sighting_of({}).departure, last_words({})) == (None, None)


def test_a_label_without_an_agent_is_no_injection() -> None:
    """A template may carry the label while the webhook did not answer."""
    raw = raw_pod("a")
    raw["spec"]["initContainers"] = [{"name": "other"}]

    assert pod_of(raw).rollout == ""


def test_when_a_stop_was_asked_follows_from_the_grace_period() -> None:
    """A deletionTimestamp is when the grace period ends."""
    pod = pod_of(raw_pod("a", deletion=START + 400))

    assert (pod.deletion, pod.stop_asked) == (START + 400, START + 80)


@pytest.mark.parametrize(
    ("ready", "since", "served"),
    [
        pytest.param(True, 6, True, id="Ready"),
        pytest.param(False, 0, False, id="never was"),
        pytest.param(False, 2, False, id="the kubelet's first word"),
        pytest.param(False, 90, True, id="not any more"),
    ],
)
def test_whether_a_pod_ever_served_is_seen_in_its_condition(
    since: float, *, ready: bool, served: bool
) -> None:
    """The time of a condition changes with its status only."""
    raw = raw_pod("a", ready=ready)
    (condition,) = (c for c in raw["status"]["conditions"] if c["type"] == "Ready")
    condition["lastTransitionTime"] = f"2027-01-15T08:0{int(since) // 60}:{int(since) % 60:02d}Z"

    assert pod_of(raw).served is served


def test_the_last_words_are_found_in_the_sidecars_status() -> None:
    """A native sidecar is an init container."""
    said = last_words(raw_pod("a", last_words=raw_report("a", Phase.DRAINED)))

    assert isinstance(said, Report)
    assert said.phase is Phase.DRAINED


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        pytest.param("", "without a report", id="nothing"),
        pytest.param("Traceback", "no usable report", id="not a report"),
        pytest.param(raw_report("b", Phase.DRAINED), "no usable report", id="of another pod"),
        pytest.param(raw_report("a", Phase.DRAINING), "while it was Draining", id="no result"),
    ],
)
def test_last_words_that_are_no_result_are_unknown(text: str, cause: str) -> None:
    """They are told from an agent that still runs."""
    said = last_words(raw_pod("a", last_words=text))

    assert isinstance(said, Unknown)
    assert cause in said.cause
    assert last_words(raw_pod("a")) is None


def test_a_sighting_keeps_what_would_be_lost() -> None:
    """Whom to wake, and the last words if the next event says that the pod is gone."""
    seen = sighting_of(raw_pod("a", last_words=raw_report("a", Phase.DRAINED)))

    assert (seen.rollout, seen.deployment) == ("web", "web")
    assert isinstance(seen.departure, Departure)
    assert isinstance(seen.departure.evidence, Report)


@pytest.mark.parametrize(
    ("digest", "owner", "expected"),
    [
        pytest.param("5d4f", "web-5d4f", "web", id="a Deployment's pod"),
        pytest.param("5d4f", "my-web-5d4f", "my-web", id="a name with a dash"),
        pytest.param("5d4f", "web", "", id="a ReplicaSet of its own"),
        pytest.param("", "web-5d4f", "", id="no hash"),
    ],
)
def test_a_pods_deployment_follows_from_its_owners_name(
    digest: str, owner: str, expected: str
) -> None:
    """Also when the ReplicaSet is gone."""
    raw = raw_pod("a", digest)
    raw["metadata"]["ownerReferences"][0]["name"] = owner

    assert deployment_of(raw) == expected


def test_a_pod_belongs_by_its_owner_or_by_its_owners_name() -> None:
    """A ReplicaSet that was renamed by a hash collision counts by its uid."""
    mine, adopted, others = raw_pod("a"), raw_pod("b"), raw_pod("c")
    adopted["metadata"]["ownerReferences"][0]["name"] = "web-collision"
    others["metadata"]["ownerReferences"][0] |= {"name": "api-new", "uid": "uid-rs-api"}
    sets = [raw_replica_set("new", 2)]

    assert [belongs(raw, "web", sets) for raw in (mine, adopted, others)] == [True, True, False]
    assert owned(sets, "uid-deployment") == sets
    assert owned(sets, "uid-other") == []


def test_the_newest_replica_set_has_the_highest_revision() -> None:
    """Whatever the Deployment's own annotation says: it is written later."""
    deployment = raw_deployment(
        4, minReadySeconds=7, strategy={"rollingUpdate": {"maxSurge": "50%", "maxUnavailable": 1}}
    )
    deployment["metadata"]["annotations"] = {"deployment.kubernetes.io/revision": "9"}

    workload = workload_of(deployment, [raw_replica_set("nine", 9), raw_replica_set("ten", 10)])

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
    workload = workload_of(raw_deployment(**spec), [])

    assert (workload.replicas, workload.strategy.recreate) == (replicas, recreate)
    assert (workload.revision, workload.newest) == ("", "")


def test_a_rollouts_spec_is_valid_or_says_why_not() -> None:
    """An invalid spec is a value."""
    good, bad = rollout_of(raw_rollout()), rollout_of(raw_rollout(targetRef={"kind": "Job"}))

    assert good is not None
    assert isinstance(good.spec, RolloutSpec)
    assert bad is not None
    assert isinstance(bad.spec, InvalidSpec)


def test_what_is_being_deleted_is_as_good_as_gone() -> None:
    """It owns nothing and claims nothing."""
    raw = raw_rollout()
    raw["metadata"]["deletionTimestamp"] = "2027-01-15T08:00:00Z"

    assert rollout_of(raw) is None
    assert claim_of(raw).deployment == ""


@pytest.mark.parametrize("spec", [None, {}, {"targetRef": []}, {"targetRef": {"kind": "Job"}}])
def test_a_claim_on_nothing(spec: object) -> None:
    """A target that cannot be understood claims no Deployment."""
    assert claim_of(raw_rollout() | {"spec": spec}).deployment == ""


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


def test_the_names_of_this_test_are_the_products() -> None:
    """The builders speak of the same agent and the same gate as the code."""
    spec = raw_pod("a")["spec"]

    assert spec["initContainers"][0]["name"] == AGENT_CONTAINER
    assert spec["readinessGates"][0]["conditionType"] == GATE
