"""Single looks at a host: what listens, what answers, who sends traffic."""

import asyncio
from collections.abc import Callable, Collection
from contextlib import closing
from typing import Final

from lossless.agent.causes import AskError, cause_of
from lossless.agent.clock import Clock
from lossless.agent.drain import REST
from lossless.agent.http_client import exchange
from lossless.agent.log import Log
from lossless.agent.sockets import Sockets
from lossless.host.config import HostConfig, Ready
from lossless.host.draining import a_sampler
from lossless.model.durations import format_duration

#: Seconds for one answer of the application.
PATIENCE: Final = 5.0
#: Seconds between two looks at sockets.
PACE: Final = 0.1
#: The same while waiting for traffic: a connection of one short request lives for milliseconds.
TRAFFIC_PACE: Final = 0.01
_LIMIT: Final = 65_536


class NotInTime(Exception):  # noqa: N818 # reads as the thing that happened
    """What was waited for has not come before its deadline; the text says what, and how near."""


def listening(ports: Collection[int]) -> frozenset[int]:
    """Return those of ``ports`` that something listens on, by any address.

    Raises:
        OSError: the sockets cannot be read.
        ValueError: the kernel's answer cannot be understood.
    """
    with closing(Sockets().read(ports)) as reading:
        return frozenset(sock.port for sock in next(reading) if sock.port in ports)


async def answers(ready: Ready) -> str:
    """Ask the application once; return why its answer is not the expected one, or nothing."""
    try:
        async with asyncio.timeout(PATIENCE):
            answer = await exchange(ready.port, "GET", ready.path, limit=_LIMIT, host=ready.host)
    except (OSError, AskError, TimeoutError, ValueError) as error:
        return f"{ready.url}: {cause_of(error, PATIENCE)}"
    if answer.status not in ready.status:
        wanted = " or ".join(str(status) for status in ready.status)
        return f"{ready.url}: HTTP {answer.status}, not {wanted}"
    return ""


async def until_ready(ready: Ready, tell: Callable[[str], None]) -> None:
    """Wait until the application has given the expected answer so many times in a row.

    Raises:
        NotInTime: it has not.
    """
    good, last = 0, ""
    try:
        async with asyncio.timeout(ready.timeout):
            while True:
                last = await answers(ready)
                good = 0 if last else good + 1
                if good >= ready.successes:
                    return
                tell(last or f"{ready.url}: {good} of {ready.successes} answers in a row")
                await asyncio.sleep(ready.interval)
    except TimeoutError:
        told = last or f"only {good} of {ready.successes} good answers in a row"
        within = format_duration(ready.timeout)
        raise NotInTime(
            f"the application is not ready within {within}: {told}; look at its log, or raise"
            " ready.timeout"
        ) from None


async def until_listening(
    ports: Collection[int], *, wanted: bool, seconds: float, tell: Callable[[str], None]
) -> None:
    """Wait until all of ``ports`` are listened on, or none is if not ``wanted``.

    Raises:
        NotInTime: it has not come to that.
        OSError, ValueError: the sockets cannot be read.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while True:
        now = listening(ports)
        wrong = sorted(frozenset(ports) - now if wanted else now)
        if not wrong:
            return
        shown = ", ".join(str(port) for port in wrong)
        told = f"{'nothing listens' if wanted else 'something still listens'} on port {shown}"
        tell(told)
        if loop.time() >= end:
            raise NotInTime(
                f"{told} after {format_duration(seconds)}; look at its log, or raise its timeout"
            )
        await asyncio.sleep(PACE)


async def until_traffic(
    config: HostConfig, *, clock: Clock, log: Log, tell: Callable[[str], None]
) -> None:
    """Wait until a new connection comes that is none of the load balancer's health checks.

    Raises:
        NotInTime: none has; or what comes could not be seen.
    """
    sampler, ledger = a_sampler(config, clock, log)
    ledger.watch()
    loop = asyncio.get_running_loop()
    end = loop.time() + config.load_balancer.timeout
    while True:
        sample = await sampler.take()
        if sample.newest is not None:
            return
        told = sample.problem or "no new connection yet"
        tell(told)
        if loop.time() >= end:
            within = format_duration(config.load_balancer.timeout)
            raise NotInTime(
                f"the load balancer has sent nothing within {within}"
                + (f" ({sample.problem})" if sample.problem else "")
                + "; if it has nothing to send, all is well. Else: look at its health check of "
                + " and ".join(config.status_files)
            )
        await asyncio.sleep(max(TRAFFIC_PACE, sampler.cost * REST))
