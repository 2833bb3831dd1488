"""One JSON object in a line, and never a reason to wait."""

import json
import os
from pathlib import Path

from lossless.agent.log import make_log


def test_an_event_is_one_line_of_json(tmp_path: Path) -> None:
    """With its time, its pod and its fields; a text with line breaks is still one line."""
    path = tmp_path / "log"
    with path.open("wb") as file:
        log = make_log("web-1", fd=file.fileno(), wall=lambda: 1_700_000_000.1234)
        log("drain started", timeout=60.0, reason="two\nlines", error=None)
        log("mistake", error=ValueError("x" * 9999))

    first, second = (json.loads(line) for line in path.read_text().splitlines())
    assert first == {
        "time": "2023-11-14T22:13:20.123Z",
        "event": "drain started",
        "pod": "web-1",
        "timeout": 60.0,
        "reason": "two\nlines",
        "error": None,
    }
    assert len(second["error"]) == 512


def test_a_pipe_that_nobody_reads_does_not_stop_the_agent() -> None:
    """Lines that do not fit are dropped, and those that follow are written again."""
    reader, writer = os.pipe()
    try:
        log = make_log("web-1", fd=writer)
        for number in range(2000):
            log("draining", number=number, reason="x" * 200)
        full = os.read(reader, 1 << 20)
        log("drain ended")

        assert full.startswith(b"{")
        assert json.loads(os.read(reader, 1 << 20).splitlines()[-1])["event"] == "drain ended"
    finally:
        os.close(reader)
        os.close(writer)


def test_a_closed_output_is_no_error() -> None:
    """The container runtime may be gone before the agent is."""
    reader, writer = os.pipe()
    log = make_log("web-1", fd=writer)
    os.close(reader)
    os.close(writer)

    log("stopped")
