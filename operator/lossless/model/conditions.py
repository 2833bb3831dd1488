"""Conditions of a LosslessRollout: one answer each, with a reason for programs and people.

The shape is ``metav1.Condition``. ``Unknown`` is an answer of its own: nothing was seen that
could be judged.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

#: Longest message; the CRD allows more, an Event does not (k8s.io/api events/v1: 1024 bytes).
MAX_MESSAGE: Final = 800


class ConditionType(StrEnum):
    """What is asked, in the order in which it is shown."""

    READY = "Ready"
    INJECTED = "Injected"
    PROGRESSING = "Progressing"
    DRAINED = "Drained"
    PAUSED = "Paused"
    DEGRADED = "Degraded"


class Answer(StrEnum):
    """``status`` of a condition."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Reason(StrEnum):
    """Why; stored in status and used as ``reason`` of Events, so a change is one of contract."""

    # Ready
    PROTECTING = "Protecting"
    INVALID_SPEC = "InvalidSpec"
    TARGET_NOT_FOUND = "TargetNotFound"
    TARGET_TAKEN = "TargetTaken"
    # Injected
    ALL_INJECTED = "AllPodsInjected"
    NOT_INJECTED = "PodsNotInjected"
    NOT_YET_ROLLED = "NotYetRolled"
    DECLINED = "InjectionDeclined"
    NO_PODS = "NoPods"
    # Progressing
    ROLLING = "RolloutUnderWay"
    FINISHED = "RolloutFinished"
    NO_ROLLOUT = "NoRollout"
    # Drained
    ALL_DRAINED = "AllDrained"
    DRAINING = "Draining"
    TIMED_OUT = "DrainTimedOut"
    LOST = "PodLost"
    NO_DRAIN = "NoDrain"
    # Paused
    PAUSED_BY_SPEC = "PausedBySpec"
    NOT_PAUSED = "NotPaused"
    CANNOT_PAUSE = "CannotPause"
    # Degraded
    UNPROTECTED = "UnprotectedContainers"
    INCOMPLETE = "InjectionIncomplete"
    AGENT_UNREACHABLE = "AgentUnreachable"
    DRIVER_FAILED = "CloseDriverFailed"
    EVIDENCE_UNREADABLE = "EvidenceUnreadable"
    INJECTION_SUSPENDED = "InjectionSuspended"
    AS_EXPECTED = "AsExpected"
    # Events only
    DRAIN_STARTED = "DrainStarted"
    DRAIN_UNPROTECTED = "DrainUnprotected"
    DRAINED = "Drained"
    HELD = "Held"
    PAUSED = "Paused"
    ROLLOUT_STARTED = "RolloutStarted"
    RESUMED = "Resumed"
    INJECTION_RESUMED = "InjectionResumed"
    REPLACED = "StuckPodReplaced"


@dataclass(frozen=True, slots=True)
class Condition:
    """One answer."""

    type: ConditionType
    status: Answer
    reason: str
    message: str
    generation: int = 0
    """Of the spec that was answered."""
    since: int = 0
    """When the answer last changed, in seconds of the epoch."""


def settled(
    fresh: Iterable[Condition], before: Iterable[Condition], *, generation: int, now: float
) -> tuple[Condition, ...]:
    """Return ``fresh`` with the times at which each answer last changed.

    A new reason or message for the same answer is no transition (metav1.Condition).
    """
    known = {condition.type: condition for condition in before}
    result = []
    for condition in fresh:
        old = known.get(condition.type)
        same = old is not None and old.status == condition.status
        result.append(
            replace(
                condition,
                message=shortened(condition.message),
                generation=generation,
                since=old.since if old is not None and same else int(now),
            )
        )
    return tuple(result)


def shortened(text: str, longest: int = MAX_MESSAGE) -> str:
    """Return ``text`` if it is not too long, else its beginning, marked as cut."""
    return text if len(text) <= longest else text[: longest - 3] + "..."
