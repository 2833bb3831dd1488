"""What people see: one updating line on a terminal, plain lines elsewhere, nothing on a corpse."""

import io
import os

from lossless.host.progress import PLAIN_PACE, Progress


class Clock:
    """Time as the test has it."""

    now = 0.0

    def __call__(self) -> float:
        """Return it."""
        return self.now


def test_plain_lines_are_few() -> None:
    """A log of a pipeline is read by people."""
    stream, clock = io.StringIO(), Clock()
    progress = Progress(stream, terminal=False, clock=clock)
    progress.begin(1, 2, "drain")
    for _ in range(21):
        clock.now += 0.5
        progress.update("3 connections")
    progress.done("none left")
    progress.begin(2, 2, "stop")
    progress.failed("no such unit")

    assert clock.now > PLAIN_PACE
    assert stream.getvalue().splitlines() == [
        "[1/2] drain ...",
        "[1/2] drain: 10 s: 3 connections",
        "[1/2] drain: done in 10.5 s: none left",
        "[2/2] stop ...",
        "[2/2] stop: FAILED: no such unit",
    ]


def test_a_terminal_has_one_line_a_step() -> None:
    """Written over until the step has ended."""
    stream, clock = io.StringIO(), Clock()
    progress = Progress(stream, terminal=True, clock=clock)
    progress.begin(1, 1, "drain")
    clock.now = 2.0
    progress.update("3 connections")
    progress.update("x" * 500)
    progress.done()

    first, second, third, last = stream.getvalue().split("\r\033[K")
    assert (first, second) == ("[1/1] drain", "[1/1] drain: 2 s: 3 connections")
    assert third.endswith("x...")
    assert len(third) < 500
    assert last == "[1/1] drain: done in 2.0 s\n"


def test_a_reader_that_is_gone_is_no_reason_to_stop() -> None:
    """An SSH session breaks in the middle of a publish."""
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "w", buffering=1) as stream:  # noqa: PTH123 # a file descriptor
        Progress(stream, terminal=False).say("nobody reads this")
        os.dup2(os.open(os.devnull, os.O_WRONLY), writing)
