"""Runs the user's commands to their end, each with a deadline."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from lossless.host.namespace import NetworkNamespace

#: Seconds between SIGTERM and SIGKILL for a command that has passed its deadline.
GRACE: Final = 5.0
_LAST_WORDS: Final = 400


class CommandFailed(Exception):  # noqa: N818 # reads as the thing that happened
    """A command could not be started, failed, or ran out of time; its last words are in it."""


async def run(
    argv: Sequence[str], *, seconds: float, output: Path, namespace: NetworkNamespace
) -> None:
    """Run ``argv`` and return when it has ended well.

    In a session of its own, so that Ctrl-C in the terminal does not reach it. Its output goes to
    a file: a daemon that it leaves behind may keep a pipe open for ever.

    Args:
        argv: program and arguments.
        seconds: after which it is ended, with its whole process group.
        output: file that is overwritten.
        namespace: which it is run outside of.

    Raises:
        CommandFailed: see there.
    """
    shown = " ".join(argv)
    try:
        with output.open("wb") as file, namespace.outside():
            process = subprocess.Popen(  # noqa: ASYNC220, S603 # starting does not wait, and the user's command is what is wanted
                list(argv),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
    except OSError as error:
        raise CommandFailed(
            f"`{shown}` cannot be started: {error.strerror}; correct it in the configuration file"
        ) from error
    try:
        async with asyncio.timeout(seconds):
            await _ended(process)
    except TimeoutError:
        await _kill(process)
        raise CommandFailed(
            f"`{shown}` did not end within {seconds:g} s{_last(output)}; see what it waits for, or"
            " raise its timeout"
        ) from None
    except asyncio.CancelledError:
        await _kill(process)
        raise
    if process.returncode:
        how = (
            f"was killed by signal {-process.returncode}"
            if process.returncode < 0
            else f"failed with status {process.returncode}"
        )
        raise CommandFailed(f"`{shown}` {how}{_last(output)}; run it by hand to see more")


async def _ended(process: subprocess.Popen[bytes]) -> None:
    """Wait without a thread: the network namespace belongs to this one."""
    loop = asyncio.get_running_loop()
    handle = os.pidfd_open(process.pid)
    ended = asyncio.Event()
    loop.add_reader(handle, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(handle)
        os.close(handle)
    process.wait()


async def _kill(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(TimeoutError):
            async with asyncio.timeout(GRACE):
                await _ended(process)
                return


def _last(output: Path) -> str:
    try:
        words = output.read_bytes()[-_LAST_WORDS:].decode("utf-8", "replace")
    except OSError:
        return ""
    told = " ".join(words.split())
    return f": {told}" if told else ""
