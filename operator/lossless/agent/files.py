"""The files by which the agent speaks to others and to its own next start.

All live on small tmpfs volumes or under the kubelet's hand. None of them may stop a drain: what
cannot be written is reported, and the drain goes on.
"""

import errno
import json
import os
from dataclasses import dataclass
from typing import Final

_MAX_MARKER: Final = 16384


@dataclass(frozen=True, slots=True)
class Marker:
    """That a drain has started, for an agent that is started again after it."""

    started: float
    """On the boot clock (seconds, suspended time included)."""
    started_wall: float
    """The same moment in seconds since 1970."""
    report: str = ""
    """The final report once the drain has ended."""
    sandbox: str = ""
    """Which of the pod's sandboxes it was in (``survival.sandbox_id``); empty if nobody knows."""
    stopped: bool = False
    """Whether the agent was told to end in the middle of the drain."""

    def to_json(self) -> str:
        """Return the document."""
        return json.dumps(
            {
                "started": self.started,
                "startedWall": self.started_wall,
                "report": self.report,
                "sandbox": self.sandbox,
                "stopped": self.stopped,
            }
        )

    def started_by(self, boot: float, wall: float) -> float:
        """Return when the drain started on the boot clock whose reading is ``boot`` now.

        Args:
            boot: now; less than ``started`` if the node was started anew meanwhile.
            wall: now, in seconds since 1970.
        """
        if self.started <= boot:
            return self.started
        return boot - max(0.0, wall - self.started_wall)


def parse_marker(text: str) -> Marker:
    """Return the marker that ``to_json`` wrote.

    Raises:
        ValueError: it is not a marker.
    """
    try:
        raw = json.loads(text)
        marker = Marker(
            float(raw["started"]),
            float(raw["startedWall"]),
            str(raw["report"]),
            str(raw.get("sandbox", "")),
            raw.get("stopped") is True,
        )
    except (KeyError, TypeError, OverflowError, RecursionError) as error:
        raise ValueError(f"not a drain marker: {type(error).__name__}: {error}") from error
    if not 0 <= marker.started < float("inf") or not 0 <= marker.started_wall < float("inf"):
        raise ValueError("not a drain marker: its times are not numbers of seconds")
    return marker


def read_marker(path: str, boot: float, wall: float) -> Marker | None:
    """Return the marker at ``path``, or None if no drain has started.

    One that cannot be read still says that a drain has started; then its deadline runs from the
    file's own time.
    """
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123 # pathlib costs memory in every pod
            return parse_marker(file.read(_MAX_MARKER))
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        try:
            written = os.stat(path).st_mtime  # noqa: PTH116 # the same
        except FileNotFoundError:
            return None
        except OSError:
            written = wall
        return Marker(max(0.0, boot - max(0.0, wall - written)), written)


def write_marker(path: str, marker: Marker) -> str:
    """Write the marker at once or not at all; return what went wrong, or nothing."""
    try:
        with open(f"{path}.new", "w", encoding="utf-8") as file:  # noqa: PTH123 # the same
            file.write(marker.to_json())
        os.replace(f"{path}.new", path)  # noqa: PTH105 # the same
    except OSError as error:
        return f"cannot write {path}: {error.strerror}"
    return ""


def show(path: str) -> str:
    """Create a file, or leave it as it is; return what went wrong, or nothing."""
    if os.path.lexists(path):
        return ""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644))
    except OSError as error:
        return f"cannot create {path}: {error.strerror}{_remedy(error)}"
    return ""


def show_status(path: str) -> str:
    """Create a status file, or leave it as it is; return what went wrong, or nothing.

    One that is there and could not be removed when the time comes is wrong as well.
    """
    directory = os.path.dirname(path)  # noqa: PTH120 # pathlib costs memory in every pod
    if os.path.lexists(path) and not os.access(directory, os.W_OK):
        return f"cannot remove {path} when the pod drains{_permission()}"
    return show(path)


def hide_status(path: str) -> str:
    """Remove the status file; return what went wrong, or nothing."""
    try:
        os.unlink(path)  # noqa: PTH108 # the same
    except FileNotFoundError:
        return ""
    except OSError as error:
        return f"cannot remove {path}: {error.strerror}{_remedy(error)}"
    return ""


def _remedy(error: OSError) -> str:
    denied = error.errno in (errno.EACCES, errno.EPERM, errno.EROFS)
    return _permission() if denied else ""


def _permission() -> str:
    return f"; give user {os.geteuid()} write access to its directory, or the pod an fsGroup"


def write_last_words(path: str, text: str) -> str:
    """Write the termination message; return what went wrong, or nothing.

    In place, because the kubelet has mounted this very file.
    """
    try:
        with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123 # the same
            file.write(text)
    except OSError as error:
        return f"cannot write {path}: {error.strerror}"
    return ""
