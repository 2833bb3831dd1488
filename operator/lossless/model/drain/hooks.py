"""A container's own preStop hook, when the agent does its work in the kubelet's place.

A container has one preStop hook, and that is the hold. So what stood there is told to the agent,
which does the same at the same moment: when the pod is asked to stop.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class HttpHook:
    """An ``httpGet``: the agent sends it, and the container waits for its end."""

    container: str
    port: int
    path: str = "/"
    """With its query, if any."""
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class SleepHook:
    """A ``sleep``: the container stops no earlier than so long after the drain's start."""

    container: str
    seconds: float


OwnHook = HttpHook | SleepHook


def hook_document(hook: OwnHook) -> dict[str, Any]:
    """Return the hook as the agent is told of it."""
    if isinstance(hook, SleepHook):
        return {"container": hook.container, "sleep": hook.seconds}
    return {
        "container": hook.container,
        "port": hook.port,
        "path": hook.path,
        "headers": [list(header) for header in hook.headers],
    }


def parse_hook(raw: Mapping[str, Any]) -> OwnHook:
    """Return the hook that ``hook_document`` wrote.

    Raises:
        KeyError, TypeError, ValueError, AttributeError: it is none.
    """
    container = str(raw["container"])
    if "sleep" in raw:
        return SleepHook(container, float(raw["sleep"]))
    return HttpHook(
        container,
        port=int(raw["port"]),
        path=str(raw["path"]),
        headers=tuple((str(name), str(value)) for name, value in raw.get("headers", ())),
    )
