"""Runs the load client within a test, until it has seen enough."""

import asyncio
from collections.abc import Callable

from e2e.load.client import LoadClient
from e2e.load.report import LoadReport
from tests.support.waiting import eventually


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
