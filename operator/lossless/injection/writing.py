"""From what is wanted of a pod to the JSON Patch that brings it there: the only writer.

Whatever is as wanted already yields no operation, so that a second pass over an injected pod only
completes what is missing. Nothing that is not ours is touched.
"""

from collections.abc import Mapping
from typing import Any, Final

from lossless.injection.patching import Operation, Patch
from lossless.injection.problem_text import unprotected_text, warning_text
from lossless.injection.protection import Protection, WantedContainer
from lossless.model.names import (
    AGENT_CONTAINER,
    GATE,
    INCOMPLETE_ANNOTATION,
    INJECTED_ANNOTATION,
    PRIVATE_VOLUME,
    ROLLOUT_LABEL,
    SHARED_MOUNT,
    SHARED_VOLUME,
    STATUS_FILE_ENV,
    UNPROTECTED_ANNOTATION,
)

#: Characters of an annotation that tells people something.
_TEXT_MAX: Final = 2048


def write(pod: dict[str, Any], wanted: Protection) -> tuple[Operation, ...]:
    """Return what makes ``pod`` as it is wanted; empty if it is so already.

    Args:
        pod: as in an admission request; it is not changed.
        wanted: of this very pod.
    """
    patch = Patch(pod)
    patch.put(("metadata", "labels", ROLLOUT_LABEL), wanted.config.rollout)
    patch.put(("metadata", "annotations", INJECTED_ANNOTATION), wanted.version)
    _put_volumes(patch)
    for container in wanted.containers:
        _put_container(patch, container)
    _put_texts(patch, UNPROTECTED_ANNOTATION, [*map(unprotected_text, wanted.unprotected)])
    _put_texts(patch, INCOMPLETE_ANNOTATION, [*map(warning_text, wanted.incomplete)])
    _put_gate(patch, wanted=wanted.gate)
    _put_grace(patch, wanted.grace)
    _put_agent(patch, wanted.agent)
    return tuple(patch.operations)


def _put_volumes(patch: Patch) -> None:
    known = {volume.get("name") for volume in patch.at(("spec", "volumes")) or ()}
    for name in (SHARED_VOLUME, PRIVATE_VOLUME):
        if name not in known:
            patch.append(
                ("spec", "volumes"),
                {"name": name, "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}},
            )


def _put_container(patch: Patch, wanted: WantedContainer) -> None:
    path = wanted.path
    if wanted.sees_files:
        mount = {"name": SHARED_VOLUME, "mountPath": SHARED_MOUNT, "readOnly": True}
        _append_named(patch, (*path, "volumeMounts"), mount)
    if wanted.status_file:
        # Unless the container says so itself.
        variable = {"name": STATUS_FILE_ENV, "value": wanted.status_file}
        _append_named(patch, (*path, "env"), variable)
    if wanted.pre_stop is None:
        return
    hook = (patch.at((*path, "lifecycle")) or {}).get("preStop")
    if hook is None or not _holds(hook, wanted.pre_stop):
        patch.put((*path, "lifecycle", "preStop"), dict(wanted.pre_stop))


def _append_named(patch: Patch, path: tuple[str | int, ...], item: Mapping[str, Any]) -> None:
    if not any(found.get("name") == item["name"] for found in patch.at(path) or ()):
        patch.append(path, item)


def _put_texts(patch: Patch, annotation: str, texts: list[str]) -> None:
    path = ("metadata", "annotations", annotation)
    if texts:
        patch.put(path, "; ".join(texts)[:_TEXT_MAX])
    elif annotation in patch.document["metadata"]["annotations"]:
        patch.remove(path)


def _put_gate(patch: Patch, *, wanted: bool) -> None:
    gates = patch.at(("spec", "readinessGates")) or ()
    at = [index for index, gate in enumerate(gates) if gate.get("conditionType") == GATE]
    if wanted and not at:
        patch.append(("spec", "readinessGates"), {"conditionType": GATE})
    elif not wanted:
        for index in reversed(at):
            patch.remove(("spec", "readinessGates", index))


def _put_grace(patch: Patch, least: int) -> None:
    path = ("spec", "terminationGracePeriodSeconds")
    patch.put(path, max(patch.at(path) or 0, least))


def _put_agent(patch: Patch, wanted: Mapping[str, Any]) -> None:
    """Make the agent the first init container: it starts before and stops after all others."""
    path = ("spec", "initContainers")
    containers = patch.at(path) or []
    at = [i for i, container in enumerate(containers) if container.get("name") == AGENT_CONTAINER]
    for index in at:
        # OpenShift gives the agent its user between two passes, and after the last only validates.
        given = containers[index].get("securityContext") or {}
        wanted = {**wanted, "securityContext": {**given, **wanted["securityContext"]}}
    if at == [0]:
        if not _holds(containers[0], wanted):
            patch.put((*path, 0), wanted)
        return
    for index in reversed(at):
        patch.remove((*path, index))
    patch.insert(path, 0, wanted)


def _holds(found: Any, wanted: Any) -> bool:
    """Return whether ``found`` says all that ``wanted`` says; it may say more.

    Between two passes the API server adds defaults, and other webhooks add entries of their own.
    """
    if isinstance(wanted, Mapping):
        return isinstance(found, Mapping) and all(
            key in found and _holds(found[key], value) for key, value in wanted.items()
        )
    if isinstance(wanted, list) and wanted and isinstance(wanted[0], Mapping):
        return isinstance(found, list) and all(
            any(_holds(item, value) for item in found) for value in wanted
        )
    return bool(found == wanted)
