"""What becomes of each container's preStop hook.

A container has one. Without one of its own it gets the hold: an HTTP request of the kubelet to the
agent, answered when the container may stop. One that is there already keeps its function:

=============================  ===================================================================
``sleep``                      hold; the agent lets the container go no earlier than the sleep ends
``httpGet``                    hold; the agent sends the request when the drain starts
``httpGet``, HTTPS or a host   stays, unprotected: the agent speaks no TLS, and calls only its pod
``exec`` of a shell            the same shell runs it, then waits for a file of the agent's
``exec`` of anything else      the same if an annotation says that there is a shell; else it stays
any that can be held           the same, after the reload, where nginx is reloaded in a drain
``tcpSocket``                  stays: no kubelet has ever run one
=============================  ===================================================================

What stays ends when it ends, and the container stops then: it is reported as unprotected, by name.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lossless.injection.admission_pod import (
    ExecAction,
    HttpGetAction,
    LifecycleHandler,
    OtherAction,
    ServingContainer,
    SleepAction,
)
from lossless.injection.file_hold import DEFAULT_SHELL, file_hold
from lossless.injection.nginx_reload import Reloading
from lossless.injection.problem import Problem, ProblemKind
from lossless.model.drain.hold_path import AskedHold, hold_path
from lossless.model.drain.hooks import HttpHook, OwnHook, SleepHook
from lossless.model.names import (
    AGENT_PORT,
    HOLD_ANNOTATION_PREFIX,
    HOLD_BY_FILE,
    SHARED_MOUNT,
)

_HIGHEST_PORT: Final = 65535
_LOOPBACK: Final = "127.0.0.1"
#: Seconds for which a hold outlasts what it waits for, before it takes the pod's agent for dead.
MARGIN: Final = 5


@dataclass(frozen=True, slots=True)
class HoldRequest:
    """What is asked of one container's hold."""

    least: float
    """Seconds that every drain takes: a shorter sleep of the container's own says nothing."""
    limit: int
    """Seconds after which a hold that cannot be the agent's ends, whatever happened to that; more
    for a container whose own sleep is longer."""
    by_file: bool = False
    """This container has a shell, as an annotation or ``reloading`` says, and is held by it."""
    sees_files: bool = True
    """The shared volume is mounted into the container."""
    sleep: int = 0
    """Seconds for which it only sleeps (``sidecars.order: Sleep``); 0: it is held."""
    reloading: Reloading | None = None
    """nginx runs in it and is reloaded in a drain, which needs a shell and the shared volume."""
    agent_port: int = AGENT_PORT
    hold_key: str = ""
    """Tells the pod's own agent from others; empty unless the pod is on its node's network."""


@dataclass(frozen=True, slots=True)
class HookDecision:
    """What one container gets."""

    hook: Mapping[str, Any] | None = None
    """Its preStop from now on; None: it stays as it is."""
    own: OwnHook | None = None
    """What the agent does in the kubelet's place."""
    by_file: bool = False
    """It waits for a file."""
    problem: Problem | None = None
    """Why it is not protected; None if it is."""


def hold(container: str, asked: HoldRequest, own: OwnHook | None) -> dict[str, Any]:
    """Return the hold by HTTP. The API server would default the scheme."""
    path = hold_path(AskedHold(container, asked.hold_key, _limit(asked, own)))
    request = {"path": path, "port": asked.agent_port, "scheme": "HTTP"}
    if asked.hold_key:
        # A pod on its node's network has no address that the kubelet would send a hook to
        # (https://github.com/kubernetes/kubernetes/issues/134285).
        request["host"] = _LOOPBACK
    return {"httpGet": request}


