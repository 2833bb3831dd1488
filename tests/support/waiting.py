"""Waiting for something to become true, never for time to pass."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

#: Seconds after which a test gives up; the machine may be busy.
PATIENCE: Final = 15.0
_STEP: Final = 0.01


async def eventually(
    condition: Callable[[], object], what: str = "", within: float = PATIENCE
) -> None:
    """Return once ``condition`` holds.

    Raises:
        AssertionError: it did not within ``within`` seconds.
    """
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, f"not within {within} s: {what or condition}"
        await asyncio.sleep(_STEP)


def eventually_sync(
    condition: Callable[[], object], what: str = "", within: float = PATIENCE
) -> None:
    """Do the same without an event loop."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, f"not within {within} s: {what or condition}"
        time.sleep(_STEP)
