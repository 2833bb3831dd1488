"""Every review is answered, and every answer lets the pod through."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossless.cluster.rollout_status import status_document
from lossless.model.names import GATE, ROLLOUT_LABEL
from lossless.model.status import Cause, RolloutStatus, Suspension
from lossless.model.targets import Kind, TargetRef
from lossless.webhook.owner import AdmissionRollout, parse_rollout
from lossless.webhook.review import (
    MOST_PARTS,
    Context,
    MalformedReviewError,
    Result,
    ReviewAnswer,
    answer,
    parse_review,
)
from tests.injection.pods import (
    SETTINGS,
    Raw,
    applied,
    container,
    injected,
    patch_in,
    pod,
    review,
    rollout,
    spec,
)
from tests.support.spoiling import paths, spoiled

CONTEXT = Context(rollouts=(rollout(),), leader=True, agent=SETTINGS)


def asked(raw: Raw, context: Context = CONTEXT) -> ReviewAnswer:
    """Return the answer to an AdmissionReview."""
    return answer(parse_review(json.dumps(raw).encode()), context)


def test_a_pod_of_a_protected_deployment_is_injected() -> None:
    """The patch in the answer is what injection decides, and the uid is the request's."""
    answered = asked(review(pod()))

    response = answered.body["response"]
    assert (response["uid"], response["allowed"]) == ("7a3f", True)
    assert applied(pod(), patch_in(answered.body)) == injected(pod())
    assert answered.result is Result.INJECTED
    assert (answered.namespace, answered.workload, answered.rollout) == (
        "shop",
        "Deployment web",
        "web",
    )


def test_a_dry_run_is_answered_alike() -> None:
    """Admission has no side effects, so a dry run shows the very pod."""
    assert asked(review(pod(), dryRun=True)).body == asked(review(pod())).body


def test_without_a_leader_no_gate() -> None:
    """The pod starts as if there were no controller, which is the case."""
    answered = asked(review(pod()), replace(CONTEXT, leader=False))
    after = applied(pod(), patch_in(answered.body))

    assert GATE not in json.dumps(after["spec"].get("readinessGates", []))
    assert answered.result is Result.INJECTED


def test_a_second_pass_has_no_patch() -> None:
    """An injected pod is ours, and there is nothing to do."""
    answered = asked(review(injected(pod())))

    assert "patch" not in answered.body["response"]
    assert answered.result is Result.INJECTED


def declined() -> Raw:
    """Return a pod whose template declines injection."""
    raw = pod()
    raw["metadata"]["labels"]["lossless.dev/inject"] = "false"
    return raw


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(review(pod(), operation="UPDATE"), id="update"),
        pytest.param(review(None, operation="DELETE"), id="delete"),
        pytest.param(review(pod(), subResource="eviction"), id="eviction"),
        pytest.param(
            review(pod(), resource={"group": "apps", "version": "v1", "resource": "pods"}),
            id="another-group",
        ),
        pytest.param(
            review(pod(), resource={"group": "", "version": "v1", "resource": "secrets"}),
            id="another-resource",
        ),
        pytest.param(review(pod(), namespace="other"), id="another-namespace"),
        pytest.param(review({"metadata": {}, "spec": {"containers": []}}), id="bare-pod"),
        pytest.param(review(pod(hash_="")), id="no-hash"),
        pytest.param(review(declined()), id="declined"),
        pytest.param(review(None), id="no-object"),
    ],
)
def test_what_is_not_ours_passes(raw: Raw) -> None:
    """Allowed, without a patch and without a word."""
    answered = asked(raw)

    assert answered.body["response"] == {"uid": "7a3f", "allowed": True}
    assert answered.result is Result.NOT_OURS


