"""Whoever writes a line, it is one JSON object on one line."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from lossless.telemetry.logs import configure


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Leave logging as it was found: it belongs to the process."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    """Return what was written, line by line."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_of_ours() -> None:
    """Event, keys, level, logger and time."""
    stream = io.StringIO()
    configure("info", stream)
    structlog.get_logger("lossless.x").bind(pod="web-1").info("pod injected", seconds=1.5)
    (line,) = lines(stream)

    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "message": "pod injected",
        "level": "info",
        "logger": "lossless.x",
        "pod": "web-1",
        "seconds": 1.5,
    }


def test_a_line_of_a_library() -> None:
    """The standard library's loggers end in the same stream, with their extra fields."""
    stream = io.StringIO()
    configure("info", stream)
    logging.getLogger("kopf.objects").warning("%s of %s", 1, 2, extra={"k8s_ref": {"name": "a"}})
    (line,) = lines(stream)

    assert (line["message"], line["level"], line["k8s_ref"]) == ("1 of 2", "warning", {"name": "a"})


def test_tracebacks_hold_no_variables() -> None:
    """A variable may be a key or a whole pod."""
    stream = io.StringIO()
    configure("info", stream)
    secret = "hunter" + "2"
    try:
        int(bytes(len(secret)))
    except ValueError:
        structlog.get_logger("x").exception("failed")
    (line,) = lines(stream)

    assert "ValueError: " in line["exception"]
    assert secret not in stream.getvalue()


@pytest.mark.parametrize(
    ("level", "count"), [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)]
)
def test_levels(level: str, count: int) -> None:
    """The level is the lowest that is written, ours and libraries' alike."""
    for logger in (structlog.get_logger("x"), logging.getLogger("y")):
        stream = io.StringIO()
        configure(level, stream)
        for name in ("debug", "info", "warning", "error"):
            getattr(logger, name)("hello")

        assert len(lines(stream)) == count


def test_chatter_is_quiet() -> None:
    """Every health check in an access log is news to nobody."""
    stream = io.StringIO()
    configure("debug", stream)
    logging.getLogger("aiohttp.access").info("GET /healthz")

    assert lines(stream) == []


def test_an_unknown_level_is_refused() -> None:
    """With the ones that are known."""
    with pytest.raises(ValueError, match="'loud' is not known; use one of debug, info"):
        configure("loud")
