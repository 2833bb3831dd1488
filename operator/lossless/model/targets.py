"""Which workload a LosslessRollout is for, and which one a pod was created for.

A Deployment does not wait for pods that stop, so it is paced by a readiness gate. StatefulSets and
DaemonSets wait for each pod's end by themselves: their pods are drained and never gated. A gate
would hold them as well, but at the price of a replica that is gone while it is held: for a pod
with an identity there is no other.

Pods of any other controller (Argo Rollouts, OpenKruise, an operator of your own) are drained
when their template names the LosslessRollout by label; what paces them is that controller.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, NamedTuple

from lossless.model.fields import InvalidSpec, choice, matching, text
from lossless.model.names import ROLLOUT_LABEL, TEMPLATE_HASH_LABEL


class Kind(StrEnum):
    """``spec.targetRef.kind``."""

    DEPLOYMENT = "Deployment"
    STATEFUL_SET = "StatefulSet"
    DAEMON_SET = "DaemonSet"
    POD = "Pod"
    """All pods whose template carries the label ``lossless.dev/rollout: NAME``."""

    @property
    def gated(self) -> bool:
        """Whether its new pods may be held until old ones have drained."""
        return self is Kind.DEPLOYMENT

    @property
    def api_version(self) -> str:
        """API version that the kind belongs to."""
        return "v1" if self is Kind.POD else "apps/v1"


class Target(NamedTuple):
    """A workload within its namespace."""

    kind: Kind
    name: str
    """Of the workload; for ``Pod`` the label's value, which is the LosslessRollout's name."""

    def __str__(self) -> str:
        """Return what messages call it."""
        if self.kind is Kind.POD:
            return f"whatever makes pods labelled {ROLLOUT_LABEL}={self.name}"
        return f"{self.kind} {self.name}"

    @property
    def pods(self) -> str:
        """What messages call its pods."""
        if self.kind is Kind.POD:
            return f"pods labelled {ROLLOUT_LABEL}={self.name}"
        return f"pods of {self}"


@dataclass(frozen=True, slots=True)
class TargetRef:
    """``spec.targetRef``."""

    kind: Kind
    name: str = ""
    """Empty for ``Pod``."""

    def of(self, rollout: str) -> Target:
        """Return the target of the LosslessRollout of this name."""
        return Target(self.kind, self.name or rollout)


#: A workload's name (RFC 1123 subdomain). It becomes part of a URL, so it must not be a path.
NAME: Final = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
LONGEST_NAME: Final = 253
_KINDS: Final = (
    "this version protects apps/v1 Deployments, StatefulSets and DaemonSets, and by kind: Pod of"
    f" apiVersion: v1 all pods whose template carries the label {ROLLOUT_LABEL}"
)


def parse_target(raw: Mapping[str, Any]) -> TargetRef:
    """Return what ``spec.targetRef`` stands for.

    Raises:
        InvalidSpec: a field is missing or of the wrong type, or the kind is another.
    """
    at = "spec.targetRef"
    word = text(raw, at, "kind")
    api_version = text(raw, at, "apiVersion", Kind.DEPLOYMENT.api_version)
    try:
        kind = choice(raw, at, "kind", Kind.DEPLOYMENT)
    except InvalidSpec:
        kind = None
    if kind is None or api_version != kind.api_version:
        raise InvalidSpec(f"{at}.kind", f"{api_version}/{word}", _KINDS)
    if kind is not Kind.POD:
        text(raw, at, "name")
        remedy = "must be the name of a workload in the namespace of this LosslessRollout"
        return TargetRef(kind, matching(raw, (at, "name"), NAME, LONGEST_NAME, remedy))
    if "name" in raw:
        remedy = (
            f"kind Pod takes no name: the pods are those whose template carries the label"
            f" {ROLLOUT_LABEL} with the name of this LosslessRollout; take it away"
        )
        raise InvalidSpec(f"{at}.name", raw["name"], remedy)
    return TargetRef(kind)


def target_of(rollout: Mapping[str, Any]) -> Target | None:
    """Return the target that a LosslessRollout names, whether the rest of it is valid or not.

    Args:
        rollout: the object as it is stored.

    Returns:
        None if it names none that could be protected, or is being deleted and so speaks for
        nobody any more.
    """
    metadata, spec = rollout.get("metadata") or {}, rollout.get("spec")
    reference = spec.get("targetRef") if isinstance(spec, Mapping) else None
    if metadata.get("deletionTimestamp") or not isinstance(reference, Mapping):
        return None
    try:
        return parse_target(reference).of(metadata.get("name", ""))
    except InvalidSpec:
        return None


def creator_of(pod: Mapping[str, Any]) -> Target | None:
    """Return the Deployment, StatefulSet or DaemonSet that a pod was created for.

    A Deployment names its ReplicaSets ``<deployment>-<pod-template-hash>`` and labels their pods
    with the hash (k8s.io/kubernetes pkg/controller/deployment/sync.go, getNewReplicaSet). So it
    is known without asking, and even when the ReplicaSet is gone, as it may be while its last
    pods still drain. Other controllers own ReplicaSets too, but label their pods otherwise; and
    there are other StatefulSets than those of apps/v1 (apps.kruise.io), which are not meant.
    """
    metadata = pod.get("metadata") or {}
    owner = controller_of(pod)
    name, kind = str(owner.get("name") or ""), owner.get("kind")
    if not name or owner.get("apiVersion", "apps/v1") != "apps/v1":
        return None
    if kind in {Kind.STATEFUL_SET, Kind.DAEMON_SET}:
        return Target(Kind(kind), name)
    digest = (metadata.get("labels") or {}).get(TEMPLATE_HASH_LABEL)
    suffix = f"-{digest}"
    if kind == "ReplicaSet" and digest and name.endswith(suffix) and name != suffix:
        return Target(Kind.DEPLOYMENT, name.removesuffix(suffix))
    return None


def controller_of(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the reference to the object's controller; empty if it has none."""
    owners = (raw.get("metadata") or {}).get("ownerReferences") or ()
    return next((owner for owner in owners if owner.get("controller")), {})


def named_by(pod: Mapping[str, Any]) -> str:
    """Return the LosslessRollout that a pod's label names; empty if it has none."""
    labels = (pod.get("metadata") or {}).get("labels") or {}
    return str(labels.get(ROLLOUT_LABEL) or "")
