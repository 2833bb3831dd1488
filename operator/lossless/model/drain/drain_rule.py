"""When a pod may stop: the rule, as a function of the last samples alone.

Drained is: ``propagation`` has passed since the drain started, and for ``quiet`` seconds nobody
opened a connection, and no connection counts and every other counter is at zero, in several
samples in a row that all could be read. Everything else is Busy, or Unknown if nothing is known to
be there but something could not be read: Busy wins over Unknown, because it names what to wait for.
The deadline ends a drain whatever the rule says.

A counter that says zero takes nothing away from what the kernel says. In particular it does not
settle *ambiguous* connections (``model.evidence``): that would be sound only if it was read after
the sockets and counted every port that they came in by. It is read before them, and no proxy's
counter tells which ports those are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lossless.model.drain.readings import Reading
from lossless.model.durations import format_duration
from lossless.model.phases import Event
from lossless.model.policy import DrainPolicy, IdleConnections
from lossless.model.report import Connections, Oldest, Source, SourceState

#: Samples in a row that must agree: one can fall between two connections of the same client.
CONSECUTIVE: Final = 3
#: Seconds after which a sample says nothing about now (the process was stopped meanwhile).
STALE: Final = 30.0


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at all inbound connections from outside the pod."""

    at: float
    problem: str = ""
    """Why they could not be read; then no other field but ``readings`` means anything."""
    active: int = 0
    ambiguous: int = 0
    opening: int = 0
    closing: int = 0
    idle: int = 0
    expired: int = 0
    """Of the idle, those silent for ``clientIdleTimeout``."""
    new: int = 0
    """Opened by clients within the last ``quiet`` seconds."""
    newest: float | None = None
    """When a client last opened a connection, as far as known."""
    inside: int = 0
    """Connections within the pod (a proxy's to its application): never counted."""
    backlog: int = 0
    """Connections that the kernel has accepted and the application has not."""
    oldest: Oldest | None = None
    """The connection that holds on longest; an active one if there is any."""
    readings: tuple[Reading, ...] = ()
    """Of every counter beside the kernel's, taken right before the sockets were read."""

    @property
    def busy(self) -> int:
        """Connections that count under every policy."""
        return self.active + self.ambiguous + self.opening + self.closing

    @property
    def connections(self) -> Connections:
        """The same in the terms of a report."""
        return Connections(active=self.busy, idle=self.idle, new=self.new)

    def discarded(self, policy: DrainPolicy) -> int:
        """Return how many idle connections do not count under ``policy``."""
        return self.expired if policy.idle_connections is IdleConnections.DISCARD else 0

    def counting(self, policy: DrainPolicy) -> int:
        """Return how many connections the drain waits for under ``policy``."""
        return self.busy + self.idle - self.discarded(policy)

    def empty(self, policy: DrainPolicy) -> bool:
        """Tell whether everything could be read, and nothing was there that counts."""
        return (
            not self.problem
            and not self.counting(policy)
            and all(reading.value == 0 for reading in self.readings)
        )


@dataclass(frozen=True, slots=True)
class Drained:
    """No client can notice if the pod stops."""

    discarded: int
    reason: str


@dataclass(frozen=True, slots=True)
class Busy:
    """Somebody would notice, or might."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nothing can be said; never the same as nothing being there."""

    reason: str


Verdict = Drained | Busy | Unknown


