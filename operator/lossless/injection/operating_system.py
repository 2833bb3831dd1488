"""Is a pod one for Windows, by whichever of its fields says so? Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

_WINDOWS: Final = "windows"
_LINUX: Final = "linux"
#: Labels of nodes; the second is the first one's name before Kubernetes 1.14.
_LABELS: Final = ("kubernetes.io/os", "beta.kubernetes.io/os")
#: A label that only Windows nodes have.
_BUILD: Final = "node.kubernetes.io/windows-build"


def is_windows(spec: Mapping[str, Any]) -> bool:
    """Return whether a pod of this spec can run on Windows only."""
    system = (spec.get("os") or {}).get("name")
    if system:
        return bool(system == _WINDOWS)
    selector = spec.get("nodeSelector") or {}
    if _BUILD in selector or any(selector.get(label) == _WINDOWS for label in _LABELS):
        return True
    terms = list(_terms(spec))
    return (bool(terms) and all(map(_wants_windows, terms))) or _has_options(spec)


def _terms(spec: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the terms of which a node has to meet one."""
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    yield from required.get("nodeSelectorTerms") or ()


def _wants_windows(term: Mapping[str, Any]) -> bool:
    return any(_is_windows(rule) for rule in term.get("matchExpressions") or ())


def _is_windows(rule: Mapping[str, Any]) -> bool:
    key, values = rule.get("key"), list(rule.get("values") or ())
    match rule.get("operator"):
        case "In":
            return key == _BUILD or (key in _LABELS and values == [_WINDOWS])
        case "NotIn":
            return key in _LABELS and _LINUX in values
        case "Exists":
            return key == _BUILD
        case _:
            return False


def _has_options(spec: Mapping[str, Any]) -> bool:
    """Return whether options are set that the API server takes of Windows pods alone."""
    contexts = [spec.get("securityContext")]
    for kind in ("containers", "initContainers"):
        contexts += [container.get("securityContext") for container in spec.get(kind) or ()]
    return any((context or {}).get("windowsOptions") for context in contexts)
