"""From a heap of objects to the set-ups that ``check`` looks at. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lossless.checks.setup import Raw, Setup, labels, selects
from lossless.model.names import KIND
from lossless.model.targets import Kind


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
    here = [raw for raw in objects if _is_beside(raw, namespace)]
    kind, name = reference_of(rollout)
    workload = next(
        (raw for raw in here if (raw.get("kind"), _metadata(raw).get("name")) == (kind, name)),
        None,
    )
    template = ((workload or {}).get("spec") or {}).get("template") or {}
    of = labels(template)
    services = [
        raw
        for raw in here
        if raw.get("kind") == "Service" and of and _selects(_spec(raw).get("selector"), of)
    ]
    names = {_metadata(raw).get("name") for raw in services}
    own = _metadata(rollout).get("name")
    return Setup(
        rollout=rollout,
        workload=workload,
        rivals=tuple(
            raw
            for raw in here
            if raw.get("kind") == KIND
            # Each of kind Pod has its own pods: those labelled with its own name.
            and kind != Kind.POD
            and _metadata(raw).get("name") != own
            and reference_of(raw) == (kind, name)
        ),
        services=tuple(services),
        ingresses=tuple(
            raw for raw in here if raw.get("kind") == "Ingress" and names & _backends(raw)
        ),
        budgets=_selecting("PodDisruptionBudget", "selector", here, of) if budgets_known else None,
        policies=_selecting("NetworkPolicy", "podSelector", here, of),
        autoscaler=next((raw for raw in here if _scales(raw, kind, name)), None),
        config_maps={
            str(_metadata(raw).get("name")): raw for raw in here if raw.get("kind") == "ConfigMap"
        },
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


def reference_of(rollout: Raw) -> tuple[str, str]:
    """Return kind and name as a LosslessRollout's ``spec.targetRef`` says them, valid or not."""
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
    """Return the namespace that an object names; empty if it names none."""
    return str(_metadata(raw).get("namespace") or "")


def _is_beside(raw: Raw, namespace: str) -> bool:
    """Return whether an object is in a namespace, or may be: manifests may leave it to kubectl."""
    own = _namespace_of(raw)
    return _is_namespace(raw) or not own or not namespace or own == namespace


def _scales(raw: Raw, kind: str, name: str) -> bool:
    """Return whether an object is the autoscaler of a workload."""
    reference = _spec(raw).get("scaleTargetRef") or {}
    return raw.get("kind") == "HorizontalPodAutoscaler" and (
        (reference.get("kind"), reference.get("name")) == (kind, name)
    )


def _is_namespace(raw: Raw) -> bool:
    return raw.get("kind") == "Namespace"


def _is_named(raw: Raw, name: str) -> bool:
    return _metadata(raw).get("name") == name


def _metadata(raw: Raw) -> Mapping[str, Any]:
    return raw.get("metadata") or {}
