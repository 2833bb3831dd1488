"""What metrics say of one LosslessRollout, as one look at it has shown it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from lossless.model.conditions import Answer, ConditionType
from lossless.model.report import Connections
from lossless.model.rollout.observation import Pod
from lossless.model.status import RolloutPhase, RolloutStatus


class UnprotectedReason(StrEnum):
    """Why a pod would stop without a drain, or with half of one; a label of the metrics."""

    MISSED = "missed"
    """Created after its LosslessRollout, and the webhook did not inject it."""
    OLDER = "older"
    """Created before its LosslessRollout, and not replaced since."""
    DECLINED = "declined"
    """Its template asks not to be injected."""
    CONTAINERS = "containers"
    """It has an agent, but a container of it does not wait for the drain."""


@dataclass(frozen=True, slots=True)
class Measures:
    """The state of one LosslessRollout."""

    phase: RolloutPhase
    replicas: int | None
    """Pods of the workload; None: it could not be looked at, and so it is with all below."""
    updated: int | None
    draining: int | None
    held: int | None
    connections: Connections | None
    """Left on pods that drain; None: those of no pod are known."""
    unprotected: Mapping[UnprotectedReason, int] | None
    ready: bool
    paused: bool
    suspended: bool
    """New pods start without an agent."""


def unprotected_reason_of(pod: Pod, since: float) -> UnprotectedReason | None:
    """Return why ``pod`` is not protected; None if it is.

    Args:
        pod: of the workload.
        since: when the LosslessRollout was created, in seconds of the epoch.
    """
    if pod.rollout:
        return UnprotectedReason.CONTAINERS if pod.unprotected else None
    if pod.declined:
        return UnprotectedReason.DECLINED
    return UnprotectedReason.MISSED if pod.created > since else UnprotectedReason.OLDER


def unprotected(pods: Iterable[Pod], since: float) -> dict[UnprotectedReason, int]:
    """Return how many pods that serve, or will, are not protected; every reason is a key.

    Args:
        pods: of the workload.
        since: when the LosslessRollout was created, in seconds of the epoch.
    """
    found = [unprotected_reason_of(pod, since) for pod in pods if pod.live]
    return {reason: found.count(reason) for reason in UnprotectedReason}


def measures_of(
    status: RolloutStatus,
    connections: Connections | None,
    bare: Mapping[UnprotectedReason, int] | None,
) -> Measures:
    """Return what is to be told.

    Args:
        status: to be stored, or as it stands.
        connections: left on pods that drain; None: unknown.
        bare: from ``unprotected``; None: the workload could not be looked at.
    """

    def holds(kind: ConditionType) -> bool:
        condition = status.condition(kind)
        return condition is not None and condition.status is Answer.TRUE

    seen = bare is not None
    return Measures(
        phase=status.phase or RolloutPhase.DEGRADED,
        replicas=status.replicas if seen else None,
        updated=status.updated if seen else None,
        draining=status.draining if seen else None,
        held=status.held if seen else None,
        connections=connections,
        unprotected=bare,
        ready=holds(ConditionType.READY),
        paused=holds(ConditionType.PAUSED),
        suspended=status.injection is not None and not status.injection.trying,
    )
