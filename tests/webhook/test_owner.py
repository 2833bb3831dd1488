"""From a pod at CREATE to the LosslessRollout that speaks for it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossless.model.targets import Kind, Target
from lossless.webhook.owner import owner_of, parse_rollout, rollout_of
from tests.injection.pods import pod, rollout
from tests.support.spoiling import JSON


@pytest.mark.parametrize(
    ("rollouts", "name"),
    [
        pytest.param([], None, id="none"),
        pytest.param([rollout("a", namespace="other")], None, id="other-namespace"),
        pytest.param(
            [rollout("a", target=Target(Kind.DEPLOYMENT, "api"))], None, id="other-deployment"
        ),
        pytest.param(
            [rollout("a", target=Target(Kind.STATEFUL_SET, "web"))], None, id="other-kind"
        ),
        pytest.param(
            [rollout("b"), rollout("a", created="2026-01-02T00:00:00Z")], "b", id="older-wins"
        ),
        pytest.param([rollout("b"), rollout("a")], "a", id="same-age-first-by-name"),
    ],
)
def test_the_rollout_of_a_deployment(rollouts: list[Any], name: str | None) -> None:
    """Of several LosslessRollouts for one Deployment exactly one counts, always the same."""
    for order in (rollouts, rollouts[::-1]):
        found = rollout_of(owner_of(pod()), "shop", order)
        assert (found and found.name) == name


@pytest.mark.parametrize(
    ("label", "name"),
    [
        pytest.param("named", "named", id="of-kind-pod"),
        pytest.param("web", "web", id="for-its-deployment"),
        pytest.param("nobody", "web", id="unknown"),
        pytest.param("api", "web", id="for-something-else"),
    ],
)
def test_a_pod_may_name_its_rollout(label: str, name: str) -> None:
    """One of kind Pod goes before that of the workload; any other is not named by a label."""
    raw = pod()
    raw["metadata"]["labels"]["lossless.dev/rollout"] = label
    rollouts = [
        rollout("web"),
        rollout("api", target=Target(Kind.DEPLOYMENT, "api")),
        rollout("named", target=Target(Kind.POD, "named"), created="2026-02-01T00:00:00Z"),
    ]

    found = rollout_of(owner_of(raw), "shop", rollouts)

    assert found is not None
    assert found.name == name


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

    assert (found.target, found.spec) == (Target(Kind.DEPLOYMENT, "web"), None)
    assert found.problem.startswith("spec.drain.quiet: 'soon'")


def test_a_rollout_that_is_being_deleted_speaks_for_nobody() -> None:
    """A finalizer may keep the object for hours; new pods are not ours any more."""
    raw = {
        "metadata": {"name": "web", "deletionTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {"targetRef": {"kind": "Deployment", "name": "web"}},
    }

    assert parse_rollout(raw).target is None


FIELDS = (
    "targetRef",
    "ports",
    "drain",
    "close",
    "metrics",
    "sidecars",
    "statusFlag",
    "pacing",
    "paused",
)


@given(st.one_of(JSON, st.dictionaries(st.sampled_from(FIELDS), JSON)))
def test_no_spec_stops_the_watch(raw: Any) -> None:
    """Whatever is stored as a spec becomes a value: a raising parse would end the webhook."""
    found = parse_rollout({"metadata": {"name": "web"}, "spec": raw})

    assert (found.spec is None) == bool(found.problem)
