"""Which revision an undo goes back to, and the patch that does it. Pure.

The algorithm is kubectl's own (k8s.io/kubectl pkg/polymorphichelpers, rollback.go): revisions are
the ReplicaSets of a Deployment; the one before the newest, or the one that is named, gives its pod
template, without the label by which its ReplicaSet tells its pods.
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any, Final

from lossless.cluster.client import Raw
from lossless.cluster.objects import metadata_of
from lossless.cluster.workloads import REVISION_ANNOTATION
from lossless.model.names import TEMPLATE_HASH_LABEL
from lossless.plugin.exits import RefusedError

#: Annotations that belong to the Deployment, not to a revision of it.
_KEPT: Final = frozenset(
    {
        "kubectl.kubernetes.io/last-applied-configuration",
        REVISION_ANNOTATION,
        "deployment.kubernetes.io/revision-history",
        "deployment.kubernetes.io/desired-replicas",
        "deployment.kubernetes.io/max-replicas",
        "deprecated.deployment.rollback.to",
    }
)


def revision_of(replica_set: Raw) -> int:
    """Return the revision of a ReplicaSet; 0 if it has none."""
    text = (metadata_of(replica_set).get("annotations") or {}).get(REVISION_ANNOTATION, "")
    return int(text) if str(text).isdecimal() else 0


def chosen(replica_sets: Sequence[Raw], to: int) -> Raw:
    """Return the ReplicaSet to go back to.

    Args:
        replica_sets: of the Deployment.
        to: revision; 0: the one before the newest.

    Raises:
        RefusedError: there is no such revision; says which there are.
    """
    known = sorted((rs for rs in replica_sets if revision_of(rs)), key=revision_of)
    numbers = [revision_of(rs) for rs in known]
    if to:
        for replica_set in known:
            if revision_of(replica_set) == to:
                return replica_set
        raise RefusedError(
            f"there is no revision {to}; choose another (there:"
            f" {', '.join(map(str, numbers)) or 'none'}). How many are kept is said by the"
            " Deployment's revisionHistoryLimit"
        )
    if len(known) < 2:  # noqa: PLR2004 # the newest, and one to go back to
        raise RefusedError(
            "there is no revision before the newest to go back to; apply the manifest that you"
            " want. How many are kept is said by the Deployment's revisionHistoryLimit"
        )
    return known[-2]


def template_of(replica_set: Raw) -> dict[str, Any]:
    """Return the pod template of a revision."""
    template: dict[str, Any] = deepcopy((replica_set.get("spec") or {}).get("template") or {})
    (template.get("metadata", {}).get("labels") or {}).pop(TEMPLATE_HASH_LABEL, None)
    return template


def undoing(deployment: Raw, replica_set: Raw) -> list[Raw]:
    """Return the JSON Patch for the Deployment; empty if its template is that one already."""
    template = template_of(replica_set)
    if template == (deployment.get("spec") or {}).get("template"):
        return []
    mine: Mapping[str, str] = metadata_of(deployment).get("annotations") or {}
    theirs: Mapping[str, str] = metadata_of(replica_set).get("annotations") or {}
    annotations = {key: value for key, value in mine.items() if key in _KEPT} | {
        key: value for key, value in theirs.items() if key not in _KEPT
    }
    version = metadata_of(deployment).get("resourceVersion")
    return [
        # Kubectl does not look; a release in the same second would be undone unseen.
        {"op": "test", "path": "/metadata/resourceVersion", "value": version},
        {"op": "replace", "path": "/spec/template", "value": template},
        {"op": "add", "path": "/metadata/annotations", "value": annotations},
    ]
