"""What a person sees while a run goes on: one updating line on a terminal, else plain lines."""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final, TextIO

#: Seconds between two lines of the same step where there is no terminal.
PLAIN_PACE: Final = 10.0


class Progress:
    """Writes to a stream; one that is gone, such as a broken SSH session, is ignored."""

    def __init__(
        self,
        stream: TextIO,
        *,
        terminal: bool | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Write to ``stream``.

        Args:
            stream: where people look.
            terminal: whether lines may be overwritten; None: if ``stream`` is one.
            clock: in seconds.
        """
        self._stream = stream
        self._terminal = stream.isatty() if terminal is None else terminal
        self._clock = clock
        self._title = ""
        self._since = 0.0
        self._told = 0.0
        self._open = False

    def say(self, text: str) -> None:
        """Write a line that stays."""
        self._write(f"{self._erase()}{text}\n")

    def begin(self, number: int, total: int, title: str) -> None:
        """Say that a step has begun."""
        self._title = f"[{number}/{total}] {title}"
        self._since = self._told = self._clock()
        if self._terminal:
            self._write(f"{self._erase()}{self._title}", stay=True)
        else:
            self.say(f"{self._title} ...")

    def update(self, text: str) -> None:
        """Say what the step waits for."""
        now = self._clock()
        line = f"{self._title}: {now - self._since:.0f} s: {text}"
        if self._terminal:
            self._write(f"{self._erase()}{_fitting(line)}", stay=True)
        elif now - self._told >= PLAIN_PACE:
            self._told = now
            self.say(line)

    def done(self, text: str = "") -> None:
        """Say that the step has ended well."""
        told = f": {text}" if text else ""
        self.say(f"{self._title}: done in {self._clock() - self._since:.1f} s{told}")

    def failed(self, text: str) -> None:
        """Say that the step has failed."""
        self.say(f"{self._title}: FAILED: {text}")

    def _erase(self) -> str:
        return "\r\033[K" if self._open else ""

    def _write(self, text: str, *, stay: bool = False) -> None:
        self._open = stay
        # A closed terminal or pipe is no reason to leave a host half published.
        with suppress(OSError, ValueError):
            self._stream.write(text)
            self._stream.flush()


def _fitting(line: str) -> str:
    """Return as much of ``line`` as one line of the terminal holds: a wrapped one stays."""
    try:
        columns = os.get_terminal_size().columns
    except OSError:
        columns = 80
    return line if len(line) < columns else line[: max(1, columns - 4)] + "..."
