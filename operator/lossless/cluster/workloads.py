"""The workloads that can be protected, read from the API server: one shape for all kinds."""

from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lossless.cluster.client import Client, Raw, resource_path
from lossless.cluster.errors import NotFoundError
from lossless.cluster.objects import (
    annotations_of,
    labels_of,
    metadata_of,
    spec_of,
    status_of,
)
from lossless.cluster.timestamps import parse_time
from lossless.cluster.watching import PAGE
from lossless.model.names import REVISION_LABEL, ROLLOUT_LABEL
from lossless.model.rollout.observation import Refusal, Workload
from lossless.model.rollout.strategy import DEFAULT, Strategy
from lossless.model.targets import Kind, Target, controller_of, creator_of

#: On a ReplicaSet: which release of its Deployment it is
#: (k8s.io/kubernetes pkg/controller/deployment/util, RevisionAnnotation).
REVISION_ANNOTATION: Final = "deployment.kubernetes.io/revision"
#: Resources of the kinds that are objects of their own.
PLURALS: Final[Mapping[Kind, str]] = {
    Kind.DEPLOYMENT: "deployments",
    Kind.STATEFUL_SET: "statefulsets",
    Kind.DAEMON_SET: "daemonsets",
}
_APPS: Final = "apps/v1"
#: Of what paces itself by waiting for each pod's end.
_OWN_PACE: Final = Strategy(recreate=True)


@dataclass(frozen=True, slots=True)
class Found:
    """A workload and its pods."""

    workload: Workload | None
    """None: there is none."""
    pods: tuple[Raw, ...]
    """Terminating ones included."""
    belongs: Callable[[Raw], bool]
    """Whether any other pod is one of the workload's."""


async def find(client: Client, namespace: str, target: Target) -> Found:
    """Return the workload ``target``.

    Pods are read before revisions, so every pod that is seen finds its own.

    Raises:
        ApiError: the API server did not answer; nothing may be concluded then.
    """
    if target.kind is Kind.POD:
        return await _find_labelled(client, namespace, target)
    plural = PLURALS[target.kind]
    try:
        raw = await client.get(resource_path(_APPS, plural, namespace=namespace, name=target.name))
    except NotFoundError:
        return Found(None, (), lambda _: False)
    selector = label_selector_of(spec_of(raw).get("selector") or {})
    if not selector:
        # An empty selector would list the namespace; the API server refuses such a workload.
        return Found(None, (), lambda _: False)
    listed = await list_all(client, "v1", "pods", namespace, selector)
    uid = metadata_of(raw).get("uid", "")
    owners, revisions = frozenset({uid}), []
    if target.kind is not Kind.STATEFUL_SET:
        resource = "replicasets" if target.kind is Kind.DEPLOYMENT else "controllerrevisions"
        revisions = owned(await list_all(client, _APPS, resource, namespace, selector), uid)
    if target.kind is Kind.DEPLOYMENT:
        owners = frozenset(metadata_of(each).get("uid", "") for each in revisions)

    def belongs(pod: Raw) -> bool:
        # A Deployment's pods outlive their ReplicaSet, so there the name counts as well.
        by_name = target.kind is Kind.DEPLOYMENT and creator_of(pod) == target
        return by_name or controller_of(pod).get("uid") in owners

    return Found(_READERS[target.kind](raw, revisions), tuple(filter(belongs, listed)), belongs)


async def _find_labelled(client: Client, namespace: str, target: Target) -> Found:
    def belongs(pod: Raw) -> bool:
        return bool(labels_of(pod).get(ROLLOUT_LABEL) == target.name)

    selector = f"{ROLLOUT_LABEL}={target.name}"
    pods = await list_all(client, "v1", "pods", namespace, selector)
    live = sum(not metadata_of(pod).get("deletionTimestamp") for pod in pods)
    workload = Workload(target.name, replicas=live, strategy=_OWN_PACE, kind=Kind.POD)
    return Found(workload, tuple(pods), belongs)


def deployment_of(raw: Raw, replica_sets: Iterable[Raw]) -> Workload:
    """Return the Deployment, given its ReplicaSets.

    The newest ReplicaSet is the one with the highest revision. The Deployment's own annotation is
    written after its ReplicaSet has been created or renumbered, and after the first pods may
    have appeared, so for a moment it still names the release before.
    """
    spec = spec_of(raw)
    strategy = spec.get("strategy") or {}
    rolling = strategy.get("rollingUpdate") or {}
    newest = max(replica_sets, key=_number_of, default={})
    return Workload(
        name=metadata_of(raw).get("name", ""),
        replicas=_replicas(spec),
        strategy=Strategy(
            recreate=strategy.get("type") == "Recreate",
            max_surge=rolling.get("maxSurge", DEFAULT),
            max_unavailable=rolling.get("maxUnavailable", DEFAULT),
        ),
        min_ready_seconds=_min_ready_seconds(spec),
        revision=str(_number_of(newest)) if newest else "",
        newest=metadata_of(newest).get("name", ""),
        refusal=_refusal_of(newest),
    )


