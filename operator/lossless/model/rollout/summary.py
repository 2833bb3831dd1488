"""What is shown to people of the whole: the one-word phase and the conditions.

Messages are read at three in the morning: they say what is the case, and what to do about it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from lossless.model import commands
from lossless.model.conditions import Answer, Condition, ConditionType, Reason
from lossless.model.durations import format_duration
from lossless.model.fields import InvalidSpec
from lossless.model.names import INJECT_LABEL, WEBHOOK_SERVICE
from lossless.model.phases import Phase
from lossless.model.policy import OnTimeout
from lossless.model.rollout import breaker
from lossless.model.rollout.measures import UnprotectedReason, unprotected_reason_of
from lossless.model.rollout.observation import Observation, Rollout
from lossless.model.rollout.picture import Picture
from lossless.model.status import RolloutPhase, RolloutRecord
from lossless.model.troubles import REMEDIES

_NAMED: Final = 3


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a LosslessRollout cannot be acted on at all."""

    reason: Reason
    message: str


def problem_of(seen: Observation, rollout: Rollout) -> Problem | None:
    """Return what keeps ``rollout`` from being acted on, if anything does."""
    if isinstance(rollout.spec, InvalidSpec):
        return Problem(Reason.INVALID_SPEC, f"{rollout.spec}. No pod is held until it is valid")
    target = rollout.spec.target.of(seen.name)
    named = f"{target.kind} {seen.namespace}/{target.name}"
    if seen.owner:
        return Problem(
            Reason.TARGET_TAKEN,
            f"{named} is protected by the older LosslessRollout {seen.owner} already, so this one"
            f" does nothing. Delete one of them: kubectl delete llr {seen.name}"
            f" -n {seen.namespace}",
        )
    if seen.workload is None:
        return Problem(
            Reason.TARGET_NOT_FOUND,
            f"there is no {named}; create it, or correct spec.targetRef.name",
        )
    return None


def conditions_of_problem(problem: Problem) -> tuple[Condition, ...]:
    """Return the conditions of a LosslessRollout that cannot be acted on."""
    unknown = (
        ConditionType.INJECTED,
        ConditionType.PROGRESSING,
        ConditionType.DRAINED,
    )
    return (
        Condition(ConditionType.READY, Answer.FALSE, problem.reason, problem.message),
        *(
            Condition(kind, Answer.UNKNOWN, problem.reason, "not looked at; see Ready")
            for kind in unknown
        ),
        Condition(ConditionType.PAUSED, Answer.FALSE, Reason.NOT_PAUSED, "no pod is held"),
        Condition(ConditionType.DEGRADED, Answer.TRUE, problem.reason, problem.message),
    )


def conditions_of(picture: Picture) -> tuple[Condition, ...]:
    """Return the conditions, in the order in which they are shown."""
    injected = _injected(picture)
    return (
        _ready(picture, injected),
        injected,
        _progressing(picture),
        _drained(picture),
        _paused(picture),
        _degraded(picture),
    )


def phase_of(conditions: Iterable[Condition], places: int) -> RolloutPhase:
    """Return the one word for the whole; what asks for action comes first.

    Args:
        conditions: of the LosslessRollout.
        places: drains that have not ended.
    """
    status = {condition.type: condition.status for condition in conditions}
    order = (
        (status[ConditionType.PAUSED] is Answer.TRUE, RolloutPhase.PAUSED),
        (status[ConditionType.PROGRESSING] is Answer.TRUE, RolloutPhase.PROGRESSING),
        (places > 0, RolloutPhase.DRAINING),
        (status[ConditionType.INJECTED] is Answer.FALSE, RolloutPhase.NOT_INJECTED),
        (status[ConditionType.DEGRADED] is Answer.TRUE, RolloutPhase.DEGRADED),
    )
    return next((phase for applies, phase in order if applies), RolloutPhase.READY)


def _ready(picture: Picture, injected: Condition) -> Condition:
    if injected.status is Answer.FALSE:
        return Condition(ConditionType.READY, Answer.FALSE, injected.reason, injected.message)
    message = (
        f"{picture.workload.target.pods} stop when no client can notice, or after"
        f" {format_duration(picture.spec.drain.timeout)}"
    )
    if not picture.spec.close:
        message += (
            ". spec.close names no close driver: a client that keeps one connection busy is never"
            " told to leave and may hold a drain until that timeout"
        )
    return Condition(ConditionType.READY, Answer.TRUE, Reason.PROTECTING, message)


