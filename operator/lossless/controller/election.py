"""Who leads: one process at a time, by a Lease, with the protocol of client-go's leaderelection.

Theory of operation. Whoever finds the Lease free takes it and renews it every ``retry`` seconds.
Others see it change and wait; it is free once it was released, or once it was *seen unchanged* for
its whole duration by the observer's own clock, so clocks need not agree. A leader that could not
renew for ``renew`` seconds, counted from when its last successful request was sent, stops before
anybody else may begin. All writes are idempotent besides, so a frozen process that wakes up late
does no harm in the moment until it notices.
"""

import asyncio
import random
import time
from collections.abc import Callable, Coroutine
from typing import Any, Final

import structlog

from lossless.cluster.errors import ApiError
from lossless.cluster.lease import Lease, LeaseStore
from lossless.controller.options import ElectionTiming

_log: Final = structlog.get_logger(__name__)
#: Seconds for giving the Lease up at the end; who comes next waits it out otherwise.
_RELEASE: Final = 3.0
#: Seconds for work that was told to stop. All of it is cancellable at once.
_STOP: Final = 3.0


class Election:
    """Takes part in the election for one Lease."""

    def __init__(
        self,
        store: LeaseStore,
        identity: str,
        timing: ElectionTiming,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """Stand by.

        Args:
            store: the Lease.
            identity: of this process, unlike that of any other that runs.
            timing: see there.
            clock: monotonic seconds.
            wall: seconds of the epoch, for what people read.
        """
        self._store = store
        self._identity = identity
        self._timing = timing
        self._clock = clock
        self._wall = wall
        self._held: Lease | None = None
        self._until = float("-inf")
        self._seen: Lease | None = None
        self._seen_at = 0.0
        self._contact = float("-inf")

    def leading(self) -> bool:
        """Return whether this process may act now."""
        return self._held is not None and self._clock() < self._until

    def silence(self) -> float:
        """Return the seconds since the Lease was last read or written with success."""
        return self._clock() - self._contact

    async def run(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do ``work`` whenever leading, until cancelled; then release the Lease.

        Raises:
            Exception: what ``work`` raised; the Lease is released before.
        """
        while True:
            await self._acquire()
            _log.info("leading", identity=self._identity)
            await self._lead(work)
            _log.warning("no longer leading", identity=self._identity)

    async def _acquire(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self._timing.renew):
                    if await self._try_to_acquire():
                        return
            except (ApiError, TimeoutError) as error:
                _log.warning("lease not acquired", error=str(error) or "no answer in time")
            await asyncio.sleep(self._timing.retry * random.uniform(0.8, 1.2))  # noqa: S311 # jitter

    async def _try_to_acquire(self) -> bool:
        seen = await self._store.read()
        self._contact = self._clock()
        if seen != self._seen:
            self._seen, self._seen_at = seen, self._clock()
        if seen is not None and seen.holder not in {"", self._identity}:
            if self._clock() - self._seen_at <= seen.duration:
                return False
            _log.info("lease expired", holder=seen.holder)
        return await self._take(seen)

    async def _take(self, seen: Lease | None) -> bool:
        began = self._clock()
        taken = await self._store.take(seen, self._identity, self._timing.duration, self._wall())
        if taken is None:
            return False
        self._held, self._until = taken, began + self._timing.renew
        self._contact = self._clock()
        return True

    async def _lead(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        doing = asyncio.create_task(work(), name="leading")
        renewing = asyncio.create_task(self._renew(), name="renewing")
        try:
            await asyncio.wait({doing, renewing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            mine = self._held if self.leading() else None
            self._held, self._until, self._seen = None, float("-inf"), None
            await _stopped(doing, renewing)
            if mine is not None:
                await self._release(mine)
        for task in (doing, renewing):
            if task.done() and not task.cancelled():
                task.result()

    async def _renew(self) -> None:
        """Renew until the Lease is lost."""
        while True:
            await asyncio.sleep(self._timing.retry)
            left = self._until - self._clock()
            if left <= 0:
                return
            try:
                async with asyncio.timeout(left):
                    if await self._take(self._held):
                        continue
                    # Somebody changed it; perhaps we did, by a write whose answer got lost.
                    seen = await self._store.read()
                    if seen is None or seen.holder != self._identity:
                        _log.warning("lease lost", holder=seen.holder if seen else "")
                        return
                    self._held = seen
            except TimeoutError:
                _log.warning("lease not renewed in time")
                return
            except ApiError as error:
                _log.warning("lease not renewed", error=str(error), seconds_left=round(left, 1))

    async def _release(self, mine: Lease) -> None:
        # The renewal that was cancelled may have got through, so read what there is.
        try:
            async with asyncio.timeout(_RELEASE):
                seen = await self._store.read()
                if seen is not None and seen.holder == self._identity:
                    await self._store.release(seen, self._wall())
        except (ApiError, TimeoutError) as error:
            _log.warning("lease not released", lease=mine.version, error=str(error))


async def _stopped(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks, timeout=_STOP)
