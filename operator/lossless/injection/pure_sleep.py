"""A preStop hook whose program only sleeps, without a shell: ``exec: [sleep, "25"]``.

It does what the ``sleep`` action does, for which Kubernetes 1.29 made a program needless, so it is
held as that is.
"""

import math
import re
from collections.abc import Sequence
from typing import Final

_UNITS: Final = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
#: An argument of sleep(1) in coreutils and busybox.
_TIME: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{0,9})?|\.[0-9]{1,9})([smhd]?)", re.ASCII)
#: Multi-call programs and such that only run what they name.
_BEFORE: Final = frozenset({"env", "busybox", "toybox", "exec", "tini", "dumb-init"})
#: Seconds: a year, in which every grace period has ended.
_LONGEST: Final = 366 * 86400


def slept(command: Sequence[str]) -> int | None:
    """Return the seconds that a command sleeps, rounded up; None if it does anything else.

    Not for ``sleep infinity``: it ends only when the grace period does, and no hold can do that.
    """
    words = list(command)
    while words and words[0].rpartition("/")[2] in _BEFORE:
        words = words[1:]
        if words[:1] == ["--"]:
            words = words[1:]
    if not words or words[0].rpartition("/")[2] != "sleep":
        return None
    times = [_TIME.fullmatch(word) for word in words[1:]]
    if not times:
        return None
    total = 0.0
    for time in times:
        if time is None:
            return None
        total += float(time[1]) * _UNITS[time[2]]
    return math.ceil(total) if total <= _LONGEST else None
