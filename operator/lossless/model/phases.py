"""The life of one pod as phases, and what moves the agent's part of it.

Theory of operation. A pod is *Serving* until the kubelet runs the agent's own preStop hook;
then it is *Draining* until the evidence is complete (*Drained*) or the deadline has passed
(*TimedOut*). Both ends are final: the pod is released and stops. The agent walks this table.

The controller never walks: it derives a pod's phase anew from what it observes, and knows four
more answers. *Starting* and *Held* (ready but for the gate) come before Serving; *Unprotected*
is a terminating pod without an agent; *Lost* is one that vanished without a result, for example
with its node.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Phase(StrEnum):
    """Where a pod stands; shown to people in ``kubectl get`` and stored in status."""

    STARTING = "Starting"
    HELD = "Held"
    SERVING = "Serving"
    DRAINING = "Draining"
    DRAINED = "Drained"
    TIMED_OUT = "TimedOut"
    UNPROTECTED = "Unprotected"
    LOST = "Lost"


class Event(StrEnum):
    """What can happen to the agent."""

    STOP_ASKED = "StopAsked"
    EVIDENCE_COMPLETE = "EvidenceComplete"
    DEADLINE_PASSED = "DeadlinePassed"


#: A drain in one of these phases is over, however it ended.
ENDED: Final = frozenset({Phase.DRAINED, Phase.TIMED_OUT, Phase.LOST})

#: Hooks run again after a kubelet restart, so being asked to stop twice joins the same drain.
TRANSITIONS: Final[Mapping[Phase, Mapping[Event, Phase]]] = MappingProxyType(
    {
        Phase.SERVING: {Event.STOP_ASKED: Phase.DRAINING},
        Phase.DRAINING: {
            Event.STOP_ASKED: Phase.DRAINING,
            Event.EVIDENCE_COMPLETE: Phase.DRAINED,
            Event.DEADLINE_PASSED: Phase.TIMED_OUT,
        },
        Phase.DRAINED: {Event.STOP_ASKED: Phase.DRAINED},
        Phase.TIMED_OUT: {Event.STOP_ASKED: Phase.TIMED_OUT},
    }
)


class IllegalTransition(RuntimeError):  # noqa: N818 # reads as the thing that happened
    """An event that cannot happen in this phase; nothing has changed."""


def advance(phase: Phase, event: Event) -> Phase:
    """Return the phase that follows.

    Raises:
        IllegalTransition: the table has no such step.
    """
    try:
        return TRANSITIONS[phase][event]
    except KeyError:
        raise IllegalTransition(
            f"{event.value} cannot happen to a pod that is {phase.value}"
        ) from None
