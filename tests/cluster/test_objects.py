"""Raw objects parsed once: what an API server returns becomes what a decision needs."""

import pytest

from lossless.cluster.client import Raw
from lossless.cluster.objects import (
    claim_of,
    last_words,
    pod_event_summary_of,
    pod_of,
    rollout_of,
)
from lossless.cluster.timestamps import format_time
from lossless.model.fields import InvalidSpec
from lossless.model.names import (
    AGENT_CONTAINER,
    GATE,
    INCOMPLETE_ANNOTATION,
    UNPROTECTED_ANNOTATION,
)
from lossless.model.phases import Phase
from lossless.model.policy import RolloutSpec
from lossless.model.report import Report
from lossless.model.rollout.observation import Departure, Endpoint, Gate, Unknown
from lossless.model.targets import Kind, Target
from tests.support.raw_objects import (
    START,
    owned_by,
    raw_pod,
    raw_report,
    raw_rollout,
)


def test_a_pod_is_what_its_object_says() -> None:
    """Labels, owner, gate, readiness and times end up in their fields."""
    pod = pod_of(raw_pod("a"))

    assert (pod.name, pod.uid, pod.revision, pod.rollout) == ("a", "uid-a", "web-new", "web")
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


@pytest.mark.parametrize(
    ("kind", "name", "revision"),
    [("StatefulSet", "db", "db-6f9d"), ("DaemonSet", "edge", "7c5b")],
)
def test_a_pod_without_a_replica_set_is_of_the_revision_that_its_label_names(
    kind: str, name: str, revision: str
) -> None:
    """StatefulSet and DaemonSet own their pods themselves, and label them."""
    raw = raw_pod("a") | {"metadata": owned_by(kind, name, revision)}

    assert pod_of(raw).revision == revision
    assert pod_event_summary_of(raw).creator == Target(Kind(kind), name)


def test_an_empty_object_is_a_pod_of_which_nothing_is_known() -> None:
    """What is missing is empty, and never an exception."""
    pod = pod_of({})

    assert (pod.rollout, pod.gated, pod.ready, pod.served) == ("", False, False, False)
    assert (pod_event_summary_of({}).departure, last_words({})) == (None, None)


def test_a_label_without_an_agent_is_no_injection() -> None:
    """A template may carry the label while the webhook did not answer."""
    raw = raw_pod("a")
    raw["spec"]["initContainers"] = [{"name": "other"}]

    assert pod_of(raw).rollout == ""


@pytest.mark.parametrize(
    ("ports", "expected"),
    [
        pytest.param([{"name": "lossless", "containerPort": 20080}], 20080, id="declared"),
        pytest.param([{"name": "http", "containerPort": 80}], None, id="another's name"),
        pytest.param([{"name": "lossless", "containerPort": "x"}], None, id="no number"),
        pytest.param(None, None, id="none"),
    ],
)
def test_where_its_agent_listens_is_declared_by_its_container(
    ports: object, expected: int | None
) -> None:
    """On its node's network each pod's agent has a port of its own."""
    raw = raw_pod("a", address="10.0.0.1")
    raw["spec"]["initContainers"][0]["ports"] = ports

    assert pod_of(raw).endpoint == Endpoint("10.0.0.1", expected)


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


def condition(kind: str, at: float, *, value: bool = True) -> Raw:
    """Return a pod's condition."""
    status = "True" if value else "False"
    return {"type": kind, "status": status, "lastTransitionTime": format_time(at)}


@pytest.mark.parametrize(
    ("status", "due"),
    [
        pytest.param({}, 0.0, id="nobody has said"),
        pytest.param(
            {"conditions": [condition("PodScheduled", START + 300)]}, START + 300, id="its node"
        ),
        pytest.param(
            {
                "conditions": [
                    condition("PodScheduled", START + 1),
                    condition("PodReadyToStartContainers", START + 40),
                ]
            },
            START + 40,
            id="its network",
        ),
        pytest.param(
            {"conditions": [condition("PodScheduled", START + 9, value=False)]}, 0.0, id="no node"
        ),
        pytest.param(
            {
                "initContainerStatuses": [
                    {
                        "name": "migrate",
                        "state": {"terminated": {"finishedAt": format_time(START + 99)}},
                    },
                    {"name": "mesh", "state": {"running": {"startedAt": format_time(START + 98)}}},
                    {
                        "name": "later",
                        "state": {"terminated": {"finishedAt": format_time(START + 500)}},
                    },
                ]
            },
            START + 99,
            id="what starts before it",
        ),
    ],
)
def test_when_an_agent_was_due_is_what_the_status_tells(status: Raw, due: float) -> None:
    """Since then nothing but the agent keeps the agent from starting."""
    raw = raw_pod("a")
    names = ("migrate", "mesh", AGENT_CONTAINER, "later")
    raw["spec"]["initContainers"] = [{"name": name} for name in names]
    raw["status"] = status

    assert pod_of(raw).agent.due == due


