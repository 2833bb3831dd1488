"""Waiting with a deadline."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from e2e.cluster.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Callable


def wait_until(
    holds: Callable[[], bool],
    *,
    what: str,
    timeout: float,
    interval: float = 0.1,
    remedy: str = "",
) -> None:
    """Ask again and again until the answer is yes.

    Args:
        holds: Asked at least once; may raise to end the wait at once.
        what: What is waited for, as it reads after "did not happen: ".
        timeout: Seconds.
        interval: Seconds between two questions.
        remedy: What the error advises.

    Raises:
        ClusterError: The time ran out.
    """
    deadline = time.monotonic() + timeout
    while not holds():
        if time.monotonic() >= deadline:
            raise ClusterError(f"Waited {timeout:g} s in vain for {what}.", remedy)
        time.sleep(interval)
