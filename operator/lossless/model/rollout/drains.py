"""How the drains of one workload stand: who drains, who has ended, and how.

Theory of operation. A drain takes one of ``pacing.maxDraining`` places from the moment its pod is
asked to stop until it has ended. It ends when its agent says so (over HTTP, or by its termination
message), when its pod is gone, or, should nobody ever hear of it again, ``OVERDUE`` seconds after
the grace period. So no drain can hold a rollout for ever, whatever becomes of agents and nodes.
A pod that was never Ready has no clients and is no drain: it is what an undone release leaves.

What has ended once stays so: ``status.pods`` remembers it by uid, and it is counted at the moment
it enters that list. Terminating pods beyond ``MAX_PODS`` take their places but wait for an entry
before they are counted, so that none is counted twice.
"""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Final

from lossless.model.durations import format_duration
from lossless.model.phases import ENDED, Phase
from lossless.model.report import Connections, Oldest, Report
from lossless.model.rollout.observation import TAKES_A_PLACE, Departure, Evidence, Pod, Unknown
from lossless.model.status import MAX_PODS, PodStatus
from lossless.model.troubles import PodTrouble, Trouble, findings, told

#: Seconds after the end of the grace period at which a pod that still exists is given up. The
#: kubelet kills at that end, with 2 s to spare, and needs some seconds to say so; a pod that is
#: still there after that has no node, or a finalizer, and drains nothing any more.
OVERDUE: Final = 30.0
#: Seconds into a drain after which an agent that cannot be reached is worth a warning. At the end
#: of a drain agents leave a moment before their pods do.
SILENT: Final = 10.0
#: Seconds for which the result of a pod that is gone stays in ``status.pods``.
HISTORY: Final = 3600


@dataclass(frozen=True, slots=True)
class Outcome:
    """A drain that has just ended."""

    name: str
    uid: str
    phase: Phase
    """Drained, TimedOut or Lost."""
    seconds: float
    connections: Connections | None = None
    """What was left; None: unknown."""
    oldest: Oldest | None = None
    discarded: int = 0
    reason: str = ""
    troubles: tuple[Trouble, ...] = ()
    """As in ``PodStatus``."""


@dataclass(frozen=True, slots=True)
class Drains:
    """The drains of one workload after one look."""

    entries: tuple[PodStatus, ...]
    """For ``status.pods``: pods that stop, and results of pods that are gone."""
    present: frozenset[str]
    """Uids of ``entries`` whose pods still exist."""
    started: tuple[PodStatus, ...]
    """Began since the last look and still go on."""
    outcomes: tuple[Outcome, ...]
    """Ended since the last look."""
    places: int
    """Places taken, tracked or not."""
    unreachable: tuple[str, ...]
    """Names of pods that drain and whose agents do not answer."""
    troubles: tuple[PodTrouble, ...] = ()
    """What agents say is wrong, one for each pod and kind."""


def follow(
    pods: Iterable[Pod],
    departures: Iterable[Departure],
    before: Sequence[PodStatus],
    now: float,
    *,
    strays: AbstractSet[str] = frozenset(),
) -> Drains:
    """Return how the drains stand, given what the last look left in ``status.pods``.

    Args:
        pods: of the workload.
        departures: pods that went since the last look.
        before: what the last look left.
        now: seconds of the epoch.
        strays: uids of pods that exist and are not the workload's (any more): how their drains go
            on is nobody's business here, but they are not lost.
    """
    known = {entry.uid: entry for entry in before}
    departures = tuple(departures)
    terminating = sorted(
        (pod for pod in pods if pod.deletion is not None),
        key=lambda pod: (pod.uid not in known, pod.stop_asked, pod.name),
    )
    entries: list[PodStatus] = []
    outcomes: list[Outcome] = []
    places = 0
    for pod in terminating:
        entry, outcome = _standing(pod, known.get(pod.uid), now)
        places += entry is not None and entry.phase in TAKES_A_PLACE
        if entry is None or len(entries) == MAX_PODS:
            continue
        entries.append(entry)
        if outcome is not None:
            outcomes.append(outcome)
    present = frozenset(entry.uid for entry in entries)

    existing = {pod.uid for pod in pods}
    gone, ended = _vanished(existing, strays, departures, known, now)
    draining = {entry.uid for entry in entries if entry.phase is Phase.DRAINING}
    return Drains(
        entries=(*entries, *gone),
        present=present,
        started=tuple(
            entry
            for entry in entries
            if entry.phase in TAKES_A_PLACE and not _was_stopping(known.get(entry.uid))
        ),
        outcomes=(*outcomes, *ended),
        places=places,
        unreachable=tuple(
            pod.name
            for pod in terminating
            if pod.uid in draining
            and isinstance(pod.evidence, Unknown)
            and now - pod.stop_asked >= SILENT
        ),
        troubles=_troubles((*terminating, *departures), known, {*present, *(e.uid for e in gone)}),
    )


