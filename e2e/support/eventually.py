"""The one way to wait: look again and again until it holds, or a deadline has passed."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class NeverHappened(AssertionError):  # noqa: N818 # reads as the thing that happened
    """A deadline passed; says what was waited for and what was seen last."""


def eventually(
    look: Callable[[], T],
    until: Callable[[T], object] = bool,
    *,
    what: str,
    within: float,
    every: float = 0.5,
) -> T:
    """Return the first thing seen for which ``until`` holds.

    Args:
        look: observes; must not change anything.
        until: judges what was seen.
        what: is waited for, to complete "never happened: ...".
        within: seconds.
        every: seconds between two looks.

    Raises:
        NeverHappened: the deadline passed.
    """
    deadline = time.monotonic() + within
    while True:
        seen = look()
        if until(seen):
            return seen
        if time.monotonic() >= deadline:
            raise NeverHappened(f"within {within:g} s never happened: {what}\nlast seen: {seen!r}")
        time.sleep(every)


def holds_for(
    look: Callable[[], T],
    holds: Callable[[T], object] = bool,
    *,
    what: str,
    seconds: float,
    every: float = 0.5,
) -> None:
    """Look again and again for so long; every single time it must hold.

    Raises:
        NeverHappened: it did not hold once.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        seen = look()
        if not holds(seen):
            raise NeverHappened(f"did not last for {seconds:g} s: {what}\nseen: {seen!r}")
        time.sleep(every)
