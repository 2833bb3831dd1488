"""When each container may stop, once its pod is being drained: pure, one container at a time.

Three things may keep a container beyond the end of the drain, each with its own end:

* its own preStop, which the agent runs in the kubelet's place: at most until the drain's deadline;
* its own preStop ``sleep``: as long as that says;
* plain sidecars stop after the main containers: an application that ends in order may need its
  database proxy until its last moment, and SIGTERM reaches all containers of a pod at once. They
  wait until nothing listens on a port of the main containers *and* nobody inside the pod has a
  connection to anybody else there, in several looks in a row; at most for ``seconds``.

The second half of the last rule is there because a server stops listening when its end begins, not
when it is over. What it cannot see is an application that has closed its listeners and needs a
sidecar without holding a connection to it, such as a shipper of log files: a native sidecar is the
remedy for that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

#: Looks in a row that must agree: one can fall between two connections of an application.
CONSECUTIVE: Final = 3
#: Seconds between two of them.
PACE: Final = 0.5


@dataclass(frozen=True, slots=True)
class Barrier:
    """Which containers stop after which."""

    sidecars: tuple[str, ...] = ()
    """Names of those that wait for the main containers' end."""
    ports: tuple[int, ...] = ()
    """On which the main containers listen."""
    seconds: float = 0.0
    """How long they wait at most: the time the pod had to stop before we came, its own
    ``terminationGracePeriodSeconds``."""


class Presence(StrEnum):
    """What one look says about the main containers."""

    HERE = "here"
    GONE = "gone"
    UNKNOWN = "unknown"
    """The look failed, which never means that they have gone."""


@dataclass(frozen=True, slots=True)
class DrainState:
    """What of a drain matters here; seconds on one clock."""

    started: float
    timeout: float
    """How long the drain may take."""
    ended: float | None = None
    """None: it has not."""


@dataclass(frozen=True, slots=True)
class Hold:
    """What keeps one container beyond the end of its pod's drain; seconds."""

    sleep: float = 0.0
    """How long its own preStop would have slept, from the start of the drain on."""
    waits: float = 0.0
    """How long it waits for the main containers at most, from the end of the drain on."""


def may_stop(
    state: DrainState,
    now: float,
    hold: Hold,
    *,
    own_hook_done: bool = True,
    looks: Sequence[Presence] = (),
) -> bool:
    """Return whether a container may stop.

    Args:
        state: of its pod's drain.
        now: on the clock of ``state``.
        hold: the container's.
        own_hook_done: its own preStop has been answered, or has failed.
        looks: the latest at the main containers, all of them taken after the drain's end.
    """
    if state.ended is None:
        return False
    passed = now - state.started
    if passed < hold.sleep or (not own_hook_done and passed < state.timeout):
        return False
    return now - state.ended >= hold.waits or all_gone(looks)


def all_gone(looks: Sequence[Presence]) -> bool:
    """Return whether the latest looks agree that the main containers have ended."""
    window = looks[-CONSECUTIVE:]
    return len(window) == CONSECUTIVE and all(look is Presence.GONE for look in window)
