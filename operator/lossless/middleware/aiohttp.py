"""aiohttp: every answer of a draining pod carries ``Connection: close``.

``setup(app)`` on the root application; its sub-applications are covered by it. It is a signal
and not a middleware, because a handler that streams has sent its headers before a middleware
sees the response. Streams and WebSockets that are open when the drain starts are waited for, up
to ``timeout``.
"""

from aiohttp import web

from lossless.middleware.status_file import StatusFile

_SWITCHING_PROTOCOLS = 101


def setup(app: web.Application, *, status_file: str | None = None, interval: float = 0.0) -> None:
    """Have ``app`` look at the status file before every answer.

    Args:
        app: the root application, before it is started.
        status_file: see ``StatusFile``; default ``/lossless/serving``.
        interval: seconds for which one look at the status file is used again.

    Raises:
        ValueError: names the argument, its value and the remedy.
    """
    status = StatusFile(status_file, interval=interval)

    async def close(request: web.Request, response: web.StreamResponse) -> None:
        del request
        if response.status != _SWITCHING_PROTOCOLS and status.draining():
            response.force_close()
            # The header has been made from what was true before.
            response.headers["Connection"] = "close"
            response.headers.pop("Keep-Alive", None)

    app.on_response_prepare.append(close)
