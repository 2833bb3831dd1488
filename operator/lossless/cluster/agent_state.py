"""The agent in a raw pod: what its container declares, and what the kubelet says of it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from lossless.cluster.conditions import is_true, since
from lossless.cluster.timestamps import parse_time
from lossless.model.names import AGENT_CONTAINER, AGENT_PORT_NAME
from lossless.model.rollout.observation import AgentState

#: Conditions of a pod that come before its first container: it has a node, it has a network.
_BEFORE_CONTAINERS: Final = ("PodScheduled", "PodReadyToStartContainers")


def agents_of(spec: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the agent's container, if it was injected.

    Args:
        spec: of the pod.
    """
    return [c for c in spec.get("initContainers") or () if c.get("name") == AGENT_CONTAINER]


def agent_status_of(status: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the agent's ``v1.ContainerStatus``; empty: the kubelet has said nothing of it.

    Args:
        status: of the pod.
    """
    listed = status.get("initContainerStatuses") or ()
    return next((entry for entry in listed if entry.get("name") == AGENT_CONTAINER), {})


def agent_state_of(
    spec: Mapping[str, Any],
    status: Mapping[str, Any],
    conditions: Mapping[str, Mapping[str, Any]],
) -> AgentState:
    """Return how the agent of a pod is.

    Args:
        spec: of the pod.
        status: of the pod.
        conditions: of the pod, by type.
    """
    told = agent_status_of(status)
    state = told.get("state") or {}
    waiting, running = state.get("waiting") or {}, state.get("running")
    ended = (told.get("lastState") or {}).get("terminated") or {}
    return AgentState(
        port=_port(agents_of(spec)),
        waits=waiting.get("reason") or "",
        says=waiting.get("message") or "",
        since=None if running is None else parse_time(running.get("startedAt")),
        due=_due(spec, status, conditions),
        ran=parse_time(ended.get("finishedAt")) - parse_time(ended.get("startedAt")),
        ended=parse_time(ended.get("finishedAt")),
    )


def _due(
    spec: Mapping[str, Any], status: Mapping[str, Any], conditions: Mapping[str, Any]
) -> float:
    """Return since when only the agent itself can keep the agent from starting.

    The kubelet does not say when it began to try: but when the pod had its node, when it had its
    network, and when each of the containers that start before the agent had ended or started.
    """
    names = [container.get("name") for container in spec.get("initContainers") or ()]
    earlier = names[: names.index(AGENT_CONTAINER)] if AGENT_CONTAINER in names else []
    times = [
        since(condition)
        for condition in map(conditions.get, _BEFORE_CONTAINERS)
        if is_true(condition)
    ]
    for entry in status.get("initContainerStatuses") or ():
        if entry.get("name") in earlier:
            state = entry.get("state") or {}
            times += [
                parse_time((state.get("terminated") or {}).get("finishedAt")),
                parse_time((state.get("running") or {}).get("startedAt")),
            ]
    return max(times, default=0.0)


def _port(agents: Sequence[Mapping[str, Any]]) -> int | None:
    # Of the container, not of an annotation: what a pod's containers declare never changes.
    declared = (port for agent in agents for port in agent.get("ports") or ())
    return next(
        (
            port["containerPort"]
            for port in declared
            if port.get("name") == AGENT_PORT_NAME and isinstance(port.get("containerPort"), int)
        ),
        None,
    )