@pytest.mark.parametrize(
    ("raw", "rollouts", "warning"),
    [
        pytest.param(
            review(pod(hostNetwork=True)),
            (rollout(),),
            "lossless: not injected: the pod uses hostNetwork",
            id="pod",
        ),
        pytest.param(
            review(pod()),
            (rollout(spec=None, problem="spec.drain.quiet: 'soon': say it better"),),
            "lossless: not injected: LosslessRollout web: spec.drain.quiet: 'soon'",
            id="spec",
        ),
        pytest.param(
            review(pod()),
            (
                rollout("newer", created="2026-02-02T00:00:00Z"),
                rollout("older", spec=None, problem="spec.ports: bad"),
            ),
            "lossless: not injected: LosslessRollout older: spec.ports",
            id="the-oldest-counts-even-if-invalid",
        ),
    ],
)
def test_what_cannot_be_injected_passes_with_a_warning(
    raw: Raw, rollouts: tuple[AdmissionRollout, ...], warning: str
) -> None:
    """The warning names the reason and the remedy; the pod starts unprotected."""
    answered = asked(raw, replace(CONTEXT, rollouts=rollouts))

    response = answered.body["response"]
    assert (response["allowed"], "patch" in response) == (True, False)
    assert response["warnings"][0].startswith(warning)
    assert answered.result is Result.REFUSED


def test_warnings_are_short() -> None:
    """The API server cuts a warning at 256 characters; we do it where it can be seen."""
    context = replace(CONTEXT, rollouts=(rollout(spec=None, problem="x" * 400),))
    (warning,) = asked(review(pod()), context).body["response"]["warnings"]

    assert len(warning) == 256
    assert warning.endswith("...")


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param({"metadata": {}, "spec": None}, id="no-spec"),
        pytest.param({"metadata": None}, id="no-metadata"),
        pytest.param(["pod"], id="a-list"),
        pytest.param(
            {**pod(), "spec": {"containers": [{"ports": [{}]}]}}, id="port-without-number"
        ),
        pytest.param({**pod(), "spec": {"containers": ["app"]}}, id="container-as-text"),
    ],
)
def test_our_own_failure_lets_the_pod_through(broken: Any) -> None:
    """Fail open: allowed, unchanged, and both user and operator are told."""
    if isinstance(broken, dict) and broken.get("metadata") == {}:
        broken["metadata"] = pod()["metadata"]
    answered = asked(review(broken))

    response = answered.body["response"]
    assert (response["allowed"], "patch" in response) == (True, False)
    assert "the pod is unprotected" in response["warnings"][0]
    assert answered.result is Result.FAILED
    assert answered.error is not None
    assert answered.namespace == "shop"


@pytest.mark.parametrize(
    ("metadata", "named"),
    [
        pytest.param({"generateName": "web-abc123-"}, "web-abc123-", id="not-named-yet"),
        pytest.param({"generateName": "web-abc123-", "name": "web-0"}, "web-0", id="named"),
        pytest.param({"generateName": ["web"], "name": 7}, "", id="no-texts"),
        pytest.param({"name": "x" * 10_000}, "x" * 253, id="far-too-long"),
    ],
)
def test_whom_our_own_failure_has_hit_is_known(metadata: Raw, named: str) -> None:
    """Operators are told which pod, and which workload to restart."""
    broken = pod()
    broken["metadata"].pop("name", None)
    broken["metadata"] |= metadata
    broken["spec"] = None
    answered = asked(review(broken))

    assert answered.result is Result.FAILED
    assert (answered.namespace, answered.pod) == ("shop", named)
    assert answered.workload == "Deployment web"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        pytest.param(b"", "not JSON", id="empty"),
        pytest.param(b"{", "not JSON", id="cut"),
        pytest.param(b"\xff\xfe", "not JSON", id="not-text"),
        pytest.param(b"[" * MOST_PARTS, "not JSON", id="nested-too-deep"),
        pytest.param(b"{}," * (MOST_PARTS + 1), "more than 200000", id="too-many-parts"),
        pytest.param(b"9" * 10_000, "not JSON", id="a-huge-number"),
        pytest.param(b"[]", "not of kind AdmissionReview", id="a-list"),
        pytest.param(b"null", "not of kind AdmissionReview", id="null"),
        pytest.param(b'{"kind":"Pod"}', "not of kind AdmissionReview", id="a-pod"),
        pytest.param(
            b'{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1beta1"}',
            "apiVersion 'admission.k8s.io/v1beta1' is not answered",
            id="another-version",
        ),
        pytest.param(
            b'{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1"}',
            "request is not an object",
            id="no-request",
        ),
        pytest.param(
            b'{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":7}}',
            "request.uid",
            id="uid-is-no-text",
        ),
    ],
)
def test_what_is_no_review_is_refused(body: bytes, text: str) -> None:
    """Without a uid there is nothing to answer; the text says what is wrong."""
    with pytest.raises(MalformedReviewError, match=text):
        parse_review(body)


