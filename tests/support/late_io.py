"""A pytest plugin: I/O comes late and in other orders, as on a busy machine (``make late``).

The kernel promises no order between two sockets, but a quiet machine nearly always shows the same
one. Here some of what is ready is told an event loop only in a later turn, after a pause in which
everything else goes on: nothing is lost, for a selector tells what is ready until it is read. What
fails is a race, of the product or of the test.
"""

import random
import selectors
import time
from collections.abc import Callable
from typing import Any, Final

import pytest

#: Share of an event loop's turns with I/O that are disturbed.
_DISTURBED: Final = 0.3
#: Of what is ready in these, the share that has to wait.
_LEFT_OUT: Final = 0.5
#: The longest pause of one, in seconds.
_PAUSE: Final = 0.02

_Ready = list[tuple[selectors.SelectorKey, int]]


def late(
    select: Callable[[Any, float | None], _Ready], chance: random.Random
) -> Callable[[Any, float | None], _Ready]:
    """Return a ``select`` that tells part of what is ready, and that late."""

    def disturbed(self: Any, timeout: float | None = None) -> _Ready:
        ready = select(self, timeout)
        if not ready or chance.random() >= _DISTURBED:
            return ready
        time.sleep(chance.random() * _PAUSE)
        return [one for one in ready if chance.random() >= _LEFT_OUT]

    return disturbed


def pytest_configure(config: pytest.Config) -> None:
    """Disturb all event loops of this process."""
    patch = pytest.MonkeyPatch()
    # Its own: hypothesis sets the seed of the common one before each example.
    disturbed = late(selectors.DefaultSelector.select, random.Random())  # noqa: S311 # no secret
    patch.setattr(selectors.DefaultSelector, "select", disturbed)
    config.add_cleanup(patch.undo)
