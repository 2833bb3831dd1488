"""What follows from what was seen: the one decision of the controller, as a pure function.

``decide`` is level-triggered: it depends on the world as it is, not on what happened, and after
its actions have been performed it finds nothing more to do. Whatever is remembered from one look
to the next stands in ``status``, so a controller that was restarted decides the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lossless.model.conditions import settled
from lossless.model.fields import InvalidSpec
from lossless.model.phases import Phase
from lossless.model.rollout.announcements import Announcement, announcements
from lossless.model.rollout.breaker import Breaker, judge
from lossless.model.rollout.drains import Outcome, follow
from lossless.model.rollout.gate import Verdict, Why, supply, verdicts
from lossless.model.rollout.history import remembered
from lossless.model.rollout.measures import Measures, measures_of, unprotected
from lossless.model.rollout.observation import Observation, Pod, Refusal, Rollout
from lossless.model.rollout.pacing import proceed
from lossless.model.rollout.picture import Picture
from lossless.model.rollout.pod_list import hold_message, pods_of
from lossless.model.rollout.summary import (
    Problem,
    conditions_of,
    conditions_of_problem,
    phase_of,
    problem_of,
)
from lossless.model.status import RolloutPhase, RolloutStatus, Suspension

#: Seconds to the next look while a drain goes on: how often status tells of it. Its end is heard
#: from its agent in between.
LOOK_DRAINING: Final = 1.5
#: Seconds to the next look while only pods without an agent stop. Neither a watch, which follows
#: labelled pods, nor an agent tells when they are gone.
LOOK_UNPROTECTED: Final = 2.0
#: Seconds to the next look during a rollout in which nothing drains: events bring the news, this
#: bounds what a lost one can cost.
LOOK_ROLLING: Final = 5.0
#: Seconds to the next look while a calm workload has fewer pods than it should: those that come
#: without an agent, which is when people need to hear of it, wake nobody.
LOOK_MISSING: Final = 5.0
#: Seconds at least, so that rounding of times never makes a busy loop.
LOOK_SOONEST: Final = 0.05

_OPENED: Final = {
    Why.NO_ROLLOUT: "no rollout to wait for",
    Why.BELOW_FLOOR: "fewer pods are available than the Deployment's minimum",
    Why.NOTHING_TO_PACE: "no further pod will be stopped for it",
    Why.WITHIN_BUDGET: "the rollout may go on",
    Why.NO_OWNER: "no LosslessRollout is in charge of it",
}
HELD: Final = "Held"


@dataclass(frozen=True, slots=True)
class SetGate:
    """Write the pod condition that our readiness gate looks at."""

    pod: str
    uid: str
    open: bool
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Evict:
    """Evict a pod that has never started, so that it is made anew without an agent."""

    pod: str
    uid: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do, in this order, and when to look again."""

    gates: tuple[SetGate, ...] = ()
    status: RolloutStatus | None = None
    """To be stored; None: it stands as it is."""
    measures: Measures | None = None
    """For the metrics, at every look; None: there is no LosslessRollout."""
    announcements: tuple[Announcement, ...] = ()
    """To be made once ``status`` is stored."""
    outcomes: tuple[Outcome, ...] = ()
    """Drains that ended since the last look; counted once ``status`` is stored."""
    evictions: tuple[Evict, ...] = ()
    """To be made once ``status`` is stored."""
    next_look: float | None = None
    """Seconds from now; None: when an event comes, or at the next full look at everything."""
    awaits_pods: bool = False
    """The next look is for pods of which no event may tell."""


def decide(seen: Observation, now: float) -> Decision:
    """Return what follows.

    Args:
        seen: one LosslessRollout's world.
        now: seconds of the epoch.
    """
    rollout = seen.rollout
    if rollout is None:
        return Decision(gates=_released((*seen.pods, *seen.strays)))
    problem = problem_of(seen, rollout)
    if problem is not None:
        return _unable(seen, rollout, problem, now)
    return _able(seen, rollout, now)


def _unable(seen: Observation, rollout: Rollout, problem: Problem, now: float) -> Decision:
    before = rollout.status
    conditions = settled(
        conditions_of_problem(problem),
        before.conditions,
        generation=rollout.generation,
        now=now,
    )
    after = RolloutStatus(
        phase=RolloutPhase.DEGRADED,
        observed_generation=rollout.generation,
        conditions=conditions,
        connections=None,
        revision=before.revision,
        resumed=rollout.resume or before.resumed,
        last_rollout=before.last_rollout,
        history=before.history,
        injection=_kept(seen, rollout, now),
    )
    # Another's workload is another's business; what only carries our label is not.
    pods = seen.strays if seen.owner else (*seen.pods, *seen.strays)
    return Decision(
        gates=_released(pods),
        status=None if after == before else after,
        measures=measures_of(after, None, None),
        announcements=announcements(before, after),
    )