VALUES: st.SearchStrategy[Any] = (
    st.none() | st.integers() | st.text(max_size=5) | st.just([]) | st.just({}) | st.just([1])
)


FULL = review(
    injected(
        pod(
            container(
                "app",
                pre_stop={"sleep": {"seconds": 1}},
                ports=[{"containerPort": 80, "name": "http"}],
                readinessProbe={"httpGet": {"port": "http"}},
                volumeMounts=[{"name": "a", "mountPath": "/a"}],
            )
        )
    )
)


@given(path=st.sampled_from(paths(FULL["request"])), value=VALUES)
def test_no_review_raises_or_refuses(path: tuple[Any, ...], value: Any) -> None:
    """Whatever one field holds: with a uid there is an answer, and it allows the pod."""
    raw = spoiled(FULL["request"], path, value)
    if not raw["uid"] or not isinstance(raw["uid"], str):
        return
    answered = answer(raw, CONTEXT)

    assert answered.body["response"]["allowed"] is True
    assert all(isinstance(said, str) for said in (answered.pod, answered.workload))
    assert json.loads(json.dumps(answered.body))["response"]["uid"] == raw["uid"]


def test_the_label_is_the_rollouts_name_not_the_deployments() -> None:
    """The controller finds the pods of one LosslessRollout by it."""
    context = replace(CONTEXT, rollouts=(rollout("protects-web"),))
    after = applied(pod(), patch_in(asked(review(pod()), context).body))

    assert after["metadata"]["labels"][ROLLOUT_LABEL] == "protects-web"


@pytest.mark.parametrize(
    ("kind", "name", "gated"),
    [(Kind.DEPLOYMENT, "web", True), (Kind.STATEFUL_SET, "db", False), (Kind.POD, "", False)],
)
def test_only_a_deployments_pods_are_gated(kind: Kind, name: str, *, gated: bool) -> None:
    """What waits for each pod's end by itself needs the drain, not the gate."""
    raw = pod()
    if kind is Kind.STATEFUL_SET:
        raw["metadata"] |= {
            "labels": {"controller-revision-hash": "db-1"},
            "ownerReferences": [
                {
                    "apiVersion": "apps/v1",
                    "kind": kind,
                    "name": name,
                    "uid": "1",
                    "controller": True,
                }
            ],
        }
    if kind is Kind.POD:
        raw["metadata"] = {"labels": {ROLLOUT_LABEL: "web"}}
    target = TargetRef(kind, name)
    speaks = rollout(target=target.of("web"), spec=replace(spec(), target=target))

    answered = asked(review(raw), replace(CONTEXT, rollouts=(speaks,)))

    after = applied(raw, patch_in(answered.body))
    assert answered.result is Result.INJECTED
    assert bool(after["spec"].get("readinessGates")) is gated


def test_a_label_that_names_another_rollout_is_not_overwritten() -> None:
    """Whose pod it would be is not for us to decide; the warning says what to do."""
    raw = pod()
    raw["metadata"]["labels"][ROLLOUT_LABEL] = "another"

    answered = asked(review(raw))

    (warning,) = answered.body["response"]["warnings"]
    assert answered.result is Result.REFUSED
    assert "does not name LosslessRollout web" in warning


@pytest.mark.parametrize("trying", [False, True])
def test_while_injection_is_suspended_pods_pass_as_they_are(*, trying: bool) -> None:
    """The status of the LosslessRollout says so; an attempt is for whoever comes next."""
    suspension = Suspension(1_000, Cause.IMAGE, "the agent of web-1 does not start", trying=trying)
    document = status_document(RolloutStatus(injection=suspension))
    speaks = parse_rollout(
        {
            "metadata": {"name": "web", "namespace": "shop"},
            "spec": {"targetRef": {"kind": "Deployment", "name": "web"}},
            "status": document,
        }
    )

    answered = asked(review(pod()), replace(CONTEXT, rollouts=(speaks,)))

    assert answered.result is (Result.INJECTED if trying else Result.SUSPENDED)
    assert ("patch" in answered.body["response"]) is trying
    warnings = answered.body["response"].get("warnings", [])
    assert any("the agent of web-1 does not start" in said for said in warnings) is not trying