def test_an_agents_last_run_is_read() -> None:
    """How long it lasted, and when it ended."""
    raw = raw_pod("a")
    ended = {"startedAt": format_time(START + 5), "finishedAt": format_time(START + 65)}
    raw["status"]["initContainerStatuses"] = [
        {
            "name": AGENT_CONTAINER,
            "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": ended},
        }
    ]
    pod = pod_of(raw)

    assert (pod.agent.waits, pod.agent.ran) == ("CrashLoopBackOff", 60.0)
    assert pod.agent.ended == START + 65


@pytest.mark.parametrize(
    ("initialized", "containers", "begun"),
    [
        pytest.param(False, [], False, id="init containers"),
        pytest.param(True, [], True, id="initialized"),
        pytest.param(False, [{"state": {"waiting": {}}}], False, id="waits for its first start"),
        pytest.param(False, [{"state": {"running": {}}}], True, id="runs"),
        pytest.param(
            False,
            [{"state": {"waiting": {}}}, {"state": {"waiting": {}, "running": None}}],
            False,
            id="two that wait",
        ),
        pytest.param(
            False,
            [{"state": {"waiting": {}}, "lastState": {"terminated": {}}}],
            True,
            id="waits for its restart",
        ),
    ],
)
def test_a_pod_has_begun_once_a_container_of_the_users_has_run(
    containers: list[Raw], *, initialized: bool, begun: bool
) -> None:
    """The condition may go back while the agent and all other containers crash at once."""
    raw = raw_pod("a")
    raw["status"]["conditions"] = [condition("Initialized", START, value=initialized)]
    raw["status"]["containerStatuses"] = containers

    assert pod_of(raw).begun == begun


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


def test_a_pod_event_summary_keeps_what_would_be_lost() -> None:
    """Whom to wake, and the last words if the next event says that the pod is gone."""
    seen = pod_event_summary_of(raw_pod("a", last_words=raw_report("a", Phase.DRAINED)))

    assert (seen.rollout, seen.creator) == ("web", Target(Kind.DEPLOYMENT, "web"))
    assert isinstance(seen.departure, Departure)
    assert isinstance(seen.departure.evidence, Report)


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
    assert claim_of(raw).target is None


@pytest.mark.parametrize("spec", [None, {}, {"targetRef": []}, {"targetRef": {"kind": "Job"}}])
def test_a_claim_on_nothing(spec: object) -> None:
    """A target that cannot be understood claims no Deployment."""
    assert claim_of(raw_rollout() | {"spec": spec}).target is None


@pytest.mark.parametrize(
    ("suspension", "unpullable"),
    [
        pytest.param(None, False, id="none"),
        pytest.param({"cause": "Image"}, True, id="image"),
        pytest.param({"cause": "Crash"}, False, id="crash"),
        pytest.param({"cause": "Elsewhere"}, False, id="only heard of others"),
        pytest.param({"cause": "Image", "state": "Trying"}, False, id="it tries again"),
    ],
)
def test_who_cannot_pull_the_image_says_so(suspension: Raw | None, *, unpullable: bool) -> None:
    """Others conclude from it; an attempt that nobody makes yet is no failure."""
    raw = raw_rollout()
    if suspension is not None:
        since = {"since": format_time(START), "reason": "so", "attempts": 0}
        raw["status"] = {"injection": since | suspension}

    assert claim_of(raw).unpullable == unpullable


def test_the_names_of_this_test_are_the_products() -> None:
    """The builders speak of the same agent and the same gate as the code."""
    spec = raw_pod("a")["spec"]

    assert spec["initContainers"][0]["name"] == AGENT_CONTAINER
    assert spec["readinessGates"][0]["conditionType"] == GATE
