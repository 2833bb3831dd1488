"""Takes samples: reads the sockets and lets the ledger sum them up, without hogging the loop."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Final

from lossless.agent.clock import Clock
from lossless.agent.ledger import Ledger
from lossless.agent.log import Log
from lossless.agent.sockets import Sockets
from lossless.model.drain.drain_rule import Sample

#: Seconds of work after which others get their turn. A batch of about 100 sockets takes 1 ms.
_SLICE: Final = 0.005


class Sampler:
    """One look at a time at all sockets of the network namespace."""

    def __init__(  # noqa: PLR0913 # what it reads, what it feeds, and its clocks
        self,
        sockets: Sockets,
        ledger: Ledger,
        *,
        clock: Clock,
        log: Log,
        accepted: Callable[[], int] = lambda: 0,
        shared: bool = False,
    ) -> None:
        """Sample ``sockets`` into ``ledger``.

        Args:
            sockets: of this network namespace.
            ledger: remembers from one sample to the next.
            clock: for the samples' times.
            log: told when the source changes.
            accepted: how many connections the agent's own server has accepted so far.
            shared: the namespace is the node's, so its counters are not about this pod.
        """
        self._sockets = sockets
        self._ledger = ledger
        self._clock = clock
        self._log = log
        self._accepted = accepted
        self._shared = shared
        self._lock = asyncio.Lock()
        self._told: tuple[str, str] = ("sock_diag", "")
        self.last: Sample | None = None
        """The latest sample, if any has been taken."""
        self.known: Sample | None = None
        """The latest one that could be read."""
        self.cost = 0.0
        """Seconds of CPU that the latest sample has taken."""
        self.taken = 0
        """Samples so far."""
        self.failed = 0
        """Of them, those that could not be read."""

    @property
    def source(self) -> str:
        """Where the latest sample came from: sock_diag or proc."""
        return self._sockets.source

    def watch(self) -> None:
        """Count connections as new from the next sample on."""
        self._ledger.watch()

    async def take(self) -> Sample:
        """Return a new sample; one that could not be read says so, and nothing else."""
        async with self._lock:
            used = time.thread_time()
            try:
                sample = self.known = await self._look()
            except (OSError, ValueError) as error:
                sample = Sample(self._clock.boot(), problem=f"{type(error).__name__}: {error}")
                self.failed += 1
            self.cost = time.thread_time() - used
            self.taken += 1
            self.last = sample
            self._tell()
            return sample

    async def recent(self, age: float) -> Sample:
        """Return the latest sample if it is not older than ``age`` seconds, else a new one."""
        last = self.last
        if last is None or self._clock.boot() - last.at > age:
            return await self.take()
        return last

    async def _look(self) -> Sample:
        ledger = self._ledger
        counters = None if self._shared else self._sockets.counters()
        ledger.begin(self._clock.boot())
        with contextlib.closing(self._sockets.read(ledger.ports)) as reading:
            ledger.listeners(next(reading))
            accepted = self._accepted()
            turn = time.monotonic() + _SLICE
            for batch in reading:
                ledger.add(batch)
                if time.monotonic() > turn:
                    await asyncio.sleep(0)
                    turn = time.monotonic() + _SLICE
        return ledger.finish(counters, accepted)

    def _tell(self) -> None:
        now = (self._sockets.source, self._sockets.refusal)
        if now != self._told:
            self._told = now
            self._log("source changed", source=now[0], reason=now[1])