def stateful_set_of(raw: Raw, _: Iterable[Raw] = ()) -> Workload:
    """Return the StatefulSet. Its pods carry the name of their ControllerRevision as a label."""
    spec = spec_of(raw)
    update = spec.get("updateStrategy") or {}
    newest = str(status_of(raw).get("updateRevision") or "")
    name = str(metadata_of(raw).get("name", ""))
    return Workload(
        name=name,
        replicas=_replicas(spec),
        strategy=_OWN_PACE,
        min_ready_seconds=_min_ready_seconds(spec),
        revision=newest.removeprefix(f"{name}-"),
        newest=newest,
        kind=Kind.STATEFUL_SET,
        by_hand=update.get("type") == "OnDelete",
        partition=int((update.get("rollingUpdate") or {}).get("partition") or 0),
    )


def daemon_set_of(raw: Raw, revisions: Iterable[Raw]) -> Workload:
    """Return the DaemonSet, given its ControllerRevisions.

    Its status does not name the newest one: it is the one with the highest number
    (k8s.io/kubernetes pkg/controller/daemon/update.go, constructHistory), which pods carry as a
    hash.
    """
    spec = spec_of(raw)
    newest = max(revisions, key=lambda each: int(each.get("revision") or 0), default={})
    labels = labels_of(newest)
    return Workload(
        name=metadata_of(raw).get("name", ""),
        replicas=int(status_of(raw).get("desiredNumberScheduled") or 0),
        strategy=_OWN_PACE,
        min_ready_seconds=_min_ready_seconds(spec),
        revision=str(newest.get("revision") or ""),
        newest=str(labels.get(REVISION_LABEL) or ""),
        kind=Kind.DAEMON_SET,
        by_hand=(spec.get("updateStrategy") or {}).get("type") == "OnDelete",
    )


_READERS: Final[Mapping[Kind, Callable[[Raw, Iterable[Raw]], Workload]]] = {
    Kind.DEPLOYMENT: deployment_of,
    Kind.STATEFUL_SET: stateful_set_of,
    Kind.DAEMON_SET: daemon_set_of,
}


def owned(raws: Iterable[Raw], uid: str) -> list[Raw]:
    """Return the objects whose controller has this uid."""
    return [raw for raw in raws if controller_of(raw).get("uid") == uid]


async def list_all(
    client: Client, api_version: str, plural: str, namespace: str, selector: str = ""
) -> list[Raw]:
    """Return all objects of a kind, page by page, or those that a label selector selects.

    Raises:
        ApiError: the API server refused or did not answer.
    """
    path = resource_path(api_version, plural, namespace=namespace)
    return [raw async for page in pages(client, path, selector) for raw in page]


async def pages(client: Client, path: str, selector: str = "") -> AsyncGenerator[Sequence[Raw]]:
    """Yield the objects of the collection at ``path``, or those that are selected, by the page.

    All pages are of the state that the first one saw.

    Args:
        client: of the API server.
        path: of the collection.
        selector: of labels, as a list takes it; empty: everything.

    Raises:
        GoneError: that state is too old to go on with (the API server keeps it for some minutes);
            begin anew.
        ApiError: the API server refused or did not answer.
    """
    params = {"limit": str(PAGE)} | ({"labelSelector": selector} if selector else {})
    while True:
        page = await client.get(path, params)
        yield page.get("items") or ()
        params["continue"] = metadata_of(page).get("continue") or ""
        if not params["continue"]:
            return


def label_selector_of(selector: Mapping[str, Any]) -> str:
    """Return a ``metav1.LabelSelector`` as the text that a list takes."""
    parts = [f"{key}={value}" for key, value in (selector.get("matchLabels") or {}).items()]
    parts += [
        _RULES[rule["operator"]].format(key=rule["key"], values=",".join(rule.get("values") or ()))
        for rule in selector.get("matchExpressions") or ()
    ]
    return ",".join(parts)


_RULES: Final = {
    "In": "{key} in ({values})",
    "NotIn": "{key} notin ({values})",
    "Exists": "{key}",
    "DoesNotExist": "!{key}",
}


def _refusal_of(replica_set: Mapping[str, Any]) -> Refusal | None:
    """Return what kept the ReplicaSet from making its pods, by its condition ReplicaFailure."""
    for condition in status_of(replica_set).get("conditions") or ():
        told = (condition.get("type"), condition.get("status"), condition.get("reason"))
        if told == ("ReplicaFailure", "True", "FailedCreate"):
            since = parse_time(condition.get("lastTransitionTime"))
            return Refusal(condition.get("message") or "", since)
    return None


def _replicas(spec: Mapping[str, Any]) -> int:
    replicas = spec.get("replicas")
    return 1 if replicas is None else int(replicas)


def _min_ready_seconds(spec: Mapping[str, Any]) -> float:
    return float(spec.get("minReadySeconds") or 0)


def _number_of(replica_set: Mapping[str, Any]) -> int:
    text = annotations_of(replica_set).get(REVISION_ANNOTATION, "")
    return int(text) if text.isdecimal() else 0
