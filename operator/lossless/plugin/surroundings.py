"""From a heap of objects to the set-ups that ``check`` looks at. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from lossless.checks.known_objects import WORKLOADS, carried_label, is_a, template_of
from lossless.checks.setup import Raw, Setup, labels, selects
from lossless.model.names import KIND
from lossless.model.targets import Kind

#: KEDA makes an HPA of a ScaledObject, so that goes first: it says what is meant.
_AUTOSCALERS: Final = ("ScaledObject", "HorizontalPodAutoscaler")
_MONITORS: Final = ("ServiceMonitor", "PodMonitor")


def from_files(objects: Sequence[Raw]) -> list[Setup]:
    """Return a set-up for each LosslessRollout among ``objects``, which are all there is."""
    return [
        setup_of(raw, objects, live=False, budgets_known=True) for raw in objects if is_a(raw, KIND)
    ]


def workload_of(rollout: Raw, objects: Iterable[Raw]) -> Raw | None:
    """Return what makes the pods of ``rollout``, as far as it is among ``objects``.

    One in the very namespace goes before one that may be there.
    """
    return _nearest(rollout, (raw for raw in objects if _is_for(rollout, raw)))


def rollout_of(workload: Raw, objects: Iterable[Raw]) -> Raw | None:
    """Return the LosslessRollout among ``objects`` that is for a workload.

    One that the pods name by their label goes before one for the workload, as in the webhook.
    """
    for_it = [raw for raw in objects if is_a(raw, KIND) and _is_for(raw, workload)]
    labelled = [raw for raw in for_it if reference_of(raw)[0] == Kind.POD]
    return _nearest(workload, labelled or for_it)


def setup_of(rollout: Raw, objects: Iterable[Raw], *, live: bool, budgets_known: bool) -> Setup:
    """Return what of ``objects`` belongs to ``rollout``, by names and selectors."""
    everything = list(objects)
    workload = workload_of(rollout, everything)
    namespace = _namespace_of(rollout) or _namespace_of(workload or {})
    here = [raw for raw in everything if _is_beside(raw, namespace)]
    kind, name = reference_of(rollout)
    of = labels(template_of(workload or {}))
    services = [
        raw
        for raw in here
        if is_a(raw, "Service") and of and _selects(_spec(raw).get("selector"), of)
    ]
    names = {_metadata(raw).get("name") for raw in services}
    own = _metadata(rollout).get("name")
    return Setup(
        rollout=rollout,
        workload=workload,
        rivals=tuple(
            raw
            for raw in here
            if is_a(raw, KIND)
            # Each of kind Pod has its own pods: those labelled with its own name.
            and kind != Kind.POD
            and _metadata(raw).get("name") != own
            and reference_of(raw) == (kind, name)
        ),
        services=tuple(services),
        ingresses=tuple(raw for raw in here if is_a(raw, "Ingress") and names & _backends(raw)),
        budgets=_selecting("PodDisruptionBudget", "selector", here, of) if budgets_known else None,
        policies=_selecting("NetworkPolicy", "podSelector", here, of),
        autoscaler=_autoscaler(workload, here),
        monitors=tuple(raw for raw in here if any(is_a(raw, kind) for kind in _MONITORS)),
        config_maps={
            str(_metadata(raw).get("name")): raw for raw in here if is_a(raw, "ConfigMap")
        },
        namespace=next(
            (raw for raw in here if _is_namespace(raw) and _is_named(raw, namespace)), None
        ),
        live=live,
    )


def _selecting(kind: str, field: str, objects: list[Raw], of: Mapping[str, str]) -> tuple[Raw, ...]:
    return tuple(
        raw for raw in objects if of and is_a(raw, kind) and selects(_spec(raw).get(field), of)
    )


def _selects(selector: Mapping[str, str] | None, of: Mapping[str, str]) -> bool:
    """Return whether a Service's selector matches; without one it selects nothing."""
    return bool(selector) and all(of.get(key) == value for key, value in (selector or {}).items())


def reference_of(rollout: Raw) -> tuple[str, str]:
    """Return kind and name as a LosslessRollout's ``spec.targetRef`` says them, valid or not."""
    reference = _spec(rollout).get("targetRef")
    if not isinstance(reference, Mapping):
        return "", ""
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
    """Return the namespace that an object names; empty if it names none."""
    return str(_metadata(raw).get("namespace") or "")


def _is_beside(raw: Raw, namespace: str) -> bool:
    """Return whether an object is in a namespace, or may be: manifests may leave it to kubectl."""
    own = _namespace_of(raw)
    return _is_namespace(raw) or not own or not namespace or own == namespace


def _is_for(rollout: Raw, workload: Raw) -> bool:
    """Return whether a LosslessRollout may be for what makes pods, by names and namespaces."""
    kind, name = reference_of(rollout)
    if not _is_beside(workload, _namespace_of(rollout)):
        return False
    if kind == Kind.POD:
        own = _metadata(rollout).get("name")
        return bool(own) and carried_label(workload) == own
    return kind in WORKLOADS and is_a(workload, kind) and _is_named(workload, name)


def _nearest(to: Raw, found: Iterable[Raw]) -> Raw | None:
    """Return the first that names the namespace of ``to``, or none as it does; else the first."""
    candidates = list(found)
    exact = (raw for raw in candidates if _namespace_of(raw) == _namespace_of(to))
    return next(exact, candidates[0] if candidates else None)


def _autoscaler(workload: Raw | None, objects: Iterable[Raw]) -> Raw | None:
    """Return the autoscaler of a workload."""
    if workload is None:
        return None
    wanted = (workload.get("kind"), _metadata(workload).get("name"))

    def scales(raw: Raw) -> bool:
        reference = _spec(raw).get("scaleTargetRef") or {}
        # Only KEDA has a default for the kind.
        return (reference.get("kind", "Deployment"), reference.get("name")) == wanted

    found = [raw for kind in _AUTOSCALERS for raw in objects if is_a(raw, kind) and scales(raw)]
    return found[0] if found else None


def _is_namespace(raw: Raw) -> bool:
    return is_a(raw, "Namespace")


def _is_named(raw: Raw, name: str) -> bool:
    return _metadata(raw).get("name") == name


def _metadata(raw: Raw) -> Mapping[str, Any]:
    return raw.get("metadata") or {}
