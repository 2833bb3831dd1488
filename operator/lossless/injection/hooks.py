"""What becomes of each container's preStop hook.

A container has one. Without one of its own it gets the hold: an HTTP request of the kubelet to the
agent, answered when the container may stop. One that is there already keeps its function:

=============================  ===================================================================
``sleep``                      hold; the agent lets the container go no earlier than the sleep ends
``httpGet``                    hold; the agent sends the request when the drain starts
``httpGet``, HTTPS or a host   stays, unprotected: the agent speaks no TLS, and calls only its pod
``exec`` of ``sleep`` alone    as ``sleep``
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

from lossless.injection.containers import LOOPBACK, Place, goes_elsewhere, port_number
from lossless.injection.file_hold import (
    DEFAULT_SHELL,
    file_hold,
    is_file_hold,
    own_command,
    shell_of,
)
from lossless.injection.nginx_reload import Reloading
from lossless.injection.pure_sleep import slept
from lossless.model.drain.hold_path import AskedHold, hold_path, parse_hold_path
from lossless.model.drain.hooks import HttpHook, OwnHook, SleepHook
from lossless.model.names import (
    AGENT_PORT,
    HOLD_ANNOTATION_PREFIX,
    HOLD_BY_FILE,
    SHARED_MOUNT,
)

_HIGHEST_PORT: Final = 65535
#: Seconds for which a hold outlasts what it waits for, before it takes the pod's agent for dead.
MARGIN: Final = 5


@dataclass(frozen=True, slots=True)
class Terms:
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
class Decision:
    """What one container gets."""

    hook: Mapping[str, Any] | None = None
    """Its preStop from now on; None: it stays as it is."""
    own: OwnHook | None = None
    """What the agent does in the kubelet's place."""
    by_file: bool = False
    """It waits for a file."""
    reason: str = ""
    """Why it is not protected; empty if it is."""


def hold(container: str, terms: Terms, own: OwnHook | None) -> dict[str, Any]:
    """Return the hold by HTTP. The API server would default the scheme."""
    asked = AskedHold(container, terms.hold_key, _limit(terms, own))
    request = {"path": hold_path(asked), "port": terms.agent_port, "scheme": "HTTP"}
    if terms.hold_key:
        # A pod on its node's network has no address that the kubelet would send a hook to
        # (https://github.com/kubernetes/kubernetes/issues/134285).
        request["host"] = LOOPBACK
    return {"httpGet": request}


def is_hold(hook: Mapping[str, Any], port: int = AGENT_PORT) -> bool:
    """Return whether this preStop is a hold by HTTP of ours, whatever defaults were added to it."""
    request = hook.get("httpGet") or {}
    return (
        parse_hold_path(str(request.get("path") or "")) is not None and request.get("port") == port
    )


def decide(place: Place, terms: Terms, before: Mapping[str, OwnHook]) -> Decision:
    """Return what the container gets.

    Args:
        place: the container.
        terms: what is asked of its hold.
        before: what an earlier pass has told the agent of, by container; found again here, since
            the hook itself is gone from the pod by now.
    """
    hook = (place.container.get("lifecycle") or {}).get("preStop") or {}
    ours = is_hold(hook, terms.agent_port) or is_file_hold(hook)
    own = before.get(place.name) if ours else None
    command = own_command(hook)
    only_sleeps = None if is_file_hold(hook) else slept(command)
    if only_sleeps is not None:
        hook, command = {"sleep": {"seconds": only_sleeps}}, []
    seconds = int((hook.get("sleep") or {}).get("seconds") or 0)
    if terms.sleep and not command and own is None and (ours or not hook or "sleep" in hook):
        return Decision({"sleep": {"seconds": max(terms.sleep, seconds)}})
    if command:
        return _by_shell(place, hook, terms, own)
    if "sleep" in hook:
        own = SleepHook(place.name, float(seconds)) if seconds > terms.least else None
    elif "httpGet" in hook and not ours:
        asked = _http_hook(place, hook["httpGet"], host_network=bool(terms.hold_key))
        if isinstance(asked, str):
            return Decision(reason=asked)
        own = asked
    elif hook and not ours:
        return Decision(
            reason=f"it keeps its own preStop {min(hook)}; remove it to have the container held"
        )
    if terms.by_file and terms.sees_files:
        return _held_by_file(place, (), DEFAULT_SHELL, terms, own)
    return Decision(hold(place.name, terms, own), own)


def _by_shell(place: Place, hook: Mapping[str, Any], terms: Terms, own: OwnHook | None) -> Decision:
    """Decide about a container whose own hook is a program."""
    command = own_command(hook)
    shell = hook["exec"]["command"][0] if is_file_hold(hook) else shell_of(command)
    if not shell and not terms.by_file:
        return Decision(
            reason="it keeps its own preStop exec, which does not show whether there is a shell"
            " to wait in; if there is one, annotate the pod template with"
            f" {HOLD_ANNOTATION_PREFIX}{place.name}: {HOLD_BY_FILE}, or remove the hook"
        )
    if not terms.sees_files:
        return Decision(
            reason=f"its preStop exec cannot wait for the drain, because {SHARED_MOUNT} is taken;"
            " mount elsewhere what is there"
        )
    return _held_by_file(place, command, shell or DEFAULT_SHELL, terms, own)


def _held_by_file(
    place: Place, command: Sequence[str], shell: str, terms: Terms, own: OwnHook | None
) -> Decision:
    limit = _limit(terms, own)
    hook = file_hold(place.name, command, program=shell, limit=limit, reloading=terms.reloading)
    return Decision(hook, own, by_file=True)


def _limit(terms: Terms, own: OwnHook | None) -> int:
    """Return the seconds after which the hold ends in any case: not before the agent ends it."""
    slept = math.ceil(own.seconds) + MARGIN if isinstance(own, SleepHook) else 0
    return max(terms.limit, slept)


def _http_hook(place: Place, request: Mapping[str, Any], *, host_network: bool) -> HttpHook | str:
    """Return what the agent is to send, or why it cannot."""
    if goes_elsewhere(request, host_network=host_network):
        return (
            f"its preStop httpGet goes to host {request['host']}, and the agent calls only its own"
            " pod; remove host, or the hook"
        )
    if (request.get("scheme") or "HTTP").upper() != "HTTP":
        return (
            "its preStop httpGet wants HTTPS, which the agent does not speak; use HTTP, or remove"
            " the hook"
        )
    port = port_number(place, request.get("port"))
    if port is None or not 0 < port <= _HIGHEST_PORT:
        return (
            f"its preStop httpGet names port {request.get('port')!r}, which the container does not"
            " declare; declare it, or use a number"
        )
    headers = tuple(
        (str(header.get("name")), str(header.get("value") or ""))
        for header in request.get("httpHeaders") or ()
    )
    return HttpHook(place.name, port, str(request.get("path") or "/"), headers)
