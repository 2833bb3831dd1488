"""From a pod at CREATE to the LosslessRollout that speaks for it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossless.webhook.owner import deployment_of, parse_rollout, rollout_of
from tests.webhook.pods import Raw, pod, rollout


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
        pytest.param(owned(kind="StatefulSet"), None, id="statefulset"),
        pytest.param(labelled(None), None, id="no-hash"),
        pytest.param(labelled(""), None, id="empty-hash"),
        pytest.param({"metadata": {}}, None, id="bare-pod"),
        pytest.param({"metadata": {"labels": None, "ownerReferences": None}}, None, id="nulls"),
    ],
)
def test_the_deployment_of_a_pod(raw: Raw, name: str | None) -> None:
    """The ReplicaSet's name without the hash is the Deployment; nothing else is guessed."""
    assert deployment_of(raw) == name


@pytest.mark.parametrize(
    ("rollouts", "name"),
    [
        pytest.param([], None, id="none"),
        pytest.param([rollout("a", namespace="other")], None, id="other-namespace"),
        pytest.param([rollout("a", deployment="api")], None, id="other-deployment"),
        pytest.param(
            [rollout("b"), rollout("a", created="2026-01-02T00:00:00Z")], "b", id="older-wins"
        ),
        pytest.param([rollout("b"), rollout("a")], "a", id="same-age-first-by-name"),
    ],
)
def test_the_rollout_of_a_deployment(rollouts: list[Any], name: str | None) -> None:
    """Of several LosslessRollouts for one Deployment exactly one counts, always the same."""
    for order in (rollouts, rollouts[::-1]):
        found = rollout_of("web", "shop", order)
        assert (found and found.name) == name


def test_a_good_rollout_is_parsed() -> None:
    """Spec, target and age are taken over."""
    raw = {
        "metadata": {
            "namespace": "shop",
            "name": "web",
            "creationTimestamp": "2026-01-01T00:00:00Z",
        },
        "spec": {"targetRef": {"kind": "Deployment", "name": "web"}},
    }

    assert parse_rollout(raw) == rollout()


def test_an_invalid_rollout_still_speaks_for_its_deployment() -> None:
    """It keeps its target, so that its pods get a warning that names the field."""
    raw = {
        "metadata": {"namespace": "shop", "name": "web"},
        "spec": {"targetRef": {"kind": "Deployment", "name": "web"}, "drain": {"quiet": "soon"}},
    }

    found = parse_rollout(raw)

    assert (found.deployment, found.spec) == ("web", None)
    assert found.problem.startswith("spec.drain.quiet: 'soon'")


def test_a_rollout_that_is_being_deleted_speaks_for_nobody() -> None:
    """A finalizer may keep the object for hours; new pods are not ours any more."""
    raw = {
        "metadata": {"name": "web", "deletionTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {"targetRef": {"kind": "Deployment", "name": "web"}},
    }

    assert parse_rollout(raw).deployment == ""


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)
FIELDS = ("targetRef", "ports", "drain", "close", "metrics", "sidecars", "pacing", "paused")


@given(st.one_of(JSON, st.dictionaries(st.sampled_from(FIELDS), JSON)))
def test_no_spec_stops_the_watch(raw: Any) -> None:
    """Whatever is stored as a spec becomes a value: a raising parse would end the webhook."""
    found = parse_rollout({"metadata": {"name": "web"}, "spec": raw})

    assert (found.spec is None) == bool(found.problem)
