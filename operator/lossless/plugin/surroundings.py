"""From a heap of objects, or from a cluster, to the set-ups that ``check`` looks at."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from lossless.cluster.client import Raw, resource_path
from lossless.cluster.errors import ForbiddenError, NotFoundError
from lossless.cluster.objects import metadata_of
from lossless.model.names import KIND
from lossless.plugin.checks.setup import Setup, labels, selects
from lossless.plugin.exits import RefusedError
from lossless.plugin.session import Session


async def from_cluster(session: Session, rollout: Raw) -> Setup:
    """Read what surrounds a LosslessRollout; what this user may not see is left out.

    Raises:
        ApiError: refused or unanswered.
    """
    namespace = metadata_of(rollout).get("namespace", session.namespace)
    try:
        path, _ = session.workload_path(rollout)
        workload = await session.client.get(path)
    except (RefusedError, NotFoundError):
        workload = None
    services, ingresses, budgets, policies, rollouts, own = await asyncio.gather(
        session.items_if_allowed("v1", "services", namespace),
        session.items_if_allowed("networking.k8s.io/v1", "ingresses", namespace),
        session.items_if_allowed("policy/v1", "poddisruptionbudgets", namespace),
        session.items_if_allowed("networking.k8s.io/v1", "networkpolicies", namespace),
        Session(session.client, namespace).rollouts(),
        _namespace(session, namespace),
    )
    objects = [
        *_of_kind("Service", services),
        *_of_kind("Ingress", ingresses),
        *_of_kind("PodDisruptionBudget", budgets),
        *_of_kind("NetworkPolicy", policies),
        *_of_kind(KIND, rollouts),
        *([own] if own else []),
    ]
    if workload is not None:
        objects.append(workload | {"kind": _target(rollout)[0]})
    rollout = rollout | {"kind": KIND}
    return setup_of(rollout, objects, live=True, budgets_known=budgets is not None)


def from_files(objects: Sequence[Raw]) -> list[Setup]:
    """Return a set-up for each LosslessRollout among ``objects``, which are all there is."""
    return [
        setup_of(raw, objects, live=False, budgets_known=True)
        for raw in objects
        if raw.get("kind") == KIND
    ]


def setup_of(rollout: Raw, objects: Iterable[Raw], *, live: bool, budgets_known: bool) -> Setup:
    """Return what of ``objects`` belongs to ``rollout``, by names and selectors."""
    namespace = _namespace_of(rollout)
    here = [raw for raw in objects if _namespace_of(raw) == namespace or _is_namespace(raw)]
    kind, name = _target(rollout)
    workload = next(
        (raw for raw in here if (raw.get("kind"), metadata_of(raw).get("name")) == (kind, name)),
        None,
    )
    template = ((workload or {}).get("spec") or {}).get("template") or {}
    of = labels(template)
    services = [
        raw
        for raw in here
        if raw.get("kind") == "Service" and of and _selects(_spec(raw).get("selector"), of)
    ]
    names = {metadata_of(raw).get("name") for raw in services}
    own = metadata_of(rollout).get("name")
    return Setup(
        rollout=rollout,
        workload=workload,
        rivals=tuple(
            raw
            for raw in here
            if raw.get("kind") == KIND
            and metadata_of(raw).get("name") != own
            and _target(raw) == (kind, name)
        ),
        services=tuple(services),
        ingresses=tuple(
            raw for raw in here if raw.get("kind") == "Ingress" and names & _backends(raw)
        ),
        budgets=_selecting("PodDisruptionBudget", "selector", here, of) if budgets_known else None,
        policies=_selecting("NetworkPolicy", "podSelector", here, of),
        namespace=next(
            (raw for raw in here if _is_namespace(raw) and _is_named(raw, namespace)), None
        ),
        live=live,
    )


def _selecting(kind: str, field: str, objects: list[Raw], of: Mapping[str, str]) -> tuple[Raw, ...]:
    return tuple(
        raw
        for raw in objects
        if of and raw.get("kind") == kind and selects(_spec(raw).get(field), of)
    )


def _selects(selector: Mapping[str, str] | None, of: Mapping[str, str]) -> bool:
    """Return whether a Service's selector matches; without one it selects nothing."""
    return bool(selector) and all(of.get(key) == value for key, value in (selector or {}).items())


def _target(rollout: Raw) -> tuple[str, str]:
    reference = _spec(rollout).get("targetRef") or {}
    return str(reference.get("kind", "")), str(reference.get("name", ""))


def _backends(ingress: Raw) -> set[str]:
    """Return the names of the Services that an Ingress leads to."""
    spec = _spec(ingress)
    backends = [spec.get("defaultBackend") or {}]
    for rule in spec.get("rules") or ():
        paths = (rule.get("http") or {}).get("paths") or ()
        backends += [path.get("backend") or {} for path in paths]
    return {str((backend.get("service") or {}).get("name", "")) for backend in backends}


def _spec(raw: Raw) -> Raw:
    return raw.get("spec") or {}


def _namespace_of(raw: Raw) -> str:
    """Return the namespace; a manifest without one means the same as its neighbours'."""
    return str(metadata_of(raw).get("namespace") or "")


def _is_namespace(raw: Raw) -> bool:
    return raw.get("kind") == "Namespace"


def _is_named(raw: Raw, name: str) -> bool:
    return metadata_of(raw).get("name") == name


def _of_kind(kind: str, raws: list[Raw] | None) -> list[Raw]:
    """Return the items of a list with their kind, which the API server leaves out there."""
    return [raw | {"kind": kind} for raw in raws or ()]


async def _namespace(session: Session, name: str) -> Raw | None:
    try:
        raw = await session.client.get(resource_path("v1", "namespaces", name=name))
    except (ForbiddenError, NotFoundError):
        return None
    return raw | {"kind": "Namespace"}
