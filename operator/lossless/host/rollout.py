"""``lossless host rollout``: one host after the other, and no further after the first failure."""

import argparse
import asyncio
import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path

from lossless.host.exits import Exit
from lossless.host.progress import Progress
from lossless.host.remote import Remote, RemoteFailed, RemoteHost, parse_hosts
from lossless.host.signals import Interrupts
from lossless.model.durations import format_duration, parse_duration


class HostState(StrEnum):
    """How far a host is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


def next_hosts(
    states: Mapping[RemoteHost, HostState], max_unavailable: int, *, stopping: bool
) -> tuple[RemoteHost, ...]:
    """Return the hosts to begin with now, in their order.

    Args:
        states: of all hosts, in order.
        max_unavailable: hosts that may be out at the same time. One that has failed may be out.
        stopping: nothing new is wanted.
    """
    if stopping or HostState.FAILED in states.values():
        return ()
    running = sum(1 for state in states.values() if state is HostState.RUNNING)
    waiting = [target for target, state in states.items() if state is HostState.WAITING]
    return tuple(waiting[: max(0, max_unavailable - running)])


class HostRollout:
    """Walks over the hosts."""

    def __init__(  # noqa: PLR0913 # what it works with, and whom it tells
        self,
        targets: Sequence[RemoteHost],
        command: str,
        *,
        remote: Remote,
        max_unavailable: int,
        timeout: float,
        progress: Progress,
        interrupts: Interrupts,
    ) -> None:
        """Compose it.

        Args:
            targets: in the order in which they take their turn.
            command: run on each.
            remote: how.
            max_unavailable: hosts at the same time.
            timeout: seconds for one host.
            progress: what people see.
            interrupts: asked before each host; the second one gives up waiting.
        """
        self._states = dict.fromkeys(targets, HostState.WAITING)
        self._command = command
        self._remote = remote
        self._max = max_unavailable
        self._timeout = timeout
        self._progress = progress
        self._interrupts = interrupts

    async def run(self) -> int:
        """Publish on all hosts; return the exit code."""
        running: dict[asyncio.Task[int], RemoteHost] = {}
        insisted = asyncio.ensure_future(self._interrupts.insisted.wait())
        try:
            while True:
                stopping = self._interrupts.asked.is_set()
                for target in next_hosts(self._states, self._max, stopping=stopping):
                    self._states[target] = HostState.RUNNING
                    self._progress.say(f"{target.name}: begins")
                    running[asyncio.ensure_future(self._one(target))] = target
                if not running:
                    break
                done, _ = await asyncio.wait(
                    {*running, insisted}, return_when=asyncio.FIRST_COMPLETED
                )
                if insisted in done:
                    break
                for task in done & running.keys():
                    target = running.pop(task)
                    code = task.result()
                    self._states[target] = HostState.DONE if code == 0 else HostState.FAILED
                    told = "done" if code == 0 else f"FAILED with exit code {code}"
                    self._progress.say(f"{target.name}: {told}")
        finally:
            insisted.cancel()
            for task in running:
                task.cancel()
            await asyncio.gather(insisted, *running, return_exceptions=True)
        return self._conclude()

    async def _one(self, target: RemoteHost) -> int:
        try:
            async with asyncio.timeout(self._timeout):
                return await self._remote.run(
                    target,
                    self._command,
                    lambda line: self._progress.say(f"{target.name} | {line}"),
                )
        except RemoteFailed as error:
            self._progress.say(f"{target.name} | {error}")
        except TimeoutError:
            self._progress.say(f"{target.name} | not done within {format_duration(self._timeout)}")
        return Exit.FAILED

    def _conclude(self) -> int:
        def named(state: HostState) -> str:
            return ", ".join(one.name for one, its in self._states.items() if its is state)

        say = self._progress.say
        done = sum(1 for state in self._states.values() if state is HostState.DONE)
        say(f"{done} of {len(self._states)} hosts published.")
        for state, told in (
            (HostState.FAILED, "Failed, see `lossless host status` there"),
            (HostState.RUNNING, "Left while at work, see `lossless host status` there"),
            (HostState.WAITING, "Not begun, and as they were"),
        ):
            if named(state):
                say(f"{told}: {named(state)}")
        if self._interrupts.number:
            return 128 + self._interrupts.number
        return Exit.OK if done == len(self._states) else Exit.FAILED


async def main(options: argparse.Namespace) -> int:
    """Roll out as the command line says; return the exit code.

    Raises:
        OSError: the list of hosts cannot be read.
        ValueError: it is wrong, or another option is, or the extra is not installed.
    """
    if options.max_unavailable < 1:
        raise ValueError(f"--max-unavailable {options.max_unavailable}: must be 1 or more")
    timeout = parse_duration(options.timeout)
    targets = _read_hosts(options.hosts)
    progress = Progress(sys.stdout)
    if options.dry_run:
        at_once = min(options.max_unavailable, len(targets))
        progress.say(f"{at_once} at a time, each for at most {options.timeout}: {options.remote}")
        for number, target in enumerate(targets, 1):
            progress.say(f"[{number}/{len(targets)}] {target.name}")
        return Exit.OK
    from lossless.host.ssh import Ssh  # noqa: PLC0415 # asyncssh is an extra

    interrupts = Interrupts(progress.say)
    interrupts.listen()
    return await HostRollout(
        targets,
        options.remote,
        remote=Ssh(),
        max_unavailable=options.max_unavailable,
        timeout=timeout,
        progress=progress,
        interrupts=interrupts,
    ).run()


def _read_hosts(path: str) -> tuple[RemoteHost, ...]:
    try:
        return parse_hosts(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
