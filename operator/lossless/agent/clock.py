"""The two clocks of the agent, passed to whoever needs one."""

import time
from collections.abc import Callable
from dataclasses import dataclass


def _boot() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@dataclass(frozen=True, slots=True)
class Clock:
    """Seconds, twice."""

    boot: Callable[[], float] = _boot
    """Since the node started, suspended time included: for durations, the same for every
    process of the node, so that a restarted agent can go on counting."""
    wall: Callable[[], float] = time.time
    """Since 1970: for people, and for the rare case that the other one started anew."""
