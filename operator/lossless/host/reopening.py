"""Takes back what the close drivers did, so that clients may stay again."""

import asyncio
from collections.abc import Sequence
from typing import Final

from lossless.agent import files
from lossless.agent.causes import AskError, cause_of
from lossless.agent.closing import call, set_variable
from lossless.host.config import HostConfig
from lossless.model.close_drivers import (
    CloseDriver,
    EnvoyClose,
    FileAction,
    FileClose,
    HaproxyClose,
    HttpClose,
    MiddlewareClose,
    NginxClose,
)

#: Seconds for one attempt of a driver that has no time of its own, and before the next one.
PATIENCE: Final = 2.0
PAUSE: Final = 0.5
ATTEMPTS: Final = 5


def reopened(config: HostConfig) -> tuple[CloseDriver, ...]:
    """Return what has to be taken back beside the status files."""
    own = [
        driver
        for driver in config.close
        if not isinstance(driver, HttpClose)
        and not (
            isinstance(driver, NginxClose | MiddlewareClose)
            and driver.status_file in config.status_files
        )
    ]
    return (*own, *config.reopen)


def deadline(drivers: Sequence[CloseDriver]) -> float:
    """Return the seconds that taking back ``drivers`` takes at most."""
    return max((_attempts(one) * (_patience(one) + PAUSE) for one in drivers), default=0.0)


async def reopen(drivers: Sequence[CloseDriver]) -> None:
    """Take back all ``drivers`` at once.

    Raises:
        AskError: one cannot be taken back; names each of those, and why.
    """
    problems = await asyncio.gather(*(_persist(driver) for driver in drivers))
    if any(problems):
        raise AskError("; ".join(problem for problem in problems if problem))


async def _persist(driver: CloseDriver) -> str:
    patience, cause = _patience(driver), ""
    for attempt in range(_attempts(driver)):
        if attempt:
            await asyncio.sleep(PAUSE)
        try:
            async with asyncio.timeout(patience):
                await _undo(driver)
        except (OSError, AskError, TimeoutError, ValueError) as error:
            cause = cause_of(error, patience)
        else:
            return ""
    return f"{driver.name}: {cause}"


def _patience(driver: CloseDriver) -> float:
    return driver.timeout if isinstance(driver, HttpClose) else PATIENCE


def _attempts(driver: CloseDriver) -> int:
    return driver.retries + 1 if isinstance(driver, HttpClose) else ATTEMPTS


async def _undo(driver: CloseDriver) -> None:
    match driver:
        case NginxClose(status_file) | MiddlewareClose(status_file):
            _check(files.show_status(status_file))
        case FileClose(path, FileAction.REMOVE):
            _check(files.show_status(path))
        case FileClose(path, _):
            _check(files.hide_status(path))
        case EnvoyClose(port):
            await call(HttpClose(port, "/healthcheck/ok"))
        case HttpClose():
            await call(driver)
        case HaproxyClose(socket, port, variable):
            await set_variable(socket, port, variable, value=False)


def _check(problem: str) -> None:
    if problem:
        raise AskError(problem)