def coarse(seconds: float) -> int:
    """Return whole seconds, rounded down the more the longer it is: status is not a stopwatch."""
    for limit, step in ((60, 2), (600, 10)):
        if seconds < limit:
            return int(seconds // step * step)
    return int(seconds // 60 * 60)


def _troubles(
    pods: Iterable[Pod | Departure], known: Mapping[str, PodStatus], listed: set[str]
) -> tuple[PodTrouble, ...]:
    """Return what agents say is wrong; each result of a drain is looked at once."""
    found = {}
    for pod in pods:
        entry = known.get(pod.uid)
        report = pod.evidence
        if (
            not isinstance(report, Report)
            or pod.uid not in listed
            or (entry is not None and entry.phase in ENDED)
        ):
            continue
        for kind in Trouble:
            text = told(tuple(one for one in findings(report) if one.kind is kind))
            if text:
                found[pod.uid, kind] = PodTrouble(
                    pod.name,
                    pod.uid,
                    kind,
                    text,
                    ended=report.phase in ENDED,
                    fresh=entry is None or kind not in entry.troubles,
                )
    return tuple(found.values())


def _kinds(evidence: Evidence | None, before: PodStatus | None) -> tuple[Trouble, ...]:
    """Return the troubles there are and have been, in the order of their kinds."""
    there = {one.kind for one in findings(evidence)} if isinstance(evidence, Report) else set()
    been = () if before is None else before.troubles
    return tuple(kind for kind in Trouble if kind in there or kind in been)


def _was_stopping(entry: PodStatus | None) -> bool:
    return entry is not None and (entry.phase in TAKES_A_PLACE or entry.phase in ENDED)


def _standing(
    pod: Pod, before: PodStatus | None, now: float
) -> tuple[PodStatus | None, Outcome | None]:
    if before is not None and before.phase in ENDED:
        return before, None
    assert pod.deletion is not None  # noqa: S101 # the caller's filter, for the type checker
    over = pod.finished or now > pod.deletion + OVERDUE
    entry = PodStatus(name=pod.name, uid=pod.uid, phase=Phase.DRAINING, since=int(pod.stop_asked))
    if not pod.served:
        return None, None
    if not pod.rollout:
        reason = "has no agent; it stops as if we were not here"
        return (None if over else replace(entry, phase=Phase.UNPROTECTED, reason=reason)), None
    result = _result_of(pod.evidence)
    if result is not None or over:
        outcome = _outcome(pod.name, pod.uid, result or pod.evidence, now - pod.stop_asked, before)
        return _entry_of(outcome, now), outcome
    entry = replace(entry, troubles=_kinds(pod.evidence, before))
    return _draining(entry, pod.evidence), None


def _draining(entry: PodStatus, evidence: Evidence | None) -> PodStatus:
    match evidence:
        case Report() as report:
            oldest = report.oldest and Oldest(report.oldest.peer, coarse(report.oldest.age))
            # What cannot be read is among the agent's own reasons.
            failed = [one for one in findings(report) if one.kind is Trouble.DRIVER_FAILED]
            reason = "; ".join(filter(None, (report.reason, told(tuple(failed)))))
            return replace(entry, connections=report.connections, oldest=oldest, reason=reason)
        case Unknown(cause):
            return replace(entry, reason=f"its agent does not answer: {cause}")
        case None:
            return replace(entry, reason="its agent was not asked yet")


def _vanished(
    existing: AbstractSet[str],
    strays: AbstractSet[str],
    departures: Iterable[Departure],
    known: Mapping[str, PodStatus],
    now: float,
) -> tuple[list[PodStatus], list[Outcome]]:
    entries: list[PodStatus] = []
    outcomes: list[Outcome] = []
    left = {departure.uid: departure for departure in departures if departure.uid not in existing}
    for uid, entry in known.items():
        if uid in existing or (uid in strays and entry.phase not in ENDED):
            continue
        if entry.phase in ENDED:
            left.pop(uid, None)
            if now - entry.since < HISTORY:
                entries.append(entry)
        elif entry.phase is Phase.DRAINING and uid not in left:
            left[uid] = Departure(
                name=entry.name,
                uid=uid,
                evidence=Unknown("nobody saw it go"),
                served=True,
            )
    for uid, departure in left.items():
        result = _result_of(departure.evidence)
        if result is None and not departure.served:
            continue
        before = known.get(uid)
        draining = before is not None and before.phase is Phase.DRAINING
        seconds = now - before.since if before is not None and draining else 0.0
        outcome = _outcome(departure.name, uid, result or departure.evidence, seconds, before)
        outcomes.append(outcome)
        entries.append(_entry_of(outcome, now))
    return entries, outcomes


def _result_of(evidence: Evidence | None) -> Report | None:
    return evidence if isinstance(evidence, Report) and evidence.phase in ENDED else None


def _outcome(
    name: str, uid: str, evidence: Evidence | None, seconds: float, before: PodStatus | None
) -> Outcome:
    """Say how a drain ended; evidence that is no result means that nobody will ever know."""
    report = _result_of(evidence)
    if report is None:
        cause = evidence.cause if isinstance(evidence, Unknown) else "it was still draining"
        return Outcome(
            name=name,
            uid=uid,
            phase=Phase.LOST,
            seconds=max(0.0, seconds),
            reason=f"ended without a result: {cause}",
            troubles=_kinds(evidence, before),
        )
    took = format_duration(round(report.seconds))
    counts = report.connections
    if report.phase is Phase.DRAINED:
        reason = f"drained in {took}"
        if report.discarded:
            reason += f", {report.discarded} idle connections discarded"
    else:
        reason = (
            f"released after {took} with {counts.active} active and {counts.idle} idle"
            " connections left"
        )
        if report.oldest is not None:
            held = format_duration(round(report.oldest.age))
            reason += f"; {report.oldest.peer} held on longest, for {held}"
    wrong = told(findings(report))
    if wrong:
        reason += f"; {wrong}"
    return Outcome(
        name=name,
        uid=uid,
        phase=report.phase,
        seconds=report.seconds,
        connections=counts,
        oldest=report.oldest,
        discarded=report.discarded,
        reason=reason,
        troubles=_kinds(report, before),
    )


def _entry_of(outcome: Outcome, now: float) -> PodStatus:
    oldest = outcome.oldest
    return PodStatus(
        name=outcome.name,
        uid=outcome.uid,
        phase=outcome.phase,
        since=int(now),
        connections=outcome.connections,
        oldest=oldest and Oldest(oldest.peer, coarse(oldest.age)),
        reason=outcome.reason,
        troubles=outcome.troubles,
    )
