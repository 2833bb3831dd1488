"""Whose turn it is on the cluster: stories side by side, and those that must be alone on it."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Turns:
    """A cluster that several processes share.

    The kernel drops a lock with its process, so that one which was killed blocks nobody.
    """

    folder: Path
    """For the locks and notes of one run."""

    @contextmanager
    def taken(self, *, alone: bool) -> Iterator[None]:
        """Use the cluster within, beside others or after all of them have ended."""
        with self._locked("cluster", fcntl.LOCK_EX if alone else fcntl.LOCK_SH):
            yield

    @contextmanager
    def once(self, what: str) -> Iterator[bool]:
        """Yield whether ``what`` is still to be done in this run; who does it keeps others waiting.

        It counts as done if nothing is raised within.

        Args:
            what: a name that is good for a file.
        """
        done = self.folder / f"{what}.done"
        with self._locked(what, fcntl.LOCK_EX):
            yield not done.exists()
            done.touch()

    @contextmanager
    def _locked(self, what: str, how: int) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / f"{what}.lock").open("a") as file:
            fcntl.flock(file, how)
            yield
