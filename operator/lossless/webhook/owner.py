"""Whose pod is it: from a pod at CREATE to its Deployment to its LosslessRollout."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lossless.model.fields import InvalidSpec
from lossless.model.names import TEMPLATE_HASH_LABEL
from lossless.model.policy import RolloutSpec, parse_spec


@dataclass(frozen=True, slots=True)
class Rollout:
    """A LosslessRollout as admission needs it."""

    namespace: str
    name: str
    created: str
    """RFC 3339 in UTC, as the API server writes it: text order is time order."""
    deployment: str
    """Name of the target; empty if the object does not name one."""
    spec: RolloutSpec | None
    """None if the spec cannot be acted on."""
    problem: str = ""
    """Why it cannot: the field, its value and the remedy."""


def parse_rollout(raw: Mapping[str, Any]) -> Rollout:
    """Return the LosslessRollout; a spec that cannot be acted on is a value, not an exception."""
    metadata = raw["metadata"]
    spec, problem = None, ""
    try:
        spec = parse_spec(raw.get("spec", {}))
    except InvalidSpec as error:
        problem = str(error)
    return Rollout(
        namespace=metadata.get("namespace", ""),
        name=metadata["name"],
        created=str(metadata.get("creationTimestamp") or ""),
        # One that is being deleted speaks for nobody any more.
        deployment="" if metadata.get("deletionTimestamp") else _target_of(raw.get("spec")),
        spec=spec,
        problem=problem,
    )


def _target_of(spec: object) -> str:
    target = spec.get("targetRef") if isinstance(spec, Mapping) else None
    name = target.get("name") if isinstance(target, Mapping) else None
    kind = target.get("kind") if isinstance(target, Mapping) else None
    return name if isinstance(name, str) and kind == "Deployment" else ""


def deployment_of(pod: Mapping[str, Any]) -> str | None:
    """Return the name of the Deployment that ``pod`` is created for, or None.

    A Deployment names its ReplicaSets ``<deployment>-<pod-template-hash>`` and labels their pods
    with the hash (kubernetes pkg/controller/deployment/sync.go, getNewReplicaSet), so the owner's
    owner is known without asking the API server.
    """
    metadata = pod.get("metadata") or {}
    template_hash = (metadata.get("labels") or {}).get(TEMPLATE_HASH_LABEL)
    for owner in metadata.get("ownerReferences") or ():
        if not owner.get("controller"):
            continue
        name = str(owner.get("name", ""))
        suffix = f"-{template_hash}"
        if owner.get("kind") == "ReplicaSet" and template_hash and name.endswith(suffix):
            return name.removesuffix(suffix) or None
        return None
    return None


def rollout_of(deployment: str, namespace: str, rollouts: Iterable[Rollout]) -> Rollout | None:
    """Return the LosslessRollout that targets the Deployment; of several, the oldest.

    Args:
        deployment: name.
        namespace: of the admission request; a pod at CREATE may not name its own.
        rollouts: of the whole cluster, in any order.
    """
    return min(
        (r for r in rollouts if r.namespace == namespace and r.deployment == deployment),
        key=lambda rollout: (rollout.created, rollout.name),
        default=None,
    )
