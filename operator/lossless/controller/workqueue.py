"""A queue of keys: each at most once, none worked on twice at once, again later if asked.

The semantics of client-go's ``workqueue``: a key that is added while it is being worked on is
worked on once more afterwards, so no event is lost and none is worked on in parallel.
"""

import asyncio
import random
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from lossless.cluster.watching import Key

#: Seconds before the first retry; each further failure doubles it.
FIRST_RETRY: Final = 0.25
LONGEST_RETRY: Final = 60.0
_MOST_DOUBLINGS: Final = 16


class WorkQueue:
    """Keys that wait to be looked at."""

    def __init__(self, jitter: Callable[[], float] = random.random) -> None:
        """Begin empty, in a running event loop.

        Args:
            jitter: a number from 0 to 1; spreads retries over half their delay.
        """
        self._loop = asyncio.get_running_loop()
        self._jitter = jitter
        self._ready: OrderedDict[Key, float] = OrderedDict()
        self._working: set[Key] = set()
        self._again: dict[Key, float] = {}
        self._timers: dict[Key, asyncio.TimerHandle] = {}
        self._failures: dict[Key, int] = {}
        self._filled = asyncio.Event()

    def __len__(self) -> int:
        """Return the number of keys that wait for a worker."""
        return len(self._ready) + len(self._again)

    def oldest(self) -> float:
        """Return for how many seconds the first key in the queue has waited; 0 if there is none."""
        added = next(iter(self._ready.values()), None)
        return 0.0 if added is None else self._loop.time() - added

    def add(self, key: Key) -> None:
        """Have ``key`` looked at as soon as a worker is free."""
        now = self._loop.time()
        if key in self._working:
            self._again.setdefault(key, now)
        elif key not in self._ready:
            self._ready[key] = now
            self._filled.set()

    def add_after(self, key: Key, delay: float) -> None:
        """Have ``key`` looked at in ``delay`` seconds, or sooner if that was asked before."""
        when = self._loop.time() + delay
        timer = self._timers.get(key)
        if timer is not None:
            if timer.when() <= when:
                return
            timer.cancel()
        self._timers[key] = self._loop.call_at(when, self._due, key)

    async def take(self) -> tuple[Key, float]:
        """Wait for a key; return it and the loop's time at which it was added.

        What was planned for it is forgotten: it is looked at now.
        """
        while not self._ready:
            self._filled.clear()
            await self._filled.wait()
        key, added = self._ready.popitem(last=False)
        self._working.add(key)
        self._stop_timer(key)
        return key, added

    def done(self, key: Key, again_in: float | None = None) -> None:
        """Say that the look at ``key`` succeeded, and when to look again, if at all."""
        self._failures.pop(key, None)
        self._finish(key, again_in)

    def failed(self, key: Key, at_least: float = 0.0) -> float:
        """Say that the look at ``key`` failed; return the seconds after which it is retried.

        Args:
            key: that was taken.
            at_least: seconds that somebody asked to wait.
        """
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        delay = min(LONGEST_RETRY, FIRST_RETRY * float(2 ** min(failures - 1, _MOST_DOUBLINGS)))
        delay = max(at_least, delay * (0.5 + self._jitter() / 2))
        # An event must not shorten the delay: it would be retried at the pace of the events.
        self._again.pop(key, None)
        self._finish(key, delay)
        return delay

    def close(self) -> None:
        """Forget everything that was planned."""
        for key in [*self._timers]:
            self._stop_timer(key)

    def _due(self, key: Key) -> None:
        self._timers.pop(key, None)
        self.add(key)

    def _finish(self, key: Key, again_in: float | None) -> None:
        self._working.discard(key)
        added = self._again.pop(key, None)
        if added is not None:
            self._ready[key] = added
            self._filled.set()
        if again_in is not None:
            self.add_after(key, again_in)

    def _stop_timer(self, key: Key) -> None:
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()
