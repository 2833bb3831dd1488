"""Where the agent's files are."""

from dataclasses import dataclass

from lossless.model.names import (
    CONTROL_SOCKET,
    DRAIN_MARKER,
    DRAINING_FILE,
    RELEASED_FILE,
    RELOAD_FILE,
    STATUS_FILE,
    TERMINATION_LOG,
)


@dataclass(frozen=True, slots=True)
class Paths:
    """Absolute paths, by default those that the webhook mounts."""

    status_files: tuple[str, ...] = (STATUS_FILE,)
    marker: str = DRAIN_MARKER
    control: str = CONTROL_SOCKET
    last_words: str = TERMINATION_LOG
    draining: str = DRAINING_FILE
    released: str = RELEASED_FILE
    """A dot and a container's name are added."""
    reload: str = RELOAD_FILE
    """A dot and a number are added."""
    prefix: str = ""
    """A directory before the paths that close drivers and counters name."""
