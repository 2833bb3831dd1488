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
    """The pods are protected. Nothing to do."""
    INVALID_SPEC = "InvalidSpec"
    """A field of the spec cannot be acted on, so no pod is held. Correct the field that the message
    names."""
    TARGET_NOT_FOUND = "TargetNotFound"
    """The workload that spec.targetRef names does not exist. Create it, or correct the name."""
    TARGET_TAKEN = "TargetTaken"
    """An older LosslessRollout protects the same workload, and only that one acts. Delete one of
    them."""
    # Injected
    ALL_INJECTED = "AllPodsInjected"
    """Every pod has an agent. Nothing to do."""
    NOT_INJECTED = "PodsNotInjected"
    """Pods were created without an agent although the webhook should have given them one. See
    whether the webhook runs, then restart the workload: kubectl lossless restart."""
    NOT_YET_ROLLED = "NotYetRolled"
    """Pods are older than the LosslessRollout and have no agent. Wait for the next release, or
    restart the workload now: kubectl lossless restart."""
    DECLINED = "InjectionDeclined"
    """The template's label lossless.dev/inject: "false" declines the agent. Take the label away if
    the pods are to be protected."""
    NO_PODS = "NoPods"
    """The workload has no pods. Nothing to do; scale it up if it should have some."""
    # Progressing
    ROLLING = "RolloutUnderWay"
    """A revision is being rolled out. Nothing to do; kubectl lossless status -w shows how far it
    is."""
    FINISHED = "RolloutFinished"
    """The latest revision is rolled out; the message counts how its drains ended. Look at the pods
    that timed out or were lost, if any: kubectl lossless history."""
    NO_ROLLOUT = "NoRollout"
    """No rollout was seen yet. Nothing to do."""
    # Drained
    ALL_DRAINED = "AllDrained"
    """Every pod that stopped had no client left. Nothing to do."""
    DRAINING = "Draining"
    """Pods drain, and the message says who still holds on. Nothing to do; if it takes long, name a
    close driver in spec.close."""
    TIMED_OUT = "DrainTimedOut"
    """A pod was released at its deadline with connections left; they were cut. See who held on
    (kubectl lossless explain POD), then name a close driver or raise spec.drain.timeout."""
    LOST = "PodLost"
    """A pod vanished without a result, for example with its node or by a forced deletion. Look at
    its node and at who deleted it; clients may have seen errors."""
    NO_DRAIN = "NoDrain"
    """No pod has drained yet. Nothing to do."""
    # Paused
    PAUSED_BY_SPEC = "PausedBySpec"
    """spec.paused holds the rollout. Continue it when you are done: kubectl lossless resume."""
    NOT_PAUSED = "NotPaused"
    """Gates open as pods drain. Nothing to do."""
    CANNOT_PAUSE = "CannotPause"
    """The workload paces itself, and no gate of ours can hold it. Hold it by its own means, with
    the command in the message."""
    # Degraded
    UNPROTECTED = "UnprotectedContainers"
    """Containers of a pod do not wait for the drain. Do what the message says of each container,
    then restart the workload."""
    INCOMPLETE = "InjectionIncomplete"
    """A pod is protected, but a part of what was asked for could not be given to it. Do what the
    message says, then restart the workload."""
    AGENT_UNREACHABLE = "AgentUnreachable"
    """The controller gets no answer from agents; their pods drain all the same, but count until
    they are gone. Allow the agent's port from the namespace of the installation in your
    NetworkPolicies."""
    DRIVER_FAILED = "CloseDriverFailed"
    """A close driver failed: clients on open connections are not told to leave, so drains may last
    until timeout. Correct spec.close, or the program that it names."""
    EVIDENCE_UNREADABLE = "EvidenceUnreadable"
    """A source of evidence cannot be read, which is not zero, so drains last until timeout. Correct
    spec.metrics, or the program that it names."""
    INJECTION_SUSPENDED = "InjectionSuspended"
    """Pods with an agent do not start, so new ones get none for a while. Correct the cause in the
    message; it is tried again by itself, or at once with the annotation lossless.dev/resume."""
    AS_EXPECTED = "AsExpected"
    """All is as it should be. Nothing to do."""
    # Events only
    DRAIN_STARTED = "DrainStarted"
    """A pod was asked to stop and drains. Nothing to do."""
    DRAIN_UNPROTECTED = "DrainUnprotected"
    """A pod without an agent stops, and may cut its clients. See why it has none: the condition
    Injected."""
    DRAINED = "Drained"
    """A pod has stopped without a client left. Nothing to do."""
    HELD = "Held"
    """New pods are ready, but wait with their traffic for old ones to drain. Nothing to do; see the
    condition Drained if it takes long."""
    PAUSED = "Paused"
    """The rollout is paused, by spec.paused or after a drain that timed out. See who held on
    (kubectl lossless explain POD), then continue: kubectl lossless resume."""
    ROLLOUT_STARTED = "RolloutStarted"
    """A new revision is being rolled out. Nothing to do."""
    RESUMED = "Resumed"
    """The rollout goes on. Nothing to do."""
    INJECTION_RESUMED = "InjectionResumed"
    """Agents start again, and new pods get them. Restart the workload if pods without one are left:
    kubectl lossless restart."""
    REPLACED = "StuckPodReplaced"
    """A pod that did not start because of its agent was deleted, and is made anew without one.
    Correct the cause in the condition Degraded."""


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