def _kept(seen: Observation, rollout: Rollout, now: float) -> Suspension | None:
    """Return the suspension as it stands without pods: time and people go on, nothing ends it.

    A target that is gone for one look (``kubectl replace --force``) is no agent that starts.
    """
    if rollout.status.injection is None:
        return None
    return _breaker((), None, seen, rollout, now).suspension


def _breaker(
    pods: Sequence[Pod], refusal: Refusal | None, seen: Observation, rollout: Rollout, now: float
) -> Breaker:
    before = rollout.status
    return judge(
        pods,
        refusal,
        before.injection,
        elsewhere=seen.unpullable,
        resumed=rollout.resume not in {"", before.resumed},
        now=now,
    )


def _able(seen: Observation, rollout: Rollout, now: float) -> Decision:
    workload, spec, before = seen.workload, rollout.spec, rollout.status
    assert workload is not None and not isinstance(spec, InvalidSpec)  # noqa: S101, PT018 # `problem_of` has seen to it
    counted = supply(workload, seen.pods, now)
    strays = frozenset(pod.uid for pod in seen.strays)
    drains = follow(seen.pods, seen.departures, before.pods, now, strays=strays)
    pacing = proceed(
        seen,
        rollout=rollout,
        spec=spec,
        workload=workload,
        counted=counted,
        drains=drains,
        now=now,
    )
    judged = verdicts(
        workload,
        seen.pods,
        counted,
        draining=drains.places,
        limit=workload.limit(spec.max_draining),
        paused=pacing.pause is not None,
    )
    breaker = _breaker(seen.pods, workload.refusal, seen, rollout, now)
    picture = Picture(
        namespace=seen.namespace,
        name=seen.name,
        rollout=rollout,
        spec=spec,
        workload=workload,
        pods=seen.pods,
        counted=counted,
        drains=drains,
        pacing=pacing,
        verdicts=judged,
        suspension=breaker.suspension,
    )
    conditions = settled(
        conditions_of(picture), before.conditions, generation=rollout.generation, now=now
    )
    after = RolloutStatus(
        phase=phase_of(conditions, drains.places),
        observed_generation=rollout.generation,
        conditions=conditions,
        replicas=counted.live,
        updated=counted.new,
        draining=drains.places,
        held=len(picture.held),
        connections=picture.connections,
        revision=pacing.revision,
        resumed=pacing.resumed,
        last_rollout=pacing.rollout,
        history=remembered(before.history, before.last_rollout, pacing.rollout, now),
        pods=pods_of(picture),
        injection=breaker.suspension,
    )
    return Decision(
        gates=(*_released(seen.strays), *_set(picture)),
        status=None if after == before else after,
        measures=measures_of(after, picture.left, unprotected(seen.pods, rollout.created)),
        announcements=announcements(before, after, drains, pacing),
        outcomes=drains.outcomes,
        evictions=tuple(Evict(pod.name, pod.uid) for pod in breaker.evict),
        next_look=_next_look(picture, breaker.next_change, now),
        awaits_pods=picture.awaits_pods,
    )


def _released(pods: tuple[Pod, ...]) -> tuple[SetGate, ...]:
    return tuple(_opened(Verdict(pod, Why.NO_OWNER)) for pod in pods if pod.live and pod.shut)


def _opened(verdict: Verdict) -> SetGate:
    pod, why = verdict.pod, verdict.why
    return SetGate(pod.name, pod.uid, open=True, reason=why.value, message=_OPENED[why])


def _set(picture: Picture) -> tuple[SetGate, ...]:
    """Open what opens; explain what stays shut, once for each new reason."""
    result = [_opened(verdict) for verdict in picture.verdicts if verdict.opens]
    for verdict in picture.verdicts:
        if verdict.opens or verdict.why is Why.STARTING:
            continue
        pod, message = verdict.pod, hold_message(picture, verdict.why)
        if pod.gate is None or (pod.gate.reason, pod.gate.message) != (HELD, message):
            result.append(SetGate(pod.name, pod.uid, open=False, reason=HELD, message=message))
    return tuple(result)


def _next_look(picture: Picture, breaker: float | None, now: float) -> float | None:
    waits = [] if breaker is None else [breaker - now]
    if picture.awaits_pods:
        waits.append(LOOK_MISSING)
    if picture.drains.places:
        draining = any(entry.phase is Phase.DRAINING for entry in picture.drains.entries)
        waits.append(LOOK_DRAINING if draining else LOOK_UNPROTECTED)
    if picture.pacing.under_way:
        waits.append(LOOK_ROLLING)
        if picture.counted.next_change is not None:
            waits.append(picture.counted.next_change - now)
    return max(LOOK_SOONEST, min(waits)) if waits else None
