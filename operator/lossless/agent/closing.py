"""Runs the close drivers of ``spec.close`` when the drain starts.

Every driver may be run again, so an agent that was started anew in the middle of a drain does so.
Whatever a driver does, fails to do, or never ends, the drain takes its course.
"""

import asyncio
from collections.abc import Collection, Sequence
from typing import Final

from lossless.agent import files
from lossless.agent.causes import AskError, cause_of, not_mounted
from lossless.agent.log import Log
from lossless.model.close_drivers import (
    CloseDriver,
    EnvoyClose,
    FileAction,
    FileClose,
    HaproxyClose,
    HttpClose,
    MiddlewareClose,
    NginxClose,
    shared_path,
)
from lossless.model.report import Driver, DriverState

#: Attempts of a driver that has no number of its own.
ATTEMPTS: Final = 5
#: Seconds for one attempt of a driver that has no time of its own.
PATIENCE: Final = 2.0
#: Seconds before the second attempt, doubled before each later one, up to the longest.
PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 4.0
#: Bytes of an answer, which nobody reads beyond its status.
_LIMIT: Final = 65_536


class Closing:
    """The close drivers of one pod."""

    def __init__(  # noqa: PLR0913 # what it runs, and what it needs to run it
        self,
        drivers: Sequence[CloseDriver],
        *,
        log: Log,
        prefix: str = "",
        out_of_reach: Collection[str] = (),
        pause: float = PAUSE,
        patience: float = PATIENCE,
    ) -> None:
        """Run ``drivers``.

        Args:
            drivers: as configured.
            log: told how each has ended.
            prefix: a directory before every path.
            out_of_reach: paths that no volume brings here.
            pause: seconds before the second attempt.
            patience: seconds for an attempt of a driver that has no time of its own.
        """
        self._drivers = tuple(drivers)
        self._log = log
        self._prefix = prefix
        self._out_of_reach = out_of_reach
        self._pause = pause
        self._patience = patience
        self._states = [Driver(one.name, DriverState.PENDING) for one in self._drivers]

    @property
    def states(self) -> tuple[Driver, ...]:
        """How far each driver is."""
        return tuple(self._states)

    async def run(self) -> None:
        """Run all drivers at once, each until it has succeeded or is given up."""
        await asyncio.gather(*(self._persist(i, one) for i, one in enumerate(self._drivers)))

    async def _persist(self, index: int, driver: CloseDriver) -> None:
        for _, path in shared_path(driver):
            if path in self._out_of_reach:
                self._settle(index, DriverState.FAILED, not_mounted(path))
                return
        attempts = driver.retries + 1 if isinstance(driver, HttpClose) else ATTEMPTS
        patience = driver.timeout if isinstance(driver, HttpClose) else self._patience
        pause = self._pause
        for attempt in range(1, attempts + 1):
            try:
                async with asyncio.timeout(patience):
                    await self._tell(driver)
            except Exception as error:  # noqa: BLE001 # see the module's promise
                cause = cause_of(error, patience)
            else:
                self._settle(index, DriverState.DONE, "")
                return
            tries = "attempt" if attempt == 1 else "attempts"
            told = f"{cause} ({attempt} {tries} of {attempts})"
            if attempt < attempts:
                self._states[index] = Driver(driver.name, DriverState.PENDING, told)
                await asyncio.sleep(min(pause, LONGEST_PAUSE))
                pause *= 2
            else:
                self._settle(index, DriverState.FAILED, told)

    async def _tell(self, driver: CloseDriver) -> None:
        match driver:
            case NginxClose(status_file) | MiddlewareClose(status_file):
                _check(files.hide_status(self._prefix + status_file))
            case FileClose(path, FileAction.REMOVE):
                _check(files.hide_status(self._prefix + path))
            case FileClose(path, _):
                _check(files.show(self._prefix + path))
            case EnvoyClose(port):
                await call(HttpClose(port, "/healthcheck/fail"))
            case HttpClose():
                await call(driver)
            case HaproxyClose(socket, port, variable):
                await set_variable(socket and self._prefix + socket, port, variable, value=True)

    def _settle(self, index: int, state: DriverState, reason: str) -> None:
        name = self._drivers[index].name
        self._states[index] = Driver(name, state, reason)
        self._log("close driver", driver=name, state=state.value, reason=reason)


def _check(problem: str) -> None:
    if problem:
        raise AskError(problem)


async def call(driver: HttpClose) -> None:
    """Make one call of ``driver``; the caller sets the time.

    Raises:
        OSError: nobody listens, or the connection broke.
        AskError: the answer is not one of 2xx, or none.
    """
    from lossless.agent.http_client import exchange  # noqa: PLC0415 # only where it is configured

    answer = await exchange(
        driver.port,
        driver.method.value,
        driver.path,
        headers=[(header.name, header.value) for header in driver.headers],
        body=driver.body.encode(),
        limit=_LIMIT,
    )
    if not answer.success:
        # Its body is not quoted: nobody knows what an application tells there.
        raise AskError(f"HTTP {answer.status} from {driver.path.partition('?')[0]}")


async def set_variable(socket: str, port: int, variable: str, *, value: bool) -> None:
    """Set a variable of HAProxy; the caller sets the time.

    Raises:
        OSError: nobody listens, or the connection broke.
        AskError: HAProxy refused.
    """
    from lossless.agent.haproxy import ask, set_bool  # noqa: PLC0415 # the same

    answer = await ask(socket, port, set_bool(variable, value=value))
    if answer:
        raise AskError(f"HAProxy answered: {' '.join(answer.split()):.120}")
