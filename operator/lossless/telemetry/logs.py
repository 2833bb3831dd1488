"""structlog set-up: JSON lines, and the standard library's loggers in the same stream.

Code logs with ``structlog.get_logger(__name__)``: an event of two or three words, the rest as
keys. Secrets and whole pod specs are never values; tracebacks come without local variables,
which might hold them.
"""

import logging
import sys
from typing import Final, TextIO

import structlog

from lossless.telemetry.levels import LEVELS

#: Loggers that say at info what is news only to their own developers.
_QUIET: Final = ("aiohttp.access", "asyncio", "kubernetes")


def configure(level: str = "info", stream: TextIO | None = None) -> None:
    """Send every log line of this process as JSON to ``stream`` (default: standard output).

    May be called again; the last call counts.

    Args:
        level: lowest level that is written, one of ``LEVELS``.
        stream: text stream that stays open.

    Raises:
        ValueError: ``level`` is not one of ``LEVELS``.
    """
    if level not in LEVELS:
        raise ValueError(f"log level {level!r} is not known; use one of {', '.join(LEVELS)}")
    threshold = logging.getLevelNamesMapping()[level.upper()]
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.EventRenamer("message"),
                structlog.processors.JSONRenderer(default=str),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(threshold)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(threshold, logging.WARNING))
