"""What is shown of single pods: ``status.pods``, and why a gate stays shut."""

from typing import Final

from lossless.model import commands
from lossless.model.phases import Phase
from lossless.model.rollout.gate import Verdict, Why
from lossless.model.rollout.observation import Pod
from lossless.model.rollout.picture import Picture
from lossless.model.status import MAX_PODS, PodStatus

#: In the list of pods: what needs a look first, what is well last.
_ORDER: Final = {
    phase: rank
    for rank, phase in enumerate(
        (
            Phase.TIMED_OUT,
            Phase.LOST,
            Phase.DRAINING,
            Phase.UNPROTECTED,
            Phase.HELD,
            Phase.STARTING,
            Phase.DRAINED,
            Phase.SERVING,
        )
    )
}


def hold_message(picture: Picture, why: Why) -> str:
    """Return what the condition of a pod whose gate stays shut says.

    It does not change while the reason stays the same, so it is written once.
    """
    if why is Why.SUPERSEDED:
        return "a newer revision has been asked for; this pod goes without ever taking traffic"
    if why is Why.PAUSED and picture.pacing.pause is not None:
        return (
            f"the rollout is paused ({picture.pacing.pause.by}); see"
            f" {commands.describe(picture.namespace, picture.name)}"
        )
    asked = picture.spec.max_draining
    source = "spec.pacing.maxDraining"
    if asked is None:
        source = f"maxSurge + maxUnavailable; {source} sets another number"
    return (
        f"waits until an old pod of {picture.workload.name} has drained: at most"
        f" {picture.workload.limit(asked)} may drain at the same time ({source})"
    )


def pods_of(picture: Picture) -> tuple[PodStatus, ...]:
    """Return ``status.pods``: at most ``MAX_PODS``, what needs a look first.

    Pods that stop are always in it, because their results are remembered here; those of an earlier
    rollout leave when the next one starts.
    """
    just_ended = {outcome.uid for outcome in picture.drains.outcomes}
    kept = [entry for entry in picture.drains.entries if entry.uid in picture.drains.present]
    others = [
        entry
        for entry in picture.drains.entries
        if entry.uid not in picture.drains.present
        and (entry.uid in just_ended or not picture.pacing.started)
    ]
    shut = {verdict.pod.uid: verdict for verdict in picture.verdicts}
    others += [_live(picture, pod, shut.get(pod.uid)) for pod in picture.pods if pod.live]
    kept += sorted(others, key=_rank)[: max(0, MAX_PODS - len(kept))]
    return tuple(sorted(kept, key=_rank))


def _rank(entry: PodStatus) -> tuple[int, int, str]:
    return _ORDER[entry.phase], entry.since, entry.name


def _live(picture: Picture, pod: Pod, verdict: Verdict | None) -> PodStatus:
    if verdict is not None and not verdict.opens and verdict.why is not Why.STARTING:
        return PodStatus(
            name=pod.name,
            uid=pod.uid,
            phase=Phase.HELD,
            since=int(pod.containers_ready_since or pod.created),
            reason=_held_reason(picture, verdict.why),
        )
    if not pod.ready:
        return PodStatus(pod.name, pod.uid, Phase.STARTING, int(pod.created))
    reason = "" if pod.rollout else "has no agent; it would stop as if we were not here"
    return PodStatus(pod.name, pod.uid, Phase.SERVING, int(pod.ready_since), reason=reason)


def _held_reason(picture: Picture, why: Why) -> str:
    if why is Why.SUPERSEDED:
        return "superseded by a newer revision"
    if why is Why.PAUSED and picture.pacing.pause is not None:
        return f"paused: {picture.pacing.pause.by}"
    return "waits for a drain to end"
