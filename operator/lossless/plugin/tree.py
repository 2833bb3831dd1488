"""``status`` as text: a LosslessRollout, its workload and its pods, as a tree. Pure."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from lossless.model.conditions import Answer, ConditionType
from lossless.model.durations import format_duration
from lossless.model.fields import InvalidSpec
from lossless.model.phases import Phase
from lossless.model.policy import OnTimeout, RolloutSpec
from lossless.model.rollout.observation import Rollout
from lossless.model.status import MAX_PODS, PodStatus, RolloutPhase, RolloutStatus
from lossless.plugin.layout import ago, bar, cut, paragraph
from lossless.plugin.paint import Paint

_BAR: Final = 20
#: Seconds without a word from the API server after which a picture is called old. Who watches
#: asks it anew more often than that.
_STALE: Final = 45.0
#: Seconds within which a controller has looked at a new LosslessRollout, if one serves it: a full
#: look finds what no event told.
_PATIENCE: Final = 60.0
#: Conditions that are told only when they are not as one would wish: the wish, by type.
_WISHED: Final = {
    ConditionType.READY: Answer.TRUE,
    ConditionType.INJECTED: Answer.TRUE,
    ConditionType.PAUSED: Answer.FALSE,
    ConditionType.DEGRADED: Answer.FALSE,
}


@dataclass(frozen=True, slots=True)
class View:
    """One LosslessRollout at one moment."""

    namespace: str
    name: str
    rollout: Rollout
    now: float
    """Seconds of the epoch, by the clock of whoever looks."""
    wide: bool = False
    """Every pod on a line of its own, with its reason; else those that serve are counted."""


def tree(view: View, width: int, paint: Paint) -> list[str]:
    """Return the lines; those with a command in them may be longer than ``width``."""
    status = view.rollout.status
    lines = [_head(view, paint), *_workload(view, width), *_remarks(view, width, paint)]
    shown = [pod for pod in status.pods if view.wide or not _calm(pod)]
    calm = [pod for pod in status.pods if pod not in shown]
    more = _more(status, calm)
    for index, pod in enumerate(shown):
        last = index == len(shown) - 1 and not more
        lines += _pod(view, pod, width, paint, last=last)
    if more:
        lines.append(f"  └─ {paint.dim(more)}")
    return lines


def stale(silence: float, paint: Paint) -> list[str]:
    """Return what stands above a picture that may be old; nothing if it is new.

    Args:
        silence: seconds since the API server was last heard; infinite if it never was.
        paint: colours.
    """
    if silence < _STALE:
        return []
    since = "yet" if silence == math.inf else f"for {ago(silence)}: what stands here may be old"
    return [paint.yellow(f"! no word from the API server {since}")]


def _head(view: View, paint: Paint) -> str:
    status = view.rollout.status
    phase = status.phase
    word = phase.value if phase else "Unknown"
    colours = {
        None: paint.yellow,
        RolloutPhase.READY: paint.green,
        RolloutPhase.PROGRESSING: paint.blue,
        RolloutPhase.DRAINING: paint.blue,
    }
    colour = colours.get(phase, paint.red)
    head = f"{paint.bold(f'{view.namespace}/{view.name}')}  {colour(word)}"
    if phase is None:
        age = view.now - view.rollout.created
        if age < _PATIENCE:
            return f"{head}  the controller has not looked at it yet"
        return f"{head}  not looked at for {ago(age)}: is its namespace served?"
    last = status.last_rollout
    if last is not None and not last.finished:
        head += f"  for {ago(view.now - last.started)}"
    elif last is not None:
        head += paint.dim(f"  last rollout {ago(view.now - last.finished)} ago")
    if status.observed_generation < view.rollout.generation:
        head += paint.yellow("  (the newest change is not seen yet)")
    return head


def _workload(view: View, width: int) -> list[str]:
    spec, status = view.rollout.spec, view.rollout.status
    if isinstance(spec, InvalidSpec):
        return paragraph(str(spec), width, "  ")
    parts = [f"{spec.target.kind} {spec.target.name}"]
    if status.revision:
        parts.append(f"revision {status.revision}")
    last = status.last_rollout
    if last is not None and not last.finished:
        parts.append(f"{status.updated} of {status.replicas} pods new")
        parts.append(f"{last.drained} drained")
        parts += [f"{last.timed_out} timed out"] if last.timed_out else []
        parts += [f"{last.lost} lost"] if last.lost else []
    elif status.phase is not None:
        parts.append(f"{status.replicas} pods" if status.replicas != 1 else "1 pod")
    parts += [f"{status.draining} draining"] if status.draining else []
    parts += [f"{status.held} held"] if status.held else []
    return paragraph(", ".join(parts), width, "  ")


def _remarks(view: View, width: int, paint: Paint) -> list[str]:
    lines: list[str] = []
    said: set[str] = set()
    for condition in view.rollout.status.conditions:
        wish = _WISHED.get(condition.type)
        if wish is None or condition.status in {wish, Answer.UNKNOWN} or condition.message in said:
            continue
        said.add(condition.message)
        text, command = _split(condition.message)
        first, *rest = paragraph(f"{condition.reason}: {text}", width, "  ")
        lines.append(f"{paint.yellow('!')} {first[2:]}")
        lines += rest
        if condition.type is ConditionType.PAUSED:
            command = f"kubectl lossless resume {view.name} -n {view.namespace}"
        lines += [f"    {command}"] if command else []
    return lines


def _split(message: str) -> tuple[str, str]:
    """Return a message and the command at its end, which must stay on one line to be copied."""
    text, colon, command = message.partition(": kubectl ")
    return (f"{text}:", f"kubectl {command}") if colon else (message, "")


def _calm(pod: PodStatus) -> bool:
    """Return whether a pod is as it should be, so that a count says enough."""
    return (pod.phase is Phase.SERVING and not pod.reason) or pod.phase is Phase.DRAINED


def _more(status: RolloutStatus, calm: list[PodStatus]) -> str:
    parts = []
    for phase, word in ((Phase.SERVING, "serving"), (Phase.DRAINED, "drained")):
        number = sum(pod.phase is phase for pod in calm)
        parts += [f"{number} {word}"] if number else []
    if len(status.pods) >= MAX_PODS:
        parts.append(f"only {MAX_PODS} pods are listed in status")
    return ", ".join(parts)


def _pod(view: View, pod: PodStatus, width: int, paint: Paint, *, last: bool) -> list[str]:
    branch, trunk = ("  └─ ", "     ") if last else ("  ├─ ", "  │  ")
    colour = _colour(pod.phase, paint)
    since = f" {ago(view.now - pod.since)}" if pod.since else ""
    room = width - len(branch) - len(pod.phase) - len(since) - 2
    head = f"{branch}{cut(pod.name, room)}  {colour(pod.phase.value)}{since}"
    lines = [head]
    lines += [trunk + line for line in _detail(view, pod, width - len(trunk), paint)]
    return lines


def _colour(phase: Phase, paint: Paint) -> Callable[[str], str]:
    match phase:
        case Phase.SERVING | Phase.DRAINED:
            return paint.green
        case Phase.DRAINING | Phase.STARTING:
            return paint.blue
        case Phase.TIMED_OUT | Phase.LOST:
            return paint.red
        case Phase.HELD | Phase.UNPROTECTED:
            return paint.yellow


def _detail(view: View, pod: PodStatus, width: int, paint: Paint) -> list[str]:
    lines: list[str] = []
    spec = view.rollout.spec
    if pod.phase is Phase.DRAINING:
        if isinstance(spec, RolloutSpec):
            lines.append(_progress(spec, view.now - pod.since))
        counts = pod.connections
        lines.append(
            "connections unknown"
            if counts is None
            else f"{counts.active} active, {counts.idle} idle, {counts.new} new"
        )
        if pod.oldest is not None:
            lines.append(f"{pod.oldest.peer} holds on, for {format_duration(pod.oldest.age)}")
    if pod.reason:
        lines += [paint.dim(line) for line in paragraph(pod.reason, width)]
    return lines


def _progress(spec: RolloutSpec, elapsed: float) -> str:
    """Return how much of its time a drain has used. How long it will take, nobody can know."""
    timeout = spec.drain.timeout
    # The clock of whoever looks may be behind the cluster's.
    left = timeout - max(0.0, elapsed)
    drawn = bar(elapsed / timeout, _BAR)
    if left <= 0:
        return f"{drawn}  its {format_duration(timeout)} are over"
    then = ", then the rollout pauses" if spec.drain.on_timeout is OnTimeout.PAUSE else ""
    return f"{drawn}  at most {ago(left)} more{then}"
