"""The breaker: when pods do not start because of our agent, they start without it.

Theory of operation. An agent whose image cannot be pulled, or that crashes, keeps its pod from ever
starting; one that a policy forbids keeps the pod from being made at all. Nothing that we install
may do that. So injection is suspended for the LosslessRollout, which the webhook reads in its
status, and pods that never started are evicted, so that their controller makes them anew without an
agent. After a while injection is tried again: the next pod that is created gets its agent, and
either it starts, then all is as before, or it does not, and the next attempt is further away.

An agent that was up and crashes before its pod was ever Ready counts as well, from the end of that
run. But a pod in which a container of the user's has run is never evicted: it may be in the middle
of a long start, or wait at a gate.

An eviction is harmless here: in such a pod no container of the user's has run, so it has no
clients, no data and no preStop hook to run. It is still Pending, for which an API server
asks no disruption budget (k8s.io/kubernetes pkg/registry/core/pod/storage/eviction.go,
canIgnorePDB); should it have started in between, the budget protects it.

An image that cannot be pulled in two namespaces is taken for one that nobody can pull: the others
suspend injection as well, before their pods have to find out, for as long as that is so. It takes
two namespaces because credentials, and policies about images, are a namespace's own, so that no
tenant alone ends everybody's injection; and who tries again counts no longer.

It is told apart from the user's own troubles by one rule: only the agent's container, and refusals
that name it, or its place in the pod, count. A full quota is none of them: it fills with or without
us.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from lossless.model.conditions import shortened
from lossless.model.durations import format_duration
from lossless.model.names import AGENT_CONTAINER
from lossless.model.rollout.observation import Elsewhere, Pod, Refusal
from lossless.model.status import Cause, Suspension

#: Seconds that a pod may wait for its agent. The kubelet's second attempt to pull or to start comes
#: after 10 s; a registry that only hiccups has been forgiven by then.
PATIENCE: Final = 20.0
#: Seconds after a suspension in which webhooks hear of it. A pod that is made sooner would get the
#: agent again.
HEARD: Final = 3.0
#: Seconds for which an agent must have run to count as one that starts.
STEADY: Final = 10.0
#: Seconds to the first attempt; each further one doubles it.
FIRST_RETRY: Final = 300.0
LONGEST_RETRY: Final = 3600.0
#: Namespaces in which the image cannot be pulled, from which on nobody is taken to be able to.
EVERYWHERE: Final = 2
#: Pods evicted at one look.
EVICTIONS: Final = 5

_IMAGE: Final = frozenset(
    {
        "ErrImagePull",
        "ImagePullBackOff",
        "InvalidImageName",
        "ErrImageNeverPull",
        "ImageInspectError",
        "RegistryUnavailable",
        "SignatureValidationFailed",
    }
)
_CRASH: Final = frozenset(
    {
        "CrashLoopBackOff",
        "RunContainerError",
        "CreateContainerError",
        "CreateContainerConfigError",
    }
)
#: Who refuses does not always name the container: a LimitRange names none (kubernetes
#: plugin/pkg/admission/limitranger), OpenShift's security context constraints and validation by the
#: API server give a field's path, Kyverno a JSON pointer. The agent is the first init container.
_REFUSED: Final = re.compile(
    rf"{AGENT_CONTAINER}|usage per Container|\binitContainers\[0\]|/initContainers/0\b"
)


@dataclass(frozen=True, slots=True)
class Breaker:
    """What the breaker concludes from one look."""

    suspension: Suspension | None
    """None: new pods get their agents."""
    evict: tuple[Pod, ...] = ()
    """Never started, and in the way of pods that would."""
    next_change: float | None = None
    """When something follows from time alone, in seconds of the epoch."""


@dataclass(frozen=True, slots=True)
class _Trouble:
    cause: Cause
    message: str


def judge(  # noqa: PLR0913 # what it depends on, each thing by its name
    pods: Sequence[Pod],
    refusal: Refusal | None,
    before: Suspension | None,
    *,
    elsewhere: Sequence[Elsewhere],
    resumed: bool,
    now: float,
) -> Breaker:
    """Return where the breaker stands.

    Args:
        pods: of the workload.
        refusal: what the API server says of pods that it did not let be made.
        before: as the last look left it.
        elsewhere: other LosslessRollouts that cannot pull the agent's image.
        resumed: somebody has asked to try again at once.
        now: seconds of the epoch.
    """
    stuck = [pod for pod in pods if _stuck(pod)]
    judged = [_waits_since(pod) + PATIENCE for pod in stuck]
    after = _after(pods, stuck, refusal, before, elsewhere=elsewhere, resumed=resumed, now=now)
    evict: tuple[Pod, ...] = ()
    changes = [when for when in judged if now < when]
    if after is not None:
        heard = after.since + HEARD
        # Those who try now are given their time.
        old = [
            pod
            for pod in stuck
            if not pod.begun and not (after.trying and pod.created >= after.since)
        ]
        if now >= heard:
            evict = tuple(sorted(old, key=lambda pod: (pod.created, pod.name))[:EVICTIONS])
        elif old:
            changes.append(heard)
        changes += _waits(pods, after, now)
    if refusal is not None and _REFUSED.search(refusal.message):
        changes.append(refusal.since + PATIENCE)
    future = [change for change in changes if change > now]
    return Breaker(after, evict, min(future, default=None))


def retry_after(attempts: int) -> float:
    """Return the seconds from a suspension to the next attempt, after so many in vain."""
    return min(LONGEST_RETRY, FIRST_RETRY * float(2 ** min(attempts, 10)))


def describe(suspension: Suspension) -> str:
    """Return what status says of it, without the command that ends it."""
    if suspension.trying:
        return (
            f"injection is being tried again: the next new pod gets its agent; {suspension.reason}"
        )
    wait = format_duration(retry_after(suspension.attempts))
    until = (
        "It ends when they can"
        if suspension.cause is Cause.ELSEWHERE
        else f"It is tried again {wait} after it began"
    )
    return (
        f"new pods start without an agent and would stop without a drain: {suspension.reason}."
        f" {until}"
    )


def _after(  # noqa: PLR0911, PLR0913 # one state after the other; as above
    pods: Sequence[Pod],
    stuck: Sequence[Pod],
    refusal: Refusal | None,
    before: Suspension | None,
    *,
    elsewhere: Sequence[Elsewhere],
    resumed: bool,
    now: float,
) -> Suspension | None:
    if before is not None and resumed:
        return replace(before, trying=True, since=int(now), attempts=0)
    since = before.since if before is not None and before.trying else 0.0
    trouble = _trouble(stuck, refusal, since, now)
    # One from before an attempt would suspend injection anew once the attempt has ended well.
    left = any(pod.created < since for pod in stuck)
    if before is None:
        if trouble is not None:
            return Suspension(int(now), trouble.cause, trouble.message)
        return _inherited(elsewhere, now)
    if before.cause is Cause.ELSEWHERE:
        if trouble is not None:
            return Suspension(int(now), trouble.cause, trouble.message)
        return before if left or _everywhere(elsewhere) else None
    if before.trying:
        if trouble is not None:
            return Suspension(
                int(now), trouble.cause, trouble.message, attempts=before.attempts + 1
            )
        return before if left or not any(_steady(pod, since, now) for pod in pods) else None
    if now >= before.since + retry_after(before.attempts):
        return replace(before, trying=True, since=int(now))
    return before


def _stuck(pod: Pod) -> bool:
    """Whether the agent keeps the pod from ever becoming Ready; it has served nobody then."""
    waits = pod.agent.waits in _IMAGE or pod.agent.waits in _CRASH
    return pod.live and bool(pod.rollout) and not pod.served and waits


def _waits_since(pod: Pod) -> float:
    """Return since when the pod waits for its agent to come up.

    A run that lasted ends the wait; short ones are one wait, however often the agent is restarted.
    """
    lasted = pod.agent.ran >= STEADY
    return max(pod.created, pod.agent.due, pod.agent.ended if lasted else 0.0)


def _trouble(
    stuck: Iterable[Pod], refusal: Refusal | None, since: float, now: float
) -> _Trouble | None:
    for pod in stuck:
        if pod.created >= since and now >= _waits_since(pod) + PATIENCE:
            cause = Cause.IMAGE if pod.agent.waits in _IMAGE else Cause.CRASH
            said = f"the agent of {pod.name} does not start ({pod.agent.waits})"
            if pod.agent.says:
                said += f": {pod.agent.says}"
            return _Trouble(cause, shortened(said, 300))
    if (
        refusal is not None
        and _REFUSED.search(refusal.message)
        and refusal.since >= since
        and now >= refusal.since + PATIENCE
    ):
        said = f"pods with an agent are refused: {refusal.message}"
        return _Trouble(Cause.REFUSED, shortened(said, 300))
    return None


def _everywhere(elsewhere: Iterable[Elsewhere]) -> bool:
    return len({one.namespace for one in elsewhere}) >= EVERYWHERE


def _inherited(elsewhere: Sequence[Elsewhere], now: float) -> Suspension | None:
    if not _everywhere(elsewhere):
        return None
    # Not by name: they may be somebody else's, who can read this one.
    said = (
        f"{len(elsewhere)} other LosslessRollouts cannot pull the agent's image; see which:"
        " kubectl get losslessrollouts -A"
    )
    return Suspension(int(now), Cause.ELSEWHERE, said)


def _steady(pod: Pod, since: float, now: float) -> bool:
    if not pod.live or not pod.rollout or pod.created < since:
        return False
    return pod.agent.since is not None and now >= pod.agent.since + STEADY


def _waits(pods: Iterable[Pod], after: Suspension, now: float) -> list[float]:
    if after.cause is Cause.ELSEWHERE:
        return []
    if not after.trying:
        return [after.since + retry_after(after.attempts)]
    return [
        pod.agent.since + STEADY
        for pod in pods
        if pod.rollout and pod.created >= after.since and pod.agent.since is not None
        if now < pod.agent.since + STEADY
    ]
