"""What tests leave in the cluster, in the ordinary way or because their run was killed."""

import json
from typing import Final

from e2e.support.eventually import eventually
from e2e.support.kubectl import Kubectl

#: How the namespaces of tests begin; nobody else's do.
WORLDS: Final = "e2e-"
#: Of objects that tests make outside any namespace.
LABELS: Final = {"app.kubernetes.io/part-of": "lossless-e2e"}
#: Kinds of such objects; the API server would go on refusing the product's requests by them.
_KINDS: Final = "flowschemas,prioritylevelconfigurations"
#: Seconds: the longest drain of any test, 2 minutes, and an app's own end.
_LAST_DRAIN: Final = 180.0


def clear_up(kubectl: Kubectl) -> None:
    """Undo what a killed run has left; only for who has the cluster to himself.

    Its worlds are deleted and their pods awaited, and nodes that it drained take pods again.

    Raises:
        KubectlFailed: the API server refused.
        NeverHappened: a pod does not go.
    """
    selector = ",".join(f"{key}={value}" for key, value in LABELS.items())
    kubectl("delete", _KINDS, f"--selector={selector}")
    nodes = kubectl.list("nodes")
    cordoned = [node["metadata"]["name"] for node in nodes if node["spec"].get("unschedulable")]
    if cordoned:
        kubectl("uncordon", *cordoned)
    namespaces = [thing["metadata"]["name"] for thing in kubectl.list("namespaces")]
    worlds = [name for name in namespaces if name.startswith(WORLDS)]
    if worlds:
        # One that was being deleted may have gone since it was listed.
        kubectl("delete", "namespace", *worlds, "--wait=false", "--ignore-not-found")
        no_pod_is_left(kubectl, "the last pod of a run that was killed to be gone")


def no_pod_is_left(kubectl: Kubectl, what: str) -> None:
    """Fail if a pod of a deleted world does not go: something holds it.

    Not the namespaces themselves: Kubernetes looks at one with pods again only after half their
    grace period, and again after that (kubernetes pkg/controller/namespace, EstimateGrace).

    Args:
        kubectl: without a namespace.
        what: is waited for.

    Raises:
        NeverHappened: one is there after the longest drain; with its status.
    """
    eventually(
        lambda: [
            f"{pod['metadata']['namespace']}/{pod['metadata']['name']}: {json.dumps(pod['status'])}"
            for pod in kubectl.list("pods", everywhere=True)
            if pod["metadata"]["namespace"].startswith(WORLDS)
        ],
        lambda pods: not pods,
        what=what,
        within=_LAST_DRAIN,
        every=2.0,
    )
