"""On which port an agent can go into a pod, or what keeps it out and what to do. Pure."""

from typing import Final

from lossless.injection.admission_pod import AdmissionPod
from lossless.injection.problem import Problem, ProblemKind
from lossless.model.agent_port import agent_port_of
from lossless.model.fields import InvalidSpec
from lossless.model.names import (
    AGENT_CONTAINER,
    AGENT_PORT_ANNOTATION,
    INJECT_LABEL,
    PRIVATE_VOLUME,
    ROLLOUT_LABEL,
    SHARED_VOLUME,
)

_LABEL_VALUE_MAX: Final = 63


def agent_port_in(pod: AdmissionPod, rollout: str, counted: tuple[int, ...]) -> int | Problem:
    """Return the port on which the agent of this pod listens, or why it can have no agent.

    Args:
        pod: as it came.
        rollout: name of the LosslessRollout.
        counted: the ports whose connections count.
    """
    return _obstacle_of(pod, rollout) or _port_of(pod, counted)


def _obstacle_of(pod: AdmissionPod, rollout: str) -> Problem | None:
    if len(rollout) > _LABEL_VALUE_MAX:
        return _not_injected(
            f"the name of LosslessRollout {rollout} does not fit into a label"
            f" ({len(rollout)} characters, {_LABEL_VALUE_MAX} at most)",
            "give it a shorter one",
        )
    if pod.windows:
        return _not_injected(
            "the agent runs on Linux only, and this is a Windows pod",
            f'label its template {INJECT_LABEL}: "false", and nobody tries',
        )
    if pod.named not in {"", rollout}:
        return _not_injected(
            f"the label {ROLLOUT_LABEL}={pod.named} of its template does not name LosslessRollout"
            f" {rollout}, which is for its workload",
            "take the label away",
        )
    return None if pod.injected else _name_clash(pod)


def _port_of(pod: AdmissionPod, counted: tuple[int, ...]) -> int | Problem:
    declared = {port.number: (one, port.name) for one in pod.containers for port in one.ports}
    if pod.host_network:
        if not counted:
            return _not_injected(
                "the pod uses hostNetwork and no TCP port of it is known, so its connections could"
                " not be told from those of its node's other processes",
                "declare the ports that serve clients in its containers",
            )
        for number in counted:
            if number not in declared:
                return _not_injected(
                    f"the pod uses hostNetwork and spec.ports names {number}, which none of its"
                    " containers declares, so two of its pods could come to share it on one node",
                    "declare it in the container that serves it",
                )
    try:
        port = agent_port_of(
            pod.annotations,
            host_network=pod.host_network,
            counted=counted,
            declared=declared,
        )
    except InvalidSpec as invalid:
        reason = f"{invalid.shown}: {invalid.remedy}"
        return _not_injected(reason, "correct it, or remove it", subject=invalid.field)
    if port in declared:
        container, name = declared[port]
        shown = f"port {port} ({name})" if name else f"port {port}"
        return _not_injected(
            f"container {container.name} uses {shown}, which is the agent's",
            f"use another, or give the agent one with the annotation {AGENT_PORT_ANNOTATION}",
        )
    return port


def _name_clash(pod: AdmissionPod) -> Problem | None:
    if pod.has_agent_name:
        return _not_injected(
            f"the pod has a container named {AGENT_CONTAINER}, which is not ours", "rename it"
        )
    for volume in pod.volumes:
        if volume.name in (SHARED_VOLUME, PRIVATE_VOLUME):
            return _not_injected(
                f"the pod has a volume named {volume.name}, which is not ours", "rename it"
            )
    return None


def _not_injected(reason: str, remedy: str, *, subject: str = "") -> Problem:
    return Problem(ProblemKind.NOT_INJECTED, subject, reason, remedy)
