"""The user's commands: ended well, ended badly, never ended."""

import asyncio
import os
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from lossless.host.commands import CommandFailed, run
from lossless.host.namespace import NetworkNamespace
from tests.support.waiting import eventually


async def run_here(argv: Sequence[str], output: Path, seconds: float = 10.0) -> None:
    """Run a command in this network namespace."""
    await run(argv, seconds=seconds, output=output, namespace=NetworkNamespace())


async def test_a_command_may_leave_a_daemon_behind(tmp_path: Path) -> None:
    """It keeps the output open for as long as it lives; nobody waits for that."""
    begun = time.monotonic()
    await run_here(["/bin/sh", "-c", "sleep 12 & echo started"], tmp_path / "out")

    assert time.monotonic() - begun < 8
    assert (tmp_path / "out").read_text() == "started\n"


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        pytest.param(
            "echo out; echo err >&2; exit 3",
            "failed with status 3: out err; run it by hand",
            id="status",
        ),
        pytest.param("kill -9 $$", "was killed by signal 9; run it by hand", id="signal"),
    ],
)
async def test_a_failure_is_told_with_its_last_words(
    tmp_path: Path, script: str, complaint: str
) -> None:
    """And with the command, to be tried by hand."""
    with pytest.raises(CommandFailed, match=complaint):
        await run_here(["/bin/sh", "-c", script], tmp_path / "out")


async def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    """In words."""
    with pytest.raises(CommandFailed, match="`/nonexistent` cannot be started: No such file"):
        await run_here(["/nonexistent"], tmp_path / "out")


async def test_a_deadline_ends_the_whole_group(tmp_path: Path) -> None:
    """A shell's child would hold on to what it has."""
    script = f"sleep 60 & echo $! > {tmp_path}/pid; wait"
    with pytest.raises(CommandFailed, match=r"did not end within 0\.5 s"):
        await run_here(["/bin/sh", "-c", script], tmp_path / "out", 0.5)

    child = int((tmp_path / "pid").read_text())
    await eventually(lambda: not _runs(child))


async def test_being_cancelled_ends_it_too(tmp_path: Path) -> None:
    """Whoever insists does not wait."""
    work = asyncio.ensure_future(
        run_here(["/bin/sh", "-c", f"echo $$ > {tmp_path}/pid; exec sleep 60"], tmp_path / "out")
    )
    pid = tmp_path / "pid"
    await eventually(lambda: pid.exists() and pid.read_text())
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work

    assert not _runs(int((tmp_path / "pid").read_text()))


def _runs(pid: int) -> bool:
    try:
        with open(f"/proc/{os.fspath(str(pid))}/stat") as file:  # noqa: PTH123 # it may be gone
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
