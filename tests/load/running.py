"""Runs the load client within a test, until it has seen enough."""

import asyncio
from collections.abc import Callable

from e2e.load.client import LoadClient
from e2e.load.report import LoadReport


async def eventually(happened: Callable[[], bool]) -> None:
    """Wait until something has happened."""
    async with asyncio.timeout(10):
        while not happened():  # noqa: ASYNC110 # looks at the client from outside, as its users do
            await asyncio.sleep(0.005)


async def run_until(client: LoadClient, enough: Callable[[LoadReport], bool]) -> LoadReport:
    """Run a client, stop it, and return its report."""
    running = asyncio.create_task(client.run())
    async with asyncio.timeout(10):
        await eventually(lambda: running.done() or enough(client.report(whole=False)))
        client.stop()
        await running
    return client.report()


def ended(count: int) -> Callable[[LoadReport], bool]:
    """Return whether so many requests have ended."""
    return lambda report: report.requests >= count
