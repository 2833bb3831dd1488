"""The agent's log: one JSON object in a line on standard output for each event."""

import json
import os
import stat
import time
from collections.abc import Callable
from typing import Any, Final

#: What takes an event and its fields. A log must never be the reason for anything, so it
#: neither raises nor waits.
Log = Callable[..., None]

_STDOUT: Final = 1
_MAX_TEXT: Final = 512


def make_log(pod: str, *, fd: int = _STDOUT, wall: Callable[[], float] = time.time) -> Log:
    """Return a log that writes to ``fd``.

    A pipe that nobody reads must not stop the drain: it is made non-blocking, and a line that
    does not fit is dropped. (Not a terminal or a file: that setting would outlive the agent.)
    """
    try:
        if stat.S_ISFIFO(os.fstat(fd).st_mode):
            os.set_blocking(fd, False)
    except OSError:
        pass

    def log(event: str, **fields: Any) -> None:
        line: dict[str, object] = {"time": _rfc3339(wall()), "event": event, "pod": pod}
        line |= {key: _short(value) for key, value in fields.items()}
        try:
            os.write(fd, json.dumps(line).encode() + b"\n")
        except OSError:
            return

    return log


def _short(value: object) -> object:
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, bool | int | None):
        return value
    return str(value)[:_MAX_TEXT]


def _rfc3339(seconds: float) -> str:
    millis = int(seconds * 1000) % 1000
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{millis:03d}Z"