def _injected(picture: Picture) -> Condition:
    live = [pod for pod in picture.pods if pod.live]
    bare = [pod for pod in live if not pod.rollout]
    target = picture.workload.target
    if not live:
        message = f"there are no {target.pods}"
        return Condition(ConditionType.INJECTED, Answer.UNKNOWN, Reason.NO_PODS, message)
    if not bare:
        message = f"all {_count(len(live), 'pod')} have an agent"
        return Condition(ConditionType.INJECTED, Answer.TRUE, Reason.ALL_INJECTED, message)
    roll = commands.roll(picture.namespace, target)
    share = f"{len(bare)} of {_count(len(live), 'pod')}"
    since = picture.rollout.created
    missed = [pod for pod in bare if unprotected_reason_of(pod, since) is UnprotectedReason.MISSED]
    if picture.suspension is not None:
        reason = Reason.INJECTION_SUSPENDED
        message = f"{share} have no agent and would stop without a drain; see Degraded"
    elif missed:
        reason = Reason.NOT_INJECTED
        message = (
            f"{share} have no agent and would stop without a drain. {len(missed)} of them"
            f" ({_names(p.name for p in missed)}) were created after this LosslessRollout, so the"
            " webhook did not answer or injection was suspended: look at the pods behind Service"
            f" {WEBHOOK_SERVICE}; once they are well: {roll}"
        )
    elif all(pod.declined for pod in bare):
        reason = Reason.DECLINED
        message = (
            f'{share} decline the agent by the label {INJECT_LABEL}: "false" of their template and'
            " would stop without a drain; take the label away to protect them"
        )
    else:
        reason = Reason.NOT_YET_ROLLED
        message = (
            f"{share} are older than this LosslessRollout and would stop without a drain; they get"
            f" their agent when they are replaced, at the next release or now: {roll}"
        )
    return Condition(ConditionType.INJECTED, Answer.FALSE, reason, message)


def _progressing(picture: Picture) -> Condition:
    last = picture.pacing.rollout
    if last is None:
        message = "no rollout was seen yet"
        return Condition(ConditionType.PROGRESSING, Answer.FALSE, Reason.NO_ROLLOUT, message)
    if last.finished:
        took = format_duration(last.finished - last.started)
        message = f"revision {picture.pacing.revision} was rolled out in {took}: {_results(last)}"
        return Condition(ConditionType.PROGRESSING, Answer.FALSE, Reason.FINISHED, message)
    message = (
        f"revision {picture.pacing.revision}: {picture.counted.new} of"
        f" {_count(picture.workload.replicas, 'pod')} are new, {_count(picture.counted.old, 'old')}"
        f" left; {picture.drains.places} draining, {len(picture.held)} held; {_results(last)}"
    )
    if picture.counted.kept:
        message += f"; {picture.counted.kept} below the partition stay as they are"
    return Condition(ConditionType.PROGRESSING, Answer.TRUE, Reason.ROLLING, message)


