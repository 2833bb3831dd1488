"""What is said to whoever creates a LosslessRollout, from its surroundings."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from lossless.model.names import GROUP, PLURAL, VERSION
from lossless.model.rollout.observation import Unknown
from lossless.model.targets import Kind, Target, TargetRef
from lossless.webhook.advice import advice, wanted_target
from lossless.webhook.owner import Rollout
from lossless.webhook.rollout_review import proposed, refusal
from tests.injection.pods import SETTINGS, Raw, container, rollout, spec
from tests.support.spoiling import JSON

NGINX: dict[str, Any] = {"close": [{"nginx": {}}]}


def deployment(*containers: Raw, **fields: Any) -> Raw:
    """Return Deployment web."""
    template = {"spec": {"containers": list(containers) or [container("app")]}}
    return {"spec": {"template": template, **fields}}


def said(workload: Raw | Unknown | None = None, *others: Rollout, **fields: Any) -> tuple[str, ...]:
    """Return the advice about a LosslessRollout for Deployment web."""
    return advice(rollout(created="", spec=spec(**{**NGINX, **fields})), others, workload, SETTINGS)


def test_nothing_is_said_of_what_is_well() -> None:
    """Warnings that are always there are never read."""
    assert said(deployment(container("app", ports=[{"containerPort": 8080}]))) == ()


@pytest.mark.parametrize(
    ("workload", "fields", "expected"),
    [
        pytest.param(None, {}, "there is no Deployment web in namespace shop yet", id="no target"),
        pytest.param(
            deployment(), {"ports": ["http"]}, "no container of this pod declares", id="port"
        ),
        pytest.param(
            deployment(progressDeadlineSeconds=300),
            {"drain": {"timeout": "5m"}},
            "progressDeadlineSeconds, 300",
            id="deadline",
        ),
        pytest.param(
            deployment(), {"drain": {"timeout": "10m"}}, "Deadline", id="default deadline"
        ),
        pytest.param(deployment(), {"close": []}, "nothing tells clients to leave", id="driver"),
        pytest.param(
            deployment(container("front", image="registry:5000/bitnami/nginx:1.27")),
            {"close": []},
            "Container front looks like nginx",
            id="a driver to be named",
        ),
        pytest.param(
            deployment(container("app", pre_stop={"exec": {"command": ["/notify"]}})),
            {},
            "container app: ",
            id="its own hook",
        ),
        pytest.param(
            {"spec": {"template": {"spec": {"containers": [], "hostNetwork": True}}}},
            {},
            "hostNetwork",
            id="host network",
        ),
    ],
)
def test_one_thing_is_amiss(workload: Raw | None, fields: dict[str, Any], expected: str) -> None:
    """It is named, and nothing else."""
    (warning,) = said(workload, **fields)

    assert expected in warning


def test_an_api_server_that_does_not_answer_is_no_reason_to_warn() -> None:
    """What is not known is not told."""
    assert said(Unknown("no answer in time")) == ()


@pytest.mark.parametrize(
    ("other", "warned"),
    [
        pytest.param(rollout("older"), True, id="on the same target"),
        pytest.param(rollout("web"), False, id="itself"),
        pytest.param(rollout("api", target=Target(Kind.DEPLOYMENT, "api")), False, id="elsewhere"),
        pytest.param(rollout("web2", namespace="blog"), False, id="in another namespace"),
    ],
)
def test_two_on_one_target(other: Rollout, *, warned: bool) -> None:
    """Only one counts, and it is not the new one."""
    warnings = said(deployment(), other)

    assert bool(warnings) is warned
    assert all("LosslessRollout older is for Deployment web already" in w for w in warnings)


def test_what_cannot_be_paused_is_said() -> None:
    """Pause is the default, so only who writes Continue has thought of it."""
    target = TargetRef(Kind.STATEFUL_SET, "db")
    chosen = rollout(
        target=target.of("web"),
        spec=replace(spec(**NGINX), target=target),
    )

    (warning,) = advice(chosen, (), deployment(), SETTINGS)

    assert "a StatefulSet paces itself" in warning
    assert wanted_target(chosen) == Target(Kind.STATEFUL_SET, "db")


def test_pods_of_other_controllers_have_no_object_to_be_read() -> None:
    """Their label is looked at when they come."""
    assert wanted_target(rollout(target=Target(Kind.POD, "web"))) is None


def request(operation: str = "CREATE", **changes: Any) -> Raw:
    """Return the request of an AdmissionReview of a LosslessRollout."""
    raw = {
        "metadata": {"name": "web"},
        "spec": {"targetRef": {"kind": "Deployment", "name": "web"}},
    }
    return {
        "uid": "1",
        "operation": operation,
        "resource": {"group": GROUP, "version": VERSION, "resource": PLURAL},
        "namespace": "shop",
        "object": raw,
        **changes,
    }


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param(request("DELETE"), id="a deletion"),
        pytest.param(request(object=None), id="nothing"),
        pytest.param(request(subResource="status"), id="status"),
        pytest.param(request(resource={"group": "", "resource": "pods"}), id="a pod"),
        pytest.param(request(resource="pods"), id="no resource"),
        pytest.param(request("UPDATE", oldObject=request()["object"]), id="the spec stays"),
    ],
)
def test_what_is_not_judged(asked: Raw) -> None:
    """A label or a finalizer may always be set."""
    assert proposed(asked) is None


def test_a_spec_that_nobody_could_act_on_is_refused() -> None:
    """An older CRD may not have the rule that refuses it."""
    raw = {"metadata": {"generateName": "web-"}, "spec": {"targetRef": {"kind": "Job"}}}
    found = proposed(request(object=raw))
    assert found is not None

    response = refusal(request(), found)["response"]

    assert (response["allowed"], response["status"]["code"]) == (False, 422)
    assert response["status"]["message"].startswith(
        "LosslessRollout web-: spec.targetRef.kind: 'apps/v1/Job'"
    )


@given(spec_=JSON, before=JSON)
def test_no_spec_breaks_the_review(spec_: Any, before: Any) -> None:
    """Hostile specs become a value or a refusal."""
    found = proposed(
        request("UPDATE", object={"metadata": {}, "spec": spec_}, oldObject={"spec": before})
    )

    assert found is None or (found.spec is None) == bool(found.problem)
