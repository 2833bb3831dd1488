"""Whose pod is it: from a pod at CREATE to its workload to its LosslessRollout."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lossless.cluster.rollout_status import parse_status
from lossless.model.fields import InvalidSpec
from lossless.model.policy import RolloutSpec, parse_spec
from lossless.model.targets import Kind, Target, creator_of, named_by, target_of


@dataclass(frozen=True, slots=True)
class Owner:
    """Who a pod belongs to, by its metadata alone."""

    workload: Target | None
    """That it was created for; None: no kind that we know."""
    named: str
    """The LosslessRollout that its label names; empty: none."""


def owner_of(pod: Mapping[str, Any]) -> Owner:
    """Return who a pod in an admission request belongs to."""
    return Owner(creator_of(pod), named_by(pod))


@dataclass(frozen=True, slots=True)
class AdmissionRollout:
    """A LosslessRollout as admission needs it."""

    namespace: str
    name: str
    created: str
    """RFC 3339 in UTC, as the API server writes it: text order is time order."""
    target: Target | None
    """None if the object does not name one."""
    spec: RolloutSpec | None
    """None if the spec cannot be acted on."""
    problem: str = ""
    """Why it cannot: the field, its value and the remedy."""
    suspended: str = ""
    """Why its pods get no agent for the time being; empty: they do."""


def parse_rollout(raw: Mapping[str, Any]) -> AdmissionRollout:
    """Return the LosslessRollout; a spec that cannot be acted on is a value, not an exception."""
    metadata = raw["metadata"]
    spec, problem = None, ""
    try:
        spec = parse_spec(raw.get("spec", {}))
    except InvalidSpec as error:
        problem = str(error)
    return AdmissionRollout(
        namespace=metadata.get("namespace", ""),
        name=metadata["name"],
        created=str(metadata.get("creationTimestamp") or ""),
        target=target_of(raw),
        spec=spec,
        problem=problem,
        suspended=_suspended(raw.get("status")),
    )


def _suspended(status: object) -> str:
    suspension = parse_status(status).injection
    return "" if suspension is None or suspension.trying else suspension.reason


def rollout_of(
    owner: Owner, namespace: str, rollouts: Iterable[AdmissionRollout]
) -> AdmissionRollout | None:
    """Return the LosslessRollout that speaks for a pod; of several, the oldest.

    One that the pod names itself, by its label, goes before one for the pod's workload.

    Args:
        owner: of the pod.
        namespace: of the admission request; a pod at CREATE may not name its own.
        rollouts: of the whole cluster, in any order.
    """
    creator, named = owner.workload, owner.named
    wanted = {Target(Kind.POD, named) if named else None, creator} - {None}
    return min(
        (r for r in rollouts if r.namespace == namespace and r.target in wanted),
        key=lambda rollout: (rollout.target == creator, rollout.created, rollout.name),
        default=None,
    )