def _drained(picture: Picture) -> Condition:
    entries = picture.drains.entries
    draining = [entry for entry in entries if entry.phase is Phase.DRAINING]
    if draining:
        left = picture.connections
        message = f"{_count(len(draining), 'pod')} draining, " + (
            "connections unknown" if left is None else f"{_count(left, 'connection')} left"
        )
        longest = max(
            (entry for entry in draining if entry.oldest is not None),
            key=lambda entry: entry.oldest.age if entry.oldest is not None else 0.0,
            default=None,
        )
        if longest is not None and longest.oldest is not None:
            held = format_duration(longest.oldest.age)
            message += f"; on {longest.name} {longest.oldest.peer} holds on, for {held}"
        return Condition(ConditionType.DRAINED, Answer.FALSE, Reason.DRAINING, message)
    last = picture.pacing.rollout or RolloutRecord(started=0)
    bad = {
        phase: [entry for entry in entries if entry.phase is phase]
        for phase in (Phase.TIMED_OUT, Phase.LOST)
    }
    late = max(last.timed_out, len(bad[Phase.TIMED_OUT]))
    lost = max(last.lost, len(bad[Phase.LOST]))
    if late or lost:
        shown = [f"{e.name} {e.reason}" for phase in bad.values() for e in phase][:_NAMED]
        message = f"{late} released with connections left, {lost} lost without a result"
        message += f": {'; '.join(shown)}" if shown else ""
        reason = Reason.TIMED_OUT if late else Reason.LOST
        return Condition(ConditionType.DRAINED, Answer.FALSE, reason, message)
    done = max(last.drained, sum(entry.phase is Phase.DRAINED for entry in entries))
    if done:
        message = f"{_count(done, 'pod')} drained, none was released with connections left"
        return Condition(ConditionType.DRAINED, Answer.TRUE, Reason.ALL_DRAINED, message)
    message = "no pod has drained yet"
    return Condition(ConditionType.DRAINED, Answer.UNKNOWN, Reason.NO_DRAIN, message)


def _paused(picture: Picture) -> Condition:
    pause, target = picture.pacing.pause, picture.workload.target
    if not target.kind.gated:
        message = f"{target} paces itself; no gate of ours can hold it"
        if picture.spec.drain.on_timeout is OnTimeout.PAUSE:
            message += (
                ", so after a drain that times out it goes on as with onTimeout: Continue. To"
                f" hold it: {commands.hold(picture.namespace, target)}"
            )
        return Condition(ConditionType.PAUSED, Answer.FALSE, Reason.CANNOT_PAUSE, message)
    if pause is None:
        message = "gates open as pods drain"
        return Condition(ConditionType.PAUSED, Answer.FALSE, Reason.NOT_PAUSED, message)
    return Condition(ConditionType.PAUSED, Answer.TRUE, pause.by.value, pause.message)


def _degraded(picture: Picture) -> Condition:
    if picture.suspension is not None:
        message = breaker.describe(picture.suspension)
        if not picture.suspension.trying:
            message += f"; now: {commands.resume(picture.namespace, picture.name)}"
        return Condition(ConditionType.DEGRADED, Answer.TRUE, Reason.INJECTION_SUSPENDED, message)
    if picture.drains.unreachable:
        message = (
            f"no answer from the agents of {_names(picture.drains.unreachable)}; their drains count"
            " as unfinished until their pods are gone. If a NetworkPolicy keeps the controller from"
            " them, allow it; the pods drain all the same"
        )
        return Condition(ConditionType.DEGRADED, Answer.TRUE, Reason.AGENT_UNREACHABLE, message)
    for kind, remedy in REMEDIES.items():
        there = [one for one in picture.drains.troubles if one.kind is kind and not one.ended]
        if there:
            names = _names(one.pod for one in there)
            message = f"on {names}: {there[0].text}. {remedy}"
            return Condition(ConditionType.DEGRADED, Answer.TRUE, Reason(kind.value), message)
    bare = next((pod for pod in picture.pods if pod.live and pod.unprotected), None)
    if bare is not None:
        message = (
            f"{bare.name} has containers that do not wait for the drain: {bare.unprotected}. They"
            " get SIGTERM when their own preStop hook ends"
        )
        return Condition(ConditionType.DEGRADED, Answer.TRUE, Reason.UNPROTECTED, message)
    partly = next((pod for pod in picture.pods if pod.live and pod.incomplete), None)
    if partly is not None:
        message = f"{partly.name} is protected, but not all as asked for: {partly.incomplete}"
        return Condition(ConditionType.DEGRADED, Answer.TRUE, Reason.INCOMPLETE, message)
    message = "all is as it should be"
    return Condition(ConditionType.DEGRADED, Answer.FALSE, Reason.AS_EXPECTED, message)


def _results(last: RolloutRecord) -> str:
    return f"{last.drained} drained, {last.timed_out} timed out, {last.lost} lost"


def _names(names: Iterable[str]) -> str:
    listed: Sequence[str] = sorted(names)
    more = len(listed) - _NAMED
    return ", ".join(listed[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 or noun == "old" else "s")
