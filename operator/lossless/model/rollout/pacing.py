"""The rollout as a whole: its beginning and end, what it has counted, whether it is paused.

Theory of operation. A rollout begins when the workload's revision changes, or when pods of an older
ReplicaSet are found beside the newest one. It is over when no old pod is left, nothing drains, and
the workload has all its pods. A drain that times out pauses it under ``onTimeout: Pause`` for as
long as there are old pods: a new value of the resume annotation, another revision (an undo, a new
release), or ``onTimeout: Continue`` ends the pause. Only a Deployment can be paused: what paces
itself goes on, and status says so.

Pods that somebody told the workload to leave alone (``partition``, ``OnDelete``) are no part of a
rollout: it is over without them.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from lossless.model import commands
from lossless.model.conditions import Answer, ConditionType, Reason
from lossless.model.phases import Phase
from lossless.model.policy import OnTimeout, RolloutSpec
from lossless.model.rollout.drains import Drains, Outcome
from lossless.model.rollout.gate import Supply
from lossless.model.rollout.observation import Observation, Rollout, Workload
from lossless.model.status import RolloutRecord

#: Characters of a resume annotation that ``status.history`` keeps.
_LONGEST_RESUME: Final = 128


class PausedBy(StrEnum):
    """Who paused; the reason of the Paused condition."""

    SPEC = Reason.PAUSED_BY_SPEC.value
    TIMEOUT = Reason.TIMED_OUT.value


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing more may be committed."""

    by: PausedBy
    message: str
    """Why, and the command that ends it."""


@dataclass(frozen=True, slots=True)
class Pacing:
    """The rollout as a whole after one look."""

    rollout: RolloutRecord | None
    started: bool
    """Since the last look."""
    finished: bool
    """Since the last look."""
    pause: Pause | None
    revision: str
    resumed: str

    @property
    def under_way(self) -> bool:
        """Whether a rollout has begun and is not over."""
        return self.rollout is not None and not self.rollout.finished


def proceed(  # noqa: PLR0913 # what it depends on, each thing by its name
    seen: Observation,
    *,
    rollout: Rollout,
    spec: RolloutSpec,
    workload: Workload,
    counted: Supply,
    drains: Drains,
    now: float,
) -> Pacing:
    """Return where the rollout stands, given what the last look left in ``status``."""
    before = rollout.status
    revision = workload.revision or before.revision
    changed = bool(before.revision) and revision != before.revision
    running = _running(
        before.last_rollout,
        before.revision,
        revision,
        changed=changed and not workload.by_hand,
        old=counted.old,
        now=now,
    )
    started = running is not None and running is not before.last_rollout
    last = running if running is not None else before.last_rollout
    finished = False
    pause = _pause(seen, rollout, spec, old=counted.old, drains=drains, changed=changed)
    if running is not None:
        last = _interrupted(_counted(running, drains.outcomes), rollout, pause)
        finished = (
            not counted.old
            and not drains.places
            and counted.new + counted.kept >= workload.replicas
            and counted.available >= workload.replicas
        )
        if finished:
            last = replace(last, finished=max(int(now), last.started))
    return Pacing(
        rollout=last,
        started=started,
        finished=finished,
        pause=pause,
        revision=revision,
        resumed=rollout.resume or before.resumed,
    )


def _running(  # noqa: PLR0913 # as above
    last: RolloutRecord | None,
    before: str,
    revision: str,
    *,
    changed: bool,
    old: int,
    now: float,
) -> RolloutRecord | None:
    if changed or (old and (last is None or last.finished)):
        return RolloutRecord(started=int(now), before=before if changed else "", revision=revision)
    return last if last is not None and not last.finished else None


def _counted(rollout: RolloutRecord, outcomes: tuple[Outcome, ...]) -> RolloutRecord:
    ended = [outcome.phase for outcome in outcomes]
    return replace(
        rollout,
        drained=rollout.drained + ended.count(Phase.DRAINED),
        timed_out=rollout.timed_out + ended.count(Phase.TIMED_OUT),
        lost=rollout.lost + ended.count(Phase.LOST),
        discarded=rollout.discarded + sum(outcome.discarded for outcome in outcomes),
    )


def _interrupted(last: RolloutRecord, rollout: Rollout, pause: Pause | None) -> RolloutRecord:
    """Note why the rollout was paused, and what resumed it."""
    if pause is not None:
        last = replace(last, paused=pause.by.value)
    elif last.paused and rollout.resume not in {"", rollout.status.resumed}:
        last = replace(last, resumed=rollout.resume[:_LONGEST_RESUME])
    return last


def _pause(  # noqa: PLR0913 # as above
    seen: Observation,
    rollout: Rollout,
    spec: RolloutSpec,
    *,
    old: int,
    drains: Drains,
    changed: bool,
) -> Pause | None:
    if spec.paused:
        return Pause(
            PausedBy.SPEC,
            f"spec.paused is true; to resume: {commands.unpause(seen.namespace, seen.name)}",
        )
    if not old or not spec.target.kind.gated or spec.drain.on_timeout is not OnTimeout.PAUSE:
        return None
    late = next((o for o in drains.outcomes if o.phase is Phase.TIMED_OUT), None)
    if late is not None:
        return Pause(
            PausedBy.TIMEOUT,
            f"{late.name} was {late.reason}. Old pods stay until you resume:"
            f" {commands.resume(seen.namespace, seen.name)}",
        )
    before = rollout.status.condition(ConditionType.PAUSED)
    stands = (
        before is not None
        and before.status is Answer.TRUE
        and before.reason == PausedBy.TIMEOUT
        and not changed
        and rollout.resume in {"", rollout.status.resumed}
    )
    return Pause(PausedBy.TIMEOUT, before.message) if before is not None and stands else None
