"""What the seconds of a story are spent on: who makes a step slower sees it in the next run."""

import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Final


class Step(StrEnum):
    """A part of a story; the columns of the table, in the order of a story."""

    INSTALL = "install"
    """The product is installed, changed, scaled or removed."""
    PODS = "pods"
    """Pods start, and the Service leads to them."""
    ROLLOUT = "rollout"
    """Pods are replaced: their drains, and what else a rollout waits for."""
    LOAD = "load"
    """Requests that are waited for, and clients that end."""
    REMOVAL = "removal"
    """Worlds are removed."""


_STEPS: Final[dict[Step, float]] = defaultdict(float)
_LOCK: Final = threading.Lock()
_INNER: Final = threading.local()


@contextmanager
def spent_on(step: Step) -> Iterator[None]:
    """Count the seconds of what is done within for ``step``, without those of steps in it."""
    outer: float = getattr(_INNER, "seconds", 0.0)
    _INNER.seconds = 0.0
    begun = time.monotonic()
    try:
        yield
    finally:
        whole = time.monotonic() - begun
        with _LOCK:
            _STEPS[step] += whole - _INNER.seconds
        _INNER.seconds = outer + whole


def taken() -> dict[str, float]:
    """Return the seconds by step since this was asked last; worlds side by side count each."""
    with _LOCK:
        found = {step.value: _STEPS[step] for step in Step}
        _STEPS.clear()
    return found
