"""What is up: written before the first thing is made, so that a killed run can be cleaned up."""

from __future__ import annotations

import fcntl
import json
import os
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from e2e.cluster.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Any

    from e2e.cluster.paths import Paths
    from e2e.cluster.progress import Progress

LOCK_TIMEOUT = 3600.0
"""Seconds to wait for another `up`, which may be building for the first time."""


@dataclass(frozen=True)
class Record:
    """A cluster that is up, or was being made.

    Attributes:
        provider: "local", "kind" or "existing".
        complete: False until `up` has reached its end.
        boot: The boot that it was made in; its processes and namespaces did not outlive it.
        details: What the provider wants to remember.
    """

    provider: str
    complete: bool
    boot: str
    details: dict[str, Any]

    def write(self, paths: Paths) -> None:
        """Write it to the state folder, atomically."""
        paths.state.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = paths.record.with_suffix(".draft")
        draft.write_text(json.dumps(asdict(self), indent=2))
        draft.replace(paths.record)

    @classmethod
    def read(cls, paths: Paths) -> Record | None:
        """The record; None when nothing is up or the file makes no sense."""
        try:
            fields = json.loads(paths.record.read_text())
            return cls(fields["provider"], fields["complete"], fields["boot"], fields["details"])
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None


@contextmanager
def exclusive(lock: Path, progress: Progress, timeout: float = LOCK_TIMEOUT) -> Iterator[None]:
    """Keep two runs from working on the cluster at once; the second waits for the first.

    The kernel drops the lock with the process, so a killed run leaves none behind.

    Raises:
        ClusterError: The other run did not end in time.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a+") as file:
        deadline = time.monotonic() + timeout
        told = False
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                file.seek(0)
                holder = file.read().strip() or "unknown"
                if time.monotonic() >= deadline:
                    raise ClusterError(
                        f"Another run (pid {holder}) has worked on the cluster for {timeout:g} s.",
                        f"`ps -p {holder}` shows it; end it if it hangs.",
                    ) from None
                if not told:
                    progress.say(f"Waiting for another run (pid {holder}) to finish …")
                    told = True
                time.sleep(0.2)
        file.seek(0)
        file.truncate()
        file.write(str(os.getpid()))
        file.flush()
        yield
