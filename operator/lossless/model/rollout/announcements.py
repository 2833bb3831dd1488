"""What is said aloud, as Events: the differences between two statuses.

An Event follows from a status that changed, and only once that status is stored, so a restart says
nothing twice.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from lossless.model.conditions import Answer, Condition, ConditionType, Reason, shortened
from lossless.model.phases import Phase
from lossless.model.rollout.drains import Drains
from lossless.model.rollout.pacing import Pacing
from lossless.model.status import PodStatus, RolloutStatus
from lossless.model.troubles import REMEDIES, Trouble

#: Events about one look; what is more is in status and would only bury the rest.
MAX_ANNOUNCEMENTS: Final = 25

#: Worth saying, but usual: a LosslessRollout is often applied before its Deployment, and to pods
#: that run already.
_CALM: Final = frozenset({Reason.TARGET_NOT_FOUND, Reason.NOT_YET_ROLLED, Reason.DECLINED})
_OUTCOMES: Final = {
    Phase.DRAINED: Reason.DRAINED,
    Phase.TIMED_OUT: Reason.TIMED_OUT,
    Phase.LOST: Reason.LOST,
}


@dataclass(frozen=True, slots=True)
class Announcement:
    """One Event on the LosslessRollout, and on a pod as well if it names one."""

    reason: Reason
    message: str
    warning: bool = False
    pod: tuple[str, str] | None = None
    """Name and uid."""


def announcements(
    before: RolloutStatus,
    after: RolloutStatus,
    drains: Drains | None = None,
    pacing: Pacing | None = None,
) -> tuple[Announcement, ...]:
    """Return what is to be said once ``after`` is stored in place of ``before``."""
    said = [*_of_conditions(before, after)]
    if before.injection is not None and after.injection is None:
        note = "agents start again; new pods get them"
        said.append(Announcement(Reason.INJECTION_RESUMED, note))
    if pacing is not None and pacing.started:
        note = f"revision {pacing.revision} is being rolled out"
        said.append(Announcement(Reason.ROLLOUT_STARTED, note))
    if drains is not None:
        said += _of_drains(drains)
        said += _of_held(before, after)
    if pacing is not None:
        said += _of_rollout(before, after, pacing)
    return tuple(said[:MAX_ANNOUNCEMENTS])


def _of_conditions(before: RolloutStatus, after: RolloutStatus) -> Iterator[Announcement]:
    ready = _turned(before, after, ConditionType.READY, Answer.FALSE)
    injected = _turned(before, after, ConditionType.INJECTED, Answer.FALSE)
    degraded = _turned(before, after, ConditionType.DEGRADED, Answer.TRUE)
    # Told of each pod, with its own cause.
    spoken: set[str] = {kind.value for kind in Trouble}
    for condition in (ready, injected, degraded):
        if condition is not None and condition.reason not in spoken:
            spoken.add(condition.reason)
            warning = condition.reason not in _CALM
            yield Announcement(Reason(condition.reason), condition.message, warning=warning)


def _of_rollout(
    before: RolloutStatus, after: RolloutStatus, pacing: Pacing
) -> Iterator[Announcement]:
    paused = _turned(before, after, ConditionType.PAUSED, Answer.TRUE)
    if paused is not None:
        late = paused.reason == Reason.TIMED_OUT
        yield Announcement(Reason.PAUSED, paused.message, warning=late)
    was = before.condition(ConditionType.PAUSED)
    if was is not None and was.status is Answer.TRUE and pacing.pause is None:
        yield Announcement(Reason.RESUMED, "gates open again as pods drain")
    if pacing.finished and pacing.rollout is not None:
        progressing = after.condition(ConditionType.PROGRESSING)
        yield Announcement(
            Reason.FINISHED,
            progressing.message if progressing is not None else "",
            warning=bool(pacing.rollout.timed_out or pacing.rollout.lost),
        )


def _of_drains(drains: Drains) -> Iterator[Announcement]:
    for outcome in drains.outcomes:
        yield Announcement(
            _OUTCOMES[outcome.phase],
            shortened(f"{outcome.name} {outcome.reason}"),
            warning=outcome.phase is not Phase.DRAINED,
            pod=(outcome.name, outcome.uid),
        )
    for trouble in drains.troubles:
        if trouble.fresh:
            yield Announcement(
                Reason(trouble.kind.value),
                shortened(f"{trouble.pod}: {trouble.text}. {REMEDIES[trouble.kind]}"),
                warning=True,
                pod=(trouble.pod, trouble.uid),
            )
    for entry in drains.started:
        bare = entry.phase is Phase.UNPROTECTED
        yield Announcement(
            Reason.DRAIN_UNPROTECTED if bare else Reason.DRAIN_STARTED,
            f"{entry.name} {entry.reason}" if bare else f"{entry.name} drains",
            warning=bare,
            pod=(entry.name, entry.uid),
        )


def _of_held(before: RolloutStatus, after: RolloutStatus) -> Iterator[Announcement]:
    known = {entry.uid for entry in before.pods if entry.phase is Phase.HELD}
    fresh: list[PodStatus] = [
        entry for entry in after.pods if entry.phase is Phase.HELD and entry.uid not in known
    ]
    if fresh:
        names = ", ".join(entry.name for entry in fresh)
        yield Announcement(Reason.HELD, shortened(f"{fresh[0].reason}: {names}"))


def _turned(
    before: RolloutStatus, after: RolloutStatus, kind: ConditionType, answer: Answer
) -> Condition | None:
    """Return the condition if it has newly come to ``answer``, or to it for another reason."""
    new, old = after.condition(kind), before.condition(kind)
    if new is None or new.status is not answer:
        return None
    same = old is not None and old.status is new.status and old.reason == new.reason
    return None if same else new
