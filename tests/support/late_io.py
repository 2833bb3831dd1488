"""A pytest plugin: I/O comes late and in other orders, as on a busy machine (``make late``).

The kernel promises no order between two sockets, but a quiet machine nearly always shows the same
one. Here some of what is ready is told an event loop only in a later turn, after a pause in which
everything else goes on: nothing is lost, for a selector tells what is ready until it is read. What
fails is a race, of the product or of the test.
"""

import random
import selectors
import time
from typing import Final

import pytest

#: Share of an event loop's turns with I/O that are disturbed.
_DISTURBED: Final = 0.3
#: Of what is ready in these, the share that has to wait.
_LEFT_OUT: Final = 0.5
#: The longest pause of one, in seconds.
_PAUSE: Final = 0.02


def pytest_configure(config: pytest.Config) -> None:
    """Disturb all event loops of this process."""
    select = selectors.DefaultSelector.select
    # Its own: hypothesis sets the seed of the common one before each example.
    chance = random.Random()  # noqa: S311 # no secret

    def disturbed(
        self: selectors.DefaultSelector, timeout: float | None = None
    ) -> list[tuple[selectors.SelectorKey, int]]:
        ready = select(self, timeout)
        if not ready or chance.random() >= _DISTURBED:
            return ready
        time.sleep(chance.random() * _PAUSE)
        return [one for one in ready if chance.random() >= _LEFT_OUT]

    patch = pytest.MonkeyPatch()
    patch.setattr(selectors.DefaultSelector, "select", disturbed)
    config.add_cleanup(patch.undo)
