"""One client that runs on a host outside the cluster."""

import contextlib
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from e2e.clients.report import ClientReport, parse_line
from e2e.support.eventually import NeverHappened, eventually
from e2e.support.seconds import Step, spent_on
from e2e.support.testbed import ROOT

#: Seconds: Java under load on two cores needs some for its first word.
_FIRST_WORD: Final = 60.0
#: Seconds beyond the slowest answer until a client that was stopped has to be gone.
_END: Final = 40.0


class ClientFailed(RuntimeError):  # noqa: N818 # reads as the thing that happened
    """A client ended on its own, or said what cannot be read: nothing can be said of its row."""


class RunningClient:
    """A client's process, and what it has said so far."""

    def __init__(self, name: str, command: Sequence[str], log: Path, *, slowest: float) -> None:
        """Start it; it ends with ``stop``, or with this process.

        Args:
            name: for error messages.
            command: the program, with its order in its environment.
            log: where its standard error goes.
            slowest: seconds that the slowest answer takes.
        """
        self.name = name
        self._slowest = slowest
        self._log = log
        self._reports: list[ClientReport] = []
        self._result: ClientReport | None = None
        self._nonsense = ""
        self._stood_still = ""
        with log.open("w") as errors:
            self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        self._reader = threading.Thread(target=self._read, name=f"client: {name}", daemon=True)
        self._reader.start()

    @property
    def so_far(self) -> ClientReport:
        """The latest report, about a second old.

        Raises:
            ClientFailed: it has ended though nobody stopped it.
        """
        eventually(
            lambda: self._reports or self._nonsense or self._process.poll() is not None,
            what=f"a first word of {self.name}",
            within=_FIRST_WORD,
            every=0.1,
        )
        if self._process.poll() is not None or self._nonsense:
            raise ClientFailed(f"{self.name} ended in mid-run: {self._last_words()}")
        return self._reports[-1]

    @spent_on(Step.LOAD)
    def reaches(self, requests: int, *, within: float) -> None:
        """Wait until so many requests have ended since it started.

        Raises:
            ClientFailed: it has ended though nobody stopped it.
            NeverHappened: they have not within so many seconds.
        """
        eventually(
            lambda: self.so_far,
            lambda report: report.requests >= requests,
            what=f"{requests} requests of {self.name}",
            within=within,
        )

    def goes_on(self, requests: int, *, within: float) -> None:
        """Wait until so many requests have ended; if they have not, one counts as lost.

        Whatever it waits for, it got no further: not every program tells that by itself.

        Raises:
            ClientFailed: it has ended though nobody stopped it.
        """
        try:
            self.reaches(requests, within=within)
        except NeverHappened as still:
            self._stood_still = f"{time.time():.3f} {still}"

    def ask_to_stop(self) -> None:
        """Let it finish what is in flight; returns at once."""
        assert self._process.stdin is not None  # asked for above
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()

    @spent_on(Step.LOAD)
    def stop(self) -> ClientReport:
        """Let it finish what is in flight, and return all that it has seen.

        Raises:
            ClientFailed: it left no result.
        """
        self.ask_to_stop()
        try:
            self._process.wait(timeout=_END + self._slowest)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(timeout=10)
        assert self._process.stdout is not None  # asked for above
        self._process.stdout.close()
        if self._result is None:
            raise ClientFailed(f"{self.name} left no result: {self._last_words()}")
        if self._stood_still:
            return self._result.and_lost("stood still", self._stood_still)
        return self._result

    def _read(self) -> None:
        """Take in what the client says; after one line of nonsense nothing of it is believed."""
        assert self._process.stdout is not None  # asked for above
        for line in self._process.stdout:
            try:
                is_last, report = parse_line(line)
            except ValueError as error:
                self._nonsense = str(error)
                return
            if is_last:
                self._result = report
            else:
                self._reports[:] = [report]

    def _last_words(self) -> str:
        return self._nonsense or self._log.read_text()[-500:] or f"{self._process.returncode}"
