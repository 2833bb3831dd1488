"""The state directory: the journal, the lock, and what the drain and the commands write."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lossless.host.journal import MAX_BYTES, Journal, parse_journal

#: Attempts to take the lock, and seconds between them: who only looks holds it for an instant.
_ATTEMPTS: Final = 10
_PAUSE: Final = 0.05


class Locked(RuntimeError):  # noqa: N818 # reads as the thing that happened
    """Another run is at work."""


@dataclass(frozen=True, slots=True)
class Store:
    """One host's state directory."""

    directory: Path

    @property
    def journal(self) -> Path:
        """The journal."""
        return self.directory / "journal.json"

    @property
    def log(self) -> Path:
        """Where log lines are appended."""
        return self.directory / "host.log"

    @property
    def output(self) -> Path:
        """What the latest command has said."""
        return self.directory / "command.out"

    @property
    def _lock(self) -> Path:
        return self.directory / "lock"

    def prepare(self) -> None:
        """Make the directory.

        Raises:
            OSError: it cannot be made.
        """
        self.directory.mkdir(mode=0o755, parents=True, exist_ok=True)

    def read(self) -> Journal | None:
        """Return the journal of the latest run, or None if there has been none.

        Raises:
            OSError: it cannot be read.
            ValueError: it is not a journal.
        """
        try:
            with self.journal.open(encoding="utf-8") as file:
                return parse_journal(file.read(MAX_BYTES))
        except FileNotFoundError:
            return None

    def write(self, journal: Journal) -> None:
        """Replace the journal, and return once it is on the disk: a machine may lose power.

        Raises:
            OSError: it cannot be written.
        """
        draft = self.journal.with_suffix(".new")
        with draft.open("w", encoding="utf-8") as file:
            file.write(journal.to_json())
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.journal)
        folder = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Be the only run at work on this host; the kernel ends it with the process.

        Raises:
            Locked: another one is, and which.
            OSError: the lock cannot be opened.
        """
        handle = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            if not _taken(handle):
                holder = os.pread(handle, 32, 0).decode("ascii", "replace").strip()
                raise Locked(
                    f"another run is at work, process {holder or 'unknown'}; wait for it, or stop"
                    f" it with: kill {holder or 'PID'}"
                )
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
            yield
        finally:
            os.close(handle)

    def holder(self) -> int | None:
        """Return the process that is at work, 0 if it is unknown which, None if none is.

        Raises:
            OSError: nobody may tell.
        """
        try:
            handle = os.open(self._lock, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        try:
            # A shared lock, so that two who only look do not take each other for a run.
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            with suppress(ValueError):
                return int(os.pread(handle, 32, 0))
            return 0
        else:
            return None
        finally:
            os.close(handle)


def _taken(handle: int) -> bool:
    for _ in range(_ATTEMPTS):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_PAUSE)
        else:
            return True
    return False