def decide(
    container: ServingContainer, asked: HoldRequest, before: Mapping[str, OwnHook]
) -> HookDecision:
    """Return what the container gets.

    Args:
        container: as it came.
        asked: what is asked of its hold.
        before: what an earlier pass has told the agent of, by container; found again here, since
            the hook itself is gone from the pod by now.
    """
    hook = container.pre_stop
    ours = _is_ours(hook, asked.agent_port)
    own = before.get(container.name) if ours else None
    command = hook.command if isinstance(hook, ExecAction) else ()
    seconds = hook.seconds if isinstance(hook, SleepAction) else 0
    only_waits = ours or hook is None or isinstance(hook, SleepAction)
    if asked.sleep and not command and own is None and only_waits:
        return HookDecision({"sleep": {"seconds": max(asked.sleep, seconds)}})
    match hook:
        case ExecAction() if command:
            return _by_shell(container, hook, asked, own)
        case SleepAction():
            own = SleepHook(container.name, float(seconds)) if seconds > asked.least else None
        case HttpGetAction() if not ours:
            sent = _http_hook(container, hook)
            if isinstance(sent, Problem):
                return HookDecision(problem=sent)
            own = sent
        case OtherAction(kind):
            kept = f"it keeps its own preStop {kind}"
            remedy = "remove it to have the container held"
            return HookDecision(problem=_unprotected(container, kept, remedy))
        case _:
            pass
    if asked.by_file and asked.sees_files:
        return _held_by_file(container, (), DEFAULT_SHELL, asked, own)
    return HookDecision(hold(container.name, asked, own), own)


def _is_ours(hook: LifecycleHandler | None, agent_port: int) -> bool:
    """Return whether this preStop is a hold of ours, whatever defaults were added to it."""
    match hook:
        case ExecAction(held=held):
            return held
        case HttpGetAction():
            return hook.asks_for_hold and hook.port == agent_port
        case _:
            return False


def _by_shell(
    container: ServingContainer, hook: ExecAction, asked: HoldRequest, own: OwnHook | None
) -> HookDecision:
    """Decide about a container whose own hook is a program."""
    if not hook.shell and not asked.by_file:
        return HookDecision(
            problem=_unprotected(
                container,
                "it keeps its own preStop exec, which does not show whether there is a shell to"
                " wait in",
                "if there is one, annotate the pod template with"
                f" {HOLD_ANNOTATION_PREFIX}{container.name}: {HOLD_BY_FILE}, or remove the hook",
            )
        )
    if not asked.sees_files:
        return HookDecision(
            problem=_unprotected(
                container,
                f"its preStop exec cannot wait for the drain, because {SHARED_MOUNT} is taken",
                "mount elsewhere what is there",
            )
        )
    return _held_by_file(container, hook.command, hook.shell or DEFAULT_SHELL, asked, own)


def _held_by_file(
    container: ServingContainer,
    command: Sequence[str],
    shell: str,
    asked: HoldRequest,
    own: OwnHook | None,
) -> HookDecision:
    limit = _limit(asked, own)
    hook = file_hold(container.name, command, program=shell, limit=limit, reloading=asked.reloading)
    return HookDecision(hook, own, by_file=True)


def _limit(asked: HoldRequest, own: OwnHook | None) -> int:
    """Return the seconds after which the hold ends in any case: not before the agent ends it."""
    slept = math.ceil(own.seconds) + MARGIN if isinstance(own, SleepHook) else 0
    return max(asked.limit, slept)


def _http_hook(container: ServingContainer, hook: HttpGetAction) -> HttpHook | Problem:
    """Return what the agent is to send, or why it cannot."""
    if hook.elsewhere:
        return _unprotected(
            container,
            f"its preStop httpGet goes to host {hook.host}, and the agent calls only its own pod",
            "remove host, or the hook",
        )
    if hook.scheme != "HTTP":
        return _unprotected(
            container,
            "its preStop httpGet wants HTTPS, which the agent does not speak",
            "use HTTP, or remove the hook",
        )
    if hook.number is None or not 0 < hook.number <= _HIGHEST_PORT:
        return _unprotected(
            container,
            f"its preStop httpGet names port {hook.port!r}, which the container does not declare",
            "declare it, or use a number",
        )
    return HttpHook(container.name, hook.number, hook.path or "/", hook.headers)


def _unprotected(container: ServingContainer, reason: str, remedy: str) -> Problem:
    return Problem(ProblemKind.UNPROTECTED, container.name, reason, remedy)
