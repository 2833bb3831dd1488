"""Programs of this checkout, and programs that run beside a test until its end."""

import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from e2e.support.eventually import eventually
from e2e.support.testbed import ROOT

#: Seconds to end in order.
_END: Final = 20.0
#: Characters of a log that an error shows.
_LAST_WORDS: Final = 2000


class ProgramEnded(RuntimeError):  # noqa: N818 # reads as the thing that happened
    """A program ended though nobody stopped it; with what it printed last."""


@dataclass(frozen=True, slots=True)
class RunningProgram:
    """A program that runs beside a test."""

    process: subprocess.Popen[bytes]
    log: Path
    """All that it prints."""

    def comes_to(self, ready: Callable[[], object], *, what: str, within: float) -> None:
        """Wait until it is ready.

        Args:
            ready: whether it is.
            what: is waited for.
            within: seconds.

        Raises:
            NeverHappened: the deadline passed.
            ProgramEnded: it has ended, or ends meanwhile.
        """

        def look() -> object:
            status = self.process.poll()
            if status is None:
                return ready()
            said = self.log.read_text(errors="replace").strip()[-_LAST_WORDS:]
            raise ProgramEnded(
                f"ended with {status} on its own, before {what}; {self.log} says:"
                f" {said or 'nothing'}"
            )

        eventually(look, what=what, within=within)


def end_in_order_on_sigterm() -> None:
    """Have SIGTERM end this program as an exception does, so that everything is cleared up."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))


def ending_with_us(argv: Sequence[str]) -> list[str]:
    """Return the command that runs a program and has SIGTERM end it if we are killed.

    The kernel sends it when the *thread* that starts the command ends, and forgets it when a
    program with a set-user-ID bit is executed; across any other exec it stays (Linux,
    PR_SET_PDEATHSIG(2const)), so through ``nsenter`` and the cluster tool as well.
    """
    return ["setpriv", "--pdeathsig", "TERM", "--", *argv]


def make_program(file: Path, module: str) -> None:
    """Make ``file`` a program that runs a module of this checkout, as its installation would."""
    file.write_text(
        "#!/bin/sh\n"
        f"PYTHONPATH={shlex.quote(str(ROOT / 'operator'))} "
        f'exec {shlex.quote(sys.executable)} -m {module} "$@"\n'
    )
    file.chmod(0o755)


@contextmanager
def running_program(argv: Sequence[str], log: Path) -> Iterator[RunningProgram]:
    """Have a program run to the end of the block, or of this process, all it says in ``log``."""
    with log.open("w") as output:
        process = subprocess.Popen(
            ending_with_us(argv),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            yield RunningProgram(process, log)
        finally:
            process.terminate()
            try:
                process.wait(timeout=_END)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