def judge(
    samples: Sequence[Sample], policy: DrainPolicy, started: float, watched: float, now: float
) -> Verdict:
    """Return what the evidence says.

    Args:
        samples: the latest, oldest first; more than ``CONSECUTIVE`` do not matter.
        policy: durations in seconds.
        started: when the drain started.
        watched: since when every look has succeeded; before that, connections may have come
            and gone unseen, so nothing was quiet.
        now: on the clock of the samples.
    """
    if not samples:
        return Unknown("no connection has been looked at yet")
    last = samples[-1]
    if now - last.at >= STALE:
        return Unknown(f"connections were last counted {_ago(now - last.at)} ago")
    waits = [reading.busy for reading in last.readings]
    gaps = [reading.unknown for reading in last.readings]
    if last.problem:
        gaps.insert(0, f"cannot count connections: {last.problem}")
    else:
        waits = [
            _left(last, policy),
            *waits,
            _noise(last, policy, watched, now),
            _propagation(policy, now - started),
        ]
    told = "; ".join(text for text in (*waits, *gaps) if text)
    if any(waits):
        return Busy(told)
    if told:
        return Unknown(told)
    window = samples[-CONSECUTIVE:]
    agreeing = sum(1 for one in window if one.empty(policy))
    if agreeing < CONSECUTIVE:
        return Busy(f"nothing left in {agreeing} of {CONSECUTIVE} looks")
    discarded = last.discarded(policy)
    reason = "no connection left"
    if discarded:
        silent = format_duration(policy.client_idle_timeout)
        reason = f"no connection left but {discarded} idle for {silent} or longer, discarded"
    return Drained(discarded, reason)


def sources_of(
    sample: Sample, policy: DrainPolicy, counted: float, now: float
) -> tuple[Source, ...]:
    """Return what each source of evidence says by ``sample``; the kernel is the first.

    Args:
        sample: the latest.
        policy: says which connections count.
        counted: when the kernel's connections were last counted, or when that was first tried.
        now: on the same clock.
    """
    age = now - sample.at
    if sample.problem:
        kernel = Source("kernel", SourceState.UNKNOWN, age=now - counted, reason=sample.problem)
    else:
        left = sample.counting(policy)
        state = SourceState.BUSY if left else SourceState.DRAINED
        kernel = Source("kernel", state, left, age, _left(sample, policy))
    return (kernel, *(_source(reading, age) for reading in sample.readings))


def next_event(verdict: Verdict, policy: DrainPolicy, started: float, now: float) -> Event | None:
    """Return what happens to a draining pod now, if anything does."""
    if isinstance(verdict, Drained):
        return Event.EVIDENCE_COMPLETE
    if now - started >= policy.timeout:
        return Event.DEADLINE_PASSED
    return None


def _left(sample: Sample, policy: DrainPolicy) -> str:
    total = sample.counting(policy)
    if not total:
        return ""
    kinds = (
        (sample.active, "active"),
        (sample.ambiguous, "not provably idle (answered and asked within one kernel tick)"),
        (sample.opening, "opening"),
        (sample.closing, "closing"),
        (sample.idle - sample.discarded(policy), "idle"),
    )
    shown = ", ".join(f"{count} {kind}" for count, kind in kinds if count)
    text = f"{total} connection{'s' if total > 1 else ''}: {shown}"
    if sample.oldest is not None:
        text += f"; oldest {sample.oldest.peer} for {_ago(sample.oldest.age)}"
    return text


def _source(reading: Reading, age: float) -> Source:
    if reading.value is None:
        state, age, reason = SourceState.UNKNOWN, reading.age, reading.problem
    else:
        state = SourceState.BUSY if reading.value else SourceState.DRAINED
        reason = reading.busy or reading.note
    return Source(reading.source, state, reading.value, age, reason)


def _noise(sample: Sample, policy: DrainPolicy, watched: float, now: float) -> str:
    newest = sample.newest
    quiet = now - (watched if newest is None else max(watched, newest))
    if quiet >= policy.quiet:
        return ""
    wanted = f"quiet is {format_duration(policy.quiet)}"
    if newest is None or newest < watched:
        return f"new connections have been watched for {_ago(quiet)}, {wanted}"
    return f"a new connection came {_ago(quiet)} ago, {wanted}"


def _propagation(policy: DrainPolicy, passed: float) -> str:
    left = policy.propagation - passed
    return f"propagation takes another {_ago(left)}" if left > 0 else ""


def _ago(seconds: float) -> str:
    return format_duration(round(seconds, 1) if seconds < 10 else round(seconds))  # noqa: PLR2004 # tenths matter only below
