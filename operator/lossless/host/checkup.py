"""``lossless host check``: whether a publish could work here; changes nothing."""

import asyncio
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lossless.agent.addresses import LOOPBACK
from lossless.agent.causes import cause_of
from lossless.agent.clock import Clock
from lossless.agent.counting import Counting
from lossless.host.config import HostConfig
from lossless.host.standing import Facts
from lossless.model.close_drivers import EnvoyClose, HaproxyClose, HttpClose

#: Seconds for a program to take a connection.
PATIENCE = 2.0


@dataclass(frozen=True, slots=True)
class CheckupFinding:
    """One thing that was looked at."""

    text: str
    wrong: bool = False
    """A publish would fail, or lose requests; else it is only worth knowing."""


async def examine(config: HostConfig, facts: Facts) -> tuple[CheckupFinding, ...]:
    """Return what was found.

    Args:
        config: of the host.
        facts: gathered before, with the network namespace entered if that was possible.
    """
    return (
        *(CheckupFinding(problem, wrong=True) for problem in facts.problems),
        *_rights(config),
        *_programs(config),
        *_clients(config),
        *await _drivers(config),
        *await _counters(config),
    )


def _rights(config: HostConfig) -> list[CheckupFinding]:
    found = []
    if os.geteuid() != 0:
        found.append(
            CheckupFinding(
                f"run as user {os.geteuid()}: connections can be counted, but whether this user may"
                " stop and start the programs is known only once it is tried",
            )
        )
    for path in config.status_files:
        folder = Path(path).parent
        if not os.access(folder, os.W_OK | os.X_OK):
            found.append(
                CheckupFinding(f"{folder} is not writable: {path} cannot be removed", wrong=True)
            )
    directory = Path(config.state_directory)
    while not directory.exists():
        directory = directory.parent
    if not os.access(directory, os.W_OK | os.X_OK):
        text = f"stateDirectory: {config.state_directory} cannot be written"
        found.append(CheckupFinding(text, wrong=True))
    return found


def _programs(config: HostConfig) -> list[CheckupFinding]:
    found = []
    for name, program in (("proxy", config.proxy), ("app", config.app)):
        for key, argv in (("stop", program.stop), ("start", program.start)) if program else ():
            if shutil.which(argv[0]) is None:
                text = f"{name}.{key}: {argv[0]!r} is not a program that can be run here"
                found.append(CheckupFinding(text, wrong=True))
    return found


def _clients(config: HostConfig) -> list[CheckupFinding]:
    found = []
    if not config.close:
        found.append(
            CheckupFinding(
                "close: nobody is told to leave, so clients that keep a busy connection stay until"
                " the deadline; name what can tell them, for example close = [{nginx = {}}]",
            )
        )
    if not config.load_balancer.checks:
        found.append(
            CheckupFinding(
                "loadBalancer.checks: none; if the load balancer's health checks connect to a"
                " counted port, name them there, or the host never becomes quiet",
            )
        )
    return found


async def _drivers(config: HostConfig) -> list[CheckupFinding]:
    found = []
    for driver in (*config.close, *config.reopen):
        match driver:
            case HaproxyClose(socket, port, _):
                problem = await _connect(socket, port)
            case EnvoyClose(port) | HttpClose(port):
                problem = await _connect("", port)
            case _:
                continue
        if problem:
            found.append(CheckupFinding(f"{driver.name}: {problem}", wrong=True))
    return found


async def _connect(path: str, port: int) -> str:
    try:
        async with asyncio.timeout(PATIENCE):
            if path:
                _, writer = await asyncio.open_unix_connection(path)
            else:
                _, writer = await asyncio.open_connection(LOOPBACK, port)
    except (OSError, TimeoutError) as error:
        return cause_of(error, PATIENCE)
    writer.close()
    return ""


async def _counters(config: HostConfig) -> list[CheckupFinding]:
    if not config.metrics:
        return []
    counting = Counting(config.metrics, clock=Clock(), log=_silent)
    readings = await counting.read(PATIENCE)
    return [CheckupFinding(reading.unknown, wrong=True) for reading in readings if reading.unknown]


def _silent(event: str, **fields: object) -> None:
    del event, fields


def render(findings: Sequence[CheckupFinding]) -> list[str]:
    """Return a line for each finding."""
    return [f"{'WRONG' if one.wrong else 'note'}: {one.text}" for one in findings]
