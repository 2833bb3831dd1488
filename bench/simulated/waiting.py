"""Waiting for something that must happen, with an end."""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable


async def until(condition: Callable[[], Awaitable[bool]], what: str, within: float) -> float:
    """Wait for a condition; return the seconds.

    Raises:
        SystemExit: it did not come true in time.
    """
    began = time.perf_counter()
    while not await condition():
        if time.perf_counter() - began > within:
            sys.exit(f"not within {within:g} s: {what}")
        await asyncio.sleep(0.05)
    return time.perf_counter() - began
