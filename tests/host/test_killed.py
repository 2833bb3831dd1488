"""A publish that dies at any entry of its journal: nobody fails to notice, and the next one mends.

Killed by SIGKILL right after each write, with real programs, sockets and files.
"""

import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from lossless.host.exits import Exit
from lossless.host.journal import Outcome
from lossless.host.plan import Marks, Step, Verb, steps_of
from lossless.host.standing import State
from tests.host.machine import ENVIRONMENT, Balancer, Machine

ROOT: Final = Path(__file__).parents[2]
STEPS: Final = steps_of(Verb.PUBLISH, proxy=True, reopens=False)
#: The first entry, two for each step, and the last one, which ends the run in order.
ENTRIES: Final = [
    ("at the start", Marks()),
    *(
        (f"{'begun' if half else 'done'} {step.value}", marks)
        for index, step in enumerate(STEPS)
        for before in (Marks(frozenset(STEPS[:index]), frozenset(STEPS[:index])),)
        for half, marks in ((True, before.begin(step)), (False, before.finish(step)))
    ),
]


def publish_until(machine: Machine, entry: int) -> "subprocess.CompletedProcess[bytes]":
    """Publish in a process that dies at an entry."""
    return subprocess.run(  # noqa: S603 # this interpreter, these tests
        [sys.executable, "-m", "tests.host.fatal", str(machine.path), str(entry)],
        env=ENVIRONMENT,
        cwd=ROOT,
        capture_output=True,
        timeout=20,
        check=False,
    )


@pytest.mark.parametrize(
    ("entry", "marks"),
    [
        pytest.param(number, marks, id=name.replace(" ", "-"))
        for number, (name, marks) in enumerate(ENTRIES, 1)
    ],
)
async def test_a_death_is_noticed_and_mended(tmp_path: Path, entry: int, marks: Marks) -> None:
    """``status`` says so unless the host serves; ``publish`` says so first, and ends online."""
    with Machine(tmp_path) as machine, Balancer(machine):
        died = publish_until(machine, entry)
        assert died.returncode == -signal.SIGKILL, died.stdout + died.stderr
        assert (machine.journal.marks, machine.journal.outcome) == (marks, Outcome.NONE)

        standing = await machine.standing()
        if machine.flag.exists():
            assert standing.state is State.SERVING
        else:
            assert (standing.state, standing.exit) == (State.STRANDED, Exit.STRANDED)
            assert "lossless host publish goes on" in standing.remedy
        assert "was cut off" in standing.reason

        assert await machine.run() == Exit.OK
        assert "was cut off" in machine.said.getvalue().splitlines()[0]
        assert (await machine.standing()).state is State.SERVING
        assert machine.flag.read_text() == "serving"
        assert machine.journal.outcome is Outcome.ONLINE
        once = Step.START_APP in marks.begun
        assert machine.did.count("stop app") == 1
        assert machine.did.count("start app") == 1 or not once


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param(number, id=name.replace(" ", "-"))
        for number, (name, marks) in enumerate(ENTRIES, 1)
        if Step.STOP_PROXY in marks.done and Step.RESTORE not in marks.done
    ],
)
async def test_a_host_that_was_mended_by_hand_after_a_death_gets_the_new_version(
    tmp_path: Path, entry: int
) -> None:
    """The next publish drains it and starts its application anew, wherever the last one died."""
    with Machine(tmp_path) as machine:
        assert publish_until(machine, entry).returncode == -signal.SIGKILL
        machine.mend()
        assert (await machine.standing()).state is State.SERVING

        assert await machine.run() == Exit.OK
        assert machine.did == ["stop proxy", "stop app", "start app", "start proxy"]
        assert "so clients may be served: beginning anew" in machine.said.getvalue()


async def test_an_application_that_died_meanwhile_is_not_put_into_traffic(tmp_path: Path) -> None:
    """It had answered before the power failed, which proves nothing now; one more run mends it."""
    ready = next(number for number, (name, _) in enumerate(ENTRIES, 1) if name == "done Ready")
    with Machine(tmp_path, ready="1s") as machine:
        assert publish_until(machine, ready).returncode == -signal.SIGKILL
        machine.stop("app")

        assert await machine.run() == Exit.FAILED
        assert not machine.flag.exists()
        assert (machine.journal.outcome, machine.journal.marks.half) == (
            Outcome.STRANDED,
            Step.READY,
        )
        assert await machine.run() == Exit.OK
        assert machine.flag.exists()


async def test_a_death_after_the_last_entry_leaves_nothing_to_mend(tmp_path: Path) -> None:
    """Then the run has ended."""
    with Machine(tmp_path) as machine, Balancer(machine):
        died = publish_until(machine, len(ENTRIES) + 1)
        assert died.returncode == -signal.SIGKILL
        standing = await machine.standing()

    assert (standing.state, machine.journal.outcome) == (State.SERVING, Outcome.ONLINE)
    assert "cut off" not in standing.reason
