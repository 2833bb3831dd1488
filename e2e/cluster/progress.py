"""Showing that a long step is still going on."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterator

HEARTBEAT = 10.0
"""Seconds between signs of life of one step where the output is not a terminal."""

TERMINAL_HEARTBEAT = 0.5
"""The same on a terminal, where the line is written over."""


def line(title: str, seconds: float, detail: str) -> str:
    """One line of progress."""
    return f"{title} … {seconds:.0f} s" + (f"  {detail}" if detail else "")


class Step:
    """A step under way; whoever does the work may say how far it is."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.detail = ""
        self.started = time.monotonic()

    def seconds(self) -> float:
        """How long the step has taken so far."""
        return time.monotonic() - self.started


class Progress:
    """Writes steps to a stream, one line per step, with signs of life in between."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._lock = threading.Lock()

    def say(self, text: str) -> None:
        """Write one line."""
        with self._lock:
            self._stream.write(text + "\n")
            self._stream.flush()

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Announce a step, show that it lives, and say how long it took or that it failed."""
        step = Step(title)
        terminal = self._stream.isatty()
        ended = threading.Event()

        def beat() -> None:
            while not ended.wait(TERMINAL_HEARTBEAT if terminal else HEARTBEAT):
                text = line(title, step.seconds(), step.detail)
                with self._lock:
                    self._stream.write(f"\r\x1b[K{text[:110]}" if terminal else f"{text}\n")
                    self._stream.flush()

        thread = threading.Thread(target=beat, name=f"progress: {title}", daemon=True)
        thread.start()
        outcome = "failed"
        try:
            yield step
            outcome = "done"
        finally:
            ended.set()
            thread.join()
            prefix = "\r\x1b[K" if terminal else ""
            self.say(f"{prefix}{title}: {outcome} in {step.seconds():.1f} s")
