"""When a pod's readiness gate opens: the pace of a rollout.

Theory of operation. A Deployment deletes an old pod as soon as more pods are available than its
floor, ``minAvailable``. A new pod becomes available when its gate opens. So opening a gate
*commits* the Deployment to one more drain, and what may be committed is bounded by
``pacing.maxDraining``::

    committed = draining + max(0, min(old, available + opening - floor))

where ``opening`` are pods that will become available without anybody's doing: their containers are
ready and their gate is open, or they have none. A gate opens while ``committed + 1`` is within the
bound, or if opening it commits to nothing. Unset, the bound is what the Deployment replaces at a
time by itself, ``maxSurge + maxUnavailable``.

Rules, in this order; the first that applies decides:

1. No rollout (no old pod runs), or one that paces itself (``Recreate``, or a gate that a pod of
   another workload brings along in its template): open.
2. Fewer pods available than the floor: open, whatever budget and pause say.
3. A pod of a ReplicaSet that is not the newest: shut. The Deployment removes such pods first and
   for free; opened, the release that was just undone would get traffic and commit to a drain.
4. Its containers are not ready: shut. Opening would change nothing now, and a pod that crashes over
   and over must not use up the budget.
5. Nothing more would be committed: open.
6. The rollout is paused: shut.
7. Within the budget: open. Else: shut.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lossless.model.rollout.observation import Pod, Workload

#: Seconds for which a pod whose gate is open and whose containers are ready, but that is not Ready,
#: counts as about to become so. The kubelet needs well under a second; after a minute something
#: else holds it, another readiness gate for example, and it must not hold the rollout for ever.
OPENING: Final = 60.0


class Why(StrEnum):
    """Why a gate is open or shut; ``reason`` of the pod's condition."""

    # Open
    NO_ROLLOUT = "NoRollout"
    BELOW_FLOOR = "BelowMinAvailable"
    NOTHING_TO_PACE = "NothingToPace"
    WITHIN_BUDGET = "WithinBudget"
    NO_OWNER = "NoOwner"
    # Shut
    SUPERSEDED = "Superseded"
    STARTING = "Starting"
    PAUSED = "Paused"
    DRAINING = "WaitsForDrain"


OPENS: Final = frozenset(
    {
        Why.NO_ROLLOUT,
        Why.BELOW_FLOOR,
        Why.NOTHING_TO_PACE,
        Why.WITHIN_BUDGET,
        Why.NO_OWNER,
    }
)
#: Shut though the pod could serve: these are the pods that a rollout holds.
HOLDS: Final = frozenset({Why.PAUSED, Why.DRAINING})


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of one shut gate."""

    pod: Pod
    why: Why

    @property
    def opens(self) -> bool:
        """Whether the gate is to be opened now."""
        return self.why in OPENS


@dataclass(frozen=True, slots=True)
class Supply:
    """The workload's pods, counted as its controller counts them."""

    floor: int
    available: int
    opening: int
    """Will become available without a gate of ours being opened."""
    old: int
    """Live pods of other releases than the newest, which are to be replaced."""
    new: int
    """Live pods of the newest release."""
    next_change: float | None
    """When a pod becomes available, or stops counting as opening, by time alone."""
    kept: int = 0
    """Live pods of other releases that nobody replaces: below a partition, or OnDelete."""

    @property
    def live(self) -> int:
        """All live pods."""
        return self.old + self.new + self.kept

    def committed(self, draining: int, opened: int = 0) -> int:
        """Return the drains under way and those to come once ``opened`` more gates are open."""
        spare = self.available + self.opening + opened - self.floor
        return draining + max(0, min(self.old, spare))


def supply(workload: Workload, pods: Iterable[Pod], now: float) -> Supply:
    """Count ``pods`` of ``workload``."""
    available = opening = old = new = kept = 0
    changes: list[float] = []
    for pod in pods:
        if not pod.live:
            continue
        if workload.keeps(pod):
            kept += 1
        elif workload.is_old(pod):
            old += 1
        else:
            new += 1
        if pod.available(workload.min_ready_seconds, now):
            available += 1
        elif pod.ready:
            opening += 1
            changes.append(pod.ready_since + workload.min_ready_seconds)
        elif pod.containers_ready and not pod.shut:
            opened = pod.gate.since if pod.gate is not None else 0.0
            until = max(pod.containers_ready_since, opened) + OPENING
            if now < until:
                opening += 1
                changes.append(until)
    return Supply(
        floor=workload.strategy.floor(workload.replicas),
        available=available,
        opening=opening,
        old=old,
        new=new,
        next_change=min(changes, default=None),
        kept=kept,
    )


def verdicts(  # noqa: PLR0913 # what the rule depends on, each thing by its name
    workload: Workload,
    pods: Sequence[Pod],
    counted: Supply,
    *,
    draining: int,
    limit: int,
    paused: bool,
) -> tuple[Verdict, ...]:
    """Return what becomes of each shut gate, oldest ready pod first.

    Args:
        workload: that the pods are of.
        pods: its pods.
        counted: the same pods, counted.
        draining: places taken by drains that have not ended.
        limit: ``pacing.maxDraining`` as a number of pods.
        paused: nothing more may be committed.
    """
    shut = sorted(
        (pod for pod in pods if pod.live and pod.shut),
        key=lambda pod: (
            not pod.containers_ready,
            pod.containers_ready_since if pod.containers_ready else 0.0,
            pod.created,
            pod.name,
        ),
    )
    general = None
    if not counted.old or not workload.paced:
        general = Why.NO_ROLLOUT
    elif counted.available < counted.floor:
        general = Why.BELOW_FLOOR
    if general is not None:
        return tuple(Verdict(pod, general) for pod in shut)

    result: list[Verdict] = []
    opened = 0
    for pod in shut:
        committed = counted.committed(draining, opened)
        after = counted.committed(draining, opened + 1)
        if workload.is_old(pod):
            why = Why.SUPERSEDED
        elif not pod.containers_ready:
            why = Why.STARTING
        elif after == committed:
            why = Why.NOTHING_TO_PACE
        elif paused:
            why = Why.PAUSED
        elif after <= limit:
            why = Why.WITHIN_BUDGET
        else:
            why = Why.DRAINING
        opened += why in OPENS
        result.append(Verdict(pod, why))
    return tuple(result)
