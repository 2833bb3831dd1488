"""Which workload a LosslessRollout is for, and which one a pod was created for."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossless.model.names import ROLLOUT_LABEL
from lossless.model.targets import Kind, Target, TargetRef, creator_of, named_by, target_of
from tests.injection.pods import Raw, pod


def owned(**changes: Any) -> Raw:
    """Return a pod whose owner reference has these fields changed."""
    raw = pod()
    raw["metadata"]["ownerReferences"][0].update(changes)
    return raw


def labelled(template_hash: str | None) -> Raw:
    """Return a pod with another pod-template-hash, or none."""
    raw = pod()
    raw["metadata"]["labels"] = (
        {} if template_hash is None else {"pod-template-hash": template_hash}
    )
    return raw


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        pytest.param(pod(), "web", id="of-a-deployment"),
        pytest.param(owned(name="web-shop-eu-abc123"), "web-shop-eu", id="name-with-dashes"),
        pytest.param(owned(name="abc123"), None, id="no-name-before-the-hash"),
        pytest.param(owned(name="-abc123"), None, id="empty-name-before-the-hash"),
        pytest.param(owned(name="web-other"), None, id="bare-replicaset"),
        pytest.param(owned(controller=False), None, id="owner-is-no-controller"),
        pytest.param(owned(apiVersion="example.com/v1"), None, id="replicaset-of-another-api"),
        pytest.param(labelled(None), None, id="no-hash"),
        pytest.param(labelled(""), None, id="empty-hash"),
        pytest.param({"metadata": {}}, None, id="bare-pod"),
        pytest.param({"metadata": {"labels": None, "ownerReferences": None}}, None, id="nulls"),
    ],
)
def test_the_deployment_of_a_pod(raw: Raw, name: str | None) -> None:
    """The ReplicaSet's name without the hash is the Deployment; nothing else is guessed."""
    assert creator_of(raw) == (Target(Kind.DEPLOYMENT, name) if name else None)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param(
            owned(kind="StatefulSet", name="db"), Target(Kind.STATEFUL_SET, "db"), id="statefulset"
        ),
        pytest.param(
            owned(kind="DaemonSet", name="edge"), Target(Kind.DAEMON_SET, "edge"), id="daemonset"
        ),
        pytest.param(
            owned(kind="StatefulSet", apiVersion="apps.kruise.io/v1beta1"), None, id="kruise"
        ),
        pytest.param(owned(kind="Job", apiVersion="batch/v1"), None, id="job"),
        pytest.param(owned(kind="StatefulSet", name=""), None, id="no-name"),
    ],
)
def test_the_other_workloads_of_a_pod(raw: Raw, expected: Target | None) -> None:
    """They own their pods themselves; a kind of the same name in another API is not meant."""
    assert creator_of(raw) == expected


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        pytest.param(
            {"kind": "Deployment", "name": "web"}, Target(Kind.DEPLOYMENT, "web"), id="deployment"
        ),
        pytest.param(
            {"kind": "DaemonSet", "name": "edge"}, Target(Kind.DAEMON_SET, "edge"), id="daemonset"
        ),
        pytest.param({"apiVersion": "v1", "kind": "Pod"}, Target(Kind.POD, "mine"), id="pods"),
        pytest.param({"kind": "Pod"}, None, id="pods-of-another-api"),
        pytest.param({"kind": "Job", "name": "once"}, None, id="job"),
        pytest.param({"kind": [], "name": {}}, None, id="wrong-types"),
        pytest.param(None, None, id="nothing"),
    ],
)
def test_the_target_of_a_rollout(reference: object, expected: Target | None) -> None:
    """What cannot be protected claims nothing."""
    raw = {"metadata": {"name": "mine"}, "spec": {"targetRef": reference}}

    assert target_of(raw) == expected
    assert target_of(raw | {"metadata": {"deletionTimestamp": "2027-01-15T08:00:00Z"}}) is None


def test_only_a_deployment_is_gated() -> None:
    """Whatever waits for each pod by itself needs no gate, and would pay for it with a replica."""
    assert [kind for kind in Kind if kind.gated] == [Kind.DEPLOYMENT]


def test_messages_name_the_workload() -> None:
    """As people call it."""
    pods, database = TargetRef(Kind.POD).of("mine"), TargetRef(Kind.STATEFUL_SET, "db").of("mine")

    assert pods.pods == f"pods labelled {ROLLOUT_LABEL}=mine"
    assert (str(database), database.pods) == ("StatefulSet db", "pods of StatefulSet db")


@given(st.none() | st.text(max_size=9))
def test_a_label_names_or_does_not(value: str | None) -> None:
    """No label and an empty one are the same."""
    assert named_by({"metadata": {"labels": {ROLLOUT_LABEL: value}}}) == (value or "")
    assert named_by({"metadata": None}) == ""
