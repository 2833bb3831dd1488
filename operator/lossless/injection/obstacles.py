"""What keeps an agent out of a pod; each reason says what to do. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from lossless.injection.containers import Place, tcp_ports
from lossless.injection.operating_system import is_windows
from lossless.model.agent_port import agent_port_of
from lossless.model.fields import InvalidSpec
from lossless.model.names import (
    AGENT_CONTAINER,
    AGENT_PORT_ANNOTATION,
    INJECT_LABEL,
    INJECTED_ANNOTATION,
    PRIVATE_VOLUME,
    ROLLOUT_LABEL,
    SHARED_VOLUME,
)
from lossless.model.targets import named_by

_LABEL_VALUE_MAX: Final = 63


def is_injected(pod: Mapping[str, Any]) -> bool:
    """Return whether the pod has been injected already: agent and annotation are there."""
    annotations = pod.get("metadata", {}).get("annotations") or {}
    return INJECTED_ANNOTATION in annotations and any(
        container.get("name") == AGENT_CONTAINER
        for container in pod["spec"].get("initContainers") or ()
    )


def obstacle_of(pod: Mapping[str, Any], rollout: str) -> str:
    """Return why the agent cannot go into this pod; empty if it can."""
    spec = pod["spec"]
    if len(rollout) > _LABEL_VALUE_MAX:
        return (
            f"the name of LosslessRollout {rollout} does not fit into a label"
            f" ({len(rollout)} characters, {_LABEL_VALUE_MAX} at most); give it a shorter one"
        )
    if is_windows(spec):
        return (
            "the agent runs on Linux only, and this is a Windows pod; label its template"
            f' {INJECT_LABEL}: "false", and nobody tries'
        )
    named = named_by(pod)
    if named not in {"", rollout}:
        return (
            f"the label {ROLLOUT_LABEL}={named} of its template does not name LosslessRollout"
            f" {rollout}, which is for its workload; take the label away"
        )
    return "" if is_injected(pod) else _name_clash(spec)


def port_of_agent(
    pod: Mapping[str, Any],
    places: tuple[Place, ...],
    counted: tuple[int, ...],
    *,
    host_network: bool,
) -> tuple[int, str]:
    """Return the agent's port, and what stands against it; empty if nothing does."""
    declared = {number: (place, name) for place in places for name, number in tcp_ports(place)}
    if host_network:
        if not counted:
            return 0, (
                "the pod uses hostNetwork and no TCP port of it is known, so its connections could"
                " not be told from those of its node's other processes; declare the ports that"
                " serve clients in its containers"
            )
        for number in counted:
            if number not in declared:
                return 0, (
                    f"the pod uses hostNetwork and spec.ports names {number}, which none of its"
                    " containers declares, so two of its pods could come to share it on one node;"
                    " declare it in the container that serves it"
                )
    try:
        port = agent_port_of(
            pod["metadata"].get("annotations") or {},
            host_network=host_network,
            counted=counted,
            declared=declared,
        )
    except InvalidSpec as invalid:
        return 0, f"{invalid}; correct it, or remove it"
    if port in declared:
        place, name = declared[port]
        return port, (
            f"container {place.name} uses port {port}{name and f' ({name})'}, which is the agent's;"
            f" use another, or give the agent one with the annotation {AGENT_PORT_ANNOTATION}"
        )
    return port, ""


def _name_clash(spec: Mapping[str, Any]) -> str:
    for kind in ("containers", "initContainers"):
        if any(container.get("name") == AGENT_CONTAINER for container in spec.get(kind) or ()):
            return f"the pod has a container named {AGENT_CONTAINER}, which is not ours; rename it"
    for volume in spec.get("volumes") or ():
        if volume.get("name") in (SHARED_VOLUME, PRIVATE_VOLUME):
            return f"the pod has a volume named {volume['name']}, which is not ours; rename it"
    return ""
