"""The surroundings of a LosslessRollout, read from a cluster."""

import asyncio
from typing import Final

from lossless.checks.mounted import config_map_names
from lossless.checks.setup import Setup
from lossless.cluster.client import Raw, resource_path
from lossless.cluster.errors import NotFoundError
from lossless.cluster.objects import metadata_of
from lossless.model.names import KIND
from lossless.plugin.exits import RefusedError
from lossless.plugin.session import Session
from lossless.plugin.surroundings import reference_of, setup_of

_OTHERS: Final = {
    "HorizontalPodAutoscaler": "autoscaling/v2",
    "ScaledObject": "keda.sh/v1alpha1",
    "ServiceMonitor": "monitoring.coreos.com/v1",
    "PodMonitor": "monitoring.coreos.com/v1",
}


async def surroundings_of(session: Session, rollout: Raw) -> Setup:
    """Read what surrounds a LosslessRollout; what this user may not see is left out.

    Raises:
        ApiError: refused or unanswered.
    """
    namespace = metadata_of(rollout).get("namespace", session.namespace)
    try:
        workload = await session.client.get(session.workload_reference(rollout).path)
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
        *await _by_others(session, namespace),
    ]
    if workload is not None:
        objects.append(workload | {"kind": reference_of(rollout)[0]})
        objects += await _config_maps(session, namespace, workload)
    rollout = rollout | {"kind": KIND}
    return setup_of(rollout, objects, live=True, budgets_known=budgets is not None)


def _of_kind(kind: str, raws: list[Raw] | None) -> list[Raw]:
    """Return the items of a list with their kind, which the API server leaves out there."""
    return [raw | {"kind": kind} for raw in raws or ()]


async def _config_maps(session: Session, namespace: str, workload: Raw) -> list[Raw]:
    """Return those that its pods mount, one by one: a namespace may hold large ones."""
    pod_spec = workload.get("spec", {}).get("template", {}).get("spec") or {}
    paths = [
        resource_path("v1", "configmaps", namespace=namespace, name=name)
        for name in sorted(config_map_names(pod_spec))
    ]
    found = await asyncio.gather(*(session.get_if_allowed(path) for path in paths))
    return _of_kind("ConfigMap", [raw for raw in found if raw is not None])


async def _by_others(session: Session, namespace: str) -> list[Raw]:
    """Return who scales and who scrapes; in most clusters nobody serves some of these kinds."""
    found = await asyncio.gather(
        *(
            session.items_if_allowed(api_version, f"{kind.lower()}s", namespace)
            for kind, api_version in _OTHERS.items()
        )
    )
    return [raw for kind, raws in zip(_OTHERS, found, strict=True) for raw in _of_kind(kind, raws)]


async def _namespace(session: Session, name: str) -> Raw | None:
    raw = await session.get_if_allowed(resource_path("v1", "namespaces", name=name))
    return None if raw is None else raw | {"kind": "Namespace"}
