"""The steps of ``lossless host``, in order, and what may follow when they do not go on. Pure.

Theory of operation. A verb is a list of steps. Each step is written to the journal before it
begins (*begun*) and after it has ended well (*done*), so whoever comes after a crash knows the one
step that may be half done. Every step may be done twice.

Until the application is asked to stop, nothing is lost yet: a failure or Ctrl-C leads back, the
host serves on with what it ran before (``retreat``). From then on there is no way back, only
forward: the host stays out of the load balancer, which harms no client, and the next ``publish``
goes on (``remaining``), unless somebody has put the host back into traffic by hand meanwhile.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Step(StrEnum):
    """One step; stored in the journal."""

    WITHDRAW = "Withdraw"
    DRAIN = "Drain"
    STOP_PROXY = "StopProxy"
    STOP_APP = "StopApp"
    START_APP = "StartApp"
    READY = "Ready"
    START_PROXY = "StartProxy"
    REOPEN = "Reopen"
    RESTORE = "Restore"
    TRAFFIC = "Traffic"


class Verb(StrEnum):
    """What a run is for; stored in the journal."""

    PUBLISH = "publish"
    OFFLINE = "offline"
    ONLINE = "online"


#: What people are told of each step.
TITLES: Final[Mapping[Step, str]] = MappingProxyType(
    {
        Step.WITHDRAW: "remove the status file",
        Step.DRAIN: "tell clients to leave, and wait for the evidence that none is left",
        Step.STOP_PROXY: "stop the proxy",
        Step.STOP_APP: "stop the application",
        Step.START_APP: "start the application",
        Step.READY: "wait until the application really answers",
        Step.START_PROXY: "start the proxy",
        Step.REOPEN: "take back what told clients to leave",
        Step.RESTORE: "restore the status file",
        Step.TRAFFIC: "wait until the load balancer sends traffic",
    }
)

_ORDER: Final = tuple(Step)
#: ``online`` starts no application, and stops nothing; the proxy is started if it is not there.
_STEPS: Final[Mapping[Verb, tuple[Step, ...]]] = MappingProxyType(
    {
        Verb.PUBLISH: _ORDER,
        Verb.OFFLINE: (Step.WITHDRAW, Step.DRAIN),
        Verb.ONLINE: (Step.START_PROXY, Step.REOPEN, Step.READY, Step.RESTORE, Step.TRAFFIC),
    }
)


@dataclass(frozen=True, slots=True)
class Marks:
    """How far a run has come."""

    begun: frozenset[Step] = frozenset()
    done: frozenset[Step] = frozenset()

    def begin(self, step: Step) -> "Marks":
        """Return the marks once ``step`` has begun; if it was done before, it no longer is."""
        return Marks(self.begun | {step}, self.done - {step})

    def finish(self, step: Step) -> "Marks":
        """Return the marks once ``step`` is done."""
        return Marks(self.begun | {step}, self.done | {step})

    @property
    def half(self) -> Step | None:
        """The step that may be half done, if there is one."""
        return next((step for step in _ORDER if step in self.begun - self.done), None)


def steps_of(verb: Verb, *, proxy: bool, reopens: bool) -> tuple[Step, ...]:
    """Return the steps of ``verb``, in order.

    Args:
        verb: what is to be done.
        proxy: there is a proxy to stop and start.
        reopens: something that told clients to leave has to be taken back.
    """
    absent = {Step.STOP_PROXY, Step.START_PROXY} if not proxy else set()
    absent |= {Step.REOPEN} if not reopens else set()
    return tuple(step for step in _STEPS[verb] if step not in absent)


def remaining(
    steps: Sequence[Step], marks: Marks, *, flagged: bool, listening: bool, failed: bool
) -> tuple[Step, ...]:
    """Return what is left to do of a publish that did not come to its end.

    A status file that the run has not restored was put there by somebody else: the host is back in
    traffic, with whatever application was started by hand, so all of it begins anew. Until the run
    has started the application, a counted port that is listened on says the same; afterwards the
    listener may be that application. One that did not start or answer is stopped and started
    again: whoever comes again has mended it.

    Args:
        steps: of the whole publish.
        marks: how far it had come.
        flagged: right now a status file is there, or that cannot be seen.
        listening: right now something listens on a counted port.
        failed: a step has failed; else the run was cut off.
    """
    if flagged and not is_online(marks):
        return tuple(steps)
    stops = [step for step in steps if step in (Step.STOP_PROXY, Step.STOP_APP)]
    closed = not flagged and not listening
    if Step.START_APP not in marks.begun and not (closed and stops[0] in marks.done):
        return tuple(steps)
    if failed and marks.half in (Step.START_APP, Step.READY):
        return tuple(steps[steps.index(Step.STOP_APP) :])
    # What answered then may have died since, by a power cut for example, so READY is always
    # among them, and with it RESTORE: the flag may have been removed again.
    undone = (index for index, step in enumerate(steps) if step not in marks.done)
    return tuple(steps[min(next(undone, len(steps)), steps.index(Step.READY)) :])


def retreat(
    marks: Marks, steps: Collection[Step], *, was_offline: bool = False
) -> tuple[Step, ...] | None:
    """Return what puts the host back with the application that still runs; None: it is too late.

    Args:
        marks: how far the run has come.
        steps: that this host knows at all, of every verb.
        was_offline: the host had been taken offline on purpose before.
    """
    if Step.STOP_APP in marks.begun:
        return None
    back = [Step.START_PROXY] if Step.STOP_PROXY in marks.begun else []
    back += [] if was_offline else [Step.REOPEN, Step.READY, Step.RESTORE]
    return tuple(step for step in back if step in steps)


def is_online(marks: Marks) -> bool:
    """Tell whether the run has put the host back already."""
    return Step.RESTORE in marks.done
