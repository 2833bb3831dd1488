"""Programs that run beside a test: their end, and that of whoever started them."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from e2e.cluster import processes
from e2e.support.eventually import NeverHappened, eventually
from e2e.support.programs import ProgramEnded, running_program
from e2e.support.testbed import ROOT

#: Has a program run; says its process id, and what it does at its own end.
_STARTER = """
import sys, time
from pathlib import Path
from e2e.support.programs import end_in_order_on_sigterm, running_program

end_in_order_on_sigterm()
try:
    with running_program(sys.argv[2:], Path(sys.argv[1])) as program:
        print(program.process.pid, flush=True)
        time.sleep(60)
finally:
    print("cleared up", flush=True)
"""
_LASTS = (sys.executable, "-c", "import time; print('here', flush=True); time.sleep(60)")
_BECOMES = (sys.executable, "-c", "import os, sys; os.execvp(sys.argv[1], sys.argv[1:])")


@pytest.mark.parametrize("before", [(), _BECOMES], ids=["itself", "what-it-becomes"])
@pytest.mark.parametrize(
    ("number", "status", "said"),
    [
        pytest.param(signal.SIGKILL, -signal.SIGKILL, "", id="killed"),
        pytest.param(signal.SIGTERM, 1, "cleared up\n", id="ended-in-order"),
    ],
)
def test_it_ends_with_whoever_started_it(
    number: signal.Signals, status: int, said: str, before: tuple[str, ...], tmp_path: Path
) -> None:
    """Also with one that was killed and could end nothing itself."""
    log = tmp_path / "log"
    argv = [sys.executable, "-c", _STARTER, str(log), *before, *_LASTS]
    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True) as starter:  # noqa: S603 # this interpreter, texts of this file
        assert starter.stdout is not None  # asked for
        program = processes.identify(int(starter.stdout.readline()))
        assert program is not None
        eventually(lambda: "here" in log.read_text(), what="it runs", within=20, every=0.05)

        starter.send_signal(number)
        rest, _ = starter.communicate(timeout=20)

    assert (starter.returncode, rest) == (status, said)
    eventually(
        lambda: not processes.is_alive(program), what="the program to end", within=20, every=0.05
    )


def test_one_that_cannot_start_says_why(tmp_path: Path) -> None:
    """At once, in its own words, not after the time that it had to start."""
    argv = (sys.executable, "-c", "raise SystemExit('[emerg] no such directive')")
    with (
        running_program(argv, tmp_path / "log") as program,
        pytest.raises(ProgramEnded, match=r"ended with 1 .* it listens; .*\[emerg\] no such"),
    ):
        program.comes_to(lambda: False, what="it listens", within=30)


def test_one_that_runs_but_is_never_ready(tmp_path: Path) -> None:
    """What was waited for is named."""
    with (
        running_program(_LASTS, tmp_path / "log") as program,
        pytest.raises(NeverHappened, match="it listens"),
    ):
        program.comes_to(lambda: False, what="it listens", within=0)
