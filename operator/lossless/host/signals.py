"""Ctrl-C and its kin: the first one asks, the second one insists."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from typing import Any, Final

#: SIGHUP is a terminal or SSH session that went away; dying of it would leave a host offline.
NUMBERS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(Exception):  # noqa: N818 # reads as the thing that happened
    """Somebody wants the run to stop."""


class Interrupts:
    """What has been asked so far."""

    def __init__(self, tell: Callable[[str], None] | None = None) -> None:
        """Nothing has; ``tell`` is told what has come, and what another one would do."""
        self._tell = tell
        self.number = 0
        """The first signal; 0: none yet."""
        self.asked = asyncio.Event()
        self.insisted = asyncio.Event()

    def listen(self) -> None:
        """Take the signals from now on."""
        loop = asyncio.get_running_loop()
        for number in NUMBERS:
            loop.add_signal_handler(number, self.take, number)

    def take(self, number: int) -> None:
        """Note a signal."""
        if self.asked.is_set():
            self.insisted.set()
            return
        self.number = number
        self.asked.set()
        if self._tell is not None:
            self._tell(f"{self.name}: what is at work now may end; once more, and it may not.")

    def check(self) -> None:
        """Go on only if nothing has been asked.

        Raises:
            Interrupted: it has.
        """
        if self.asked.is_set():
            raise Interrupted

    @property
    def name(self) -> str:
        """The first signal's name."""
        return signal.Signals(self.number).name if self.number else ""


async def unless(work: Coroutine[Any, Any, None], event: asyncio.Event) -> None:
    """Do ``work`` to its end, or stop it once ``event`` is set.

    Raises:
        Interrupted: the event came first.
    """
    doing = asyncio.ensure_future(work)
    waiting = asyncio.ensure_future(event.wait())
    try:
        await asyncio.wait({doing, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if doing.done():
            doing.result()
            return
        raise Interrupted
    finally:
        waiting.cancel()
        doing.cancel()
        await asyncio.gather(doing, waiting, return_exceptions=True)
