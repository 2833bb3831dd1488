"""ASGI: every HTTP/1 answer of a draining pod carries ``Connection: close``.

``app = LosslessMiddleware(app)`` around everything else.

* HTTP/1: uvicorn, hypercorn and Granian close after that answer; gunicorn's ASGI worker sends the
  header and leaves closing to the client. An app's own ``Connection`` and ``Keep-Alive`` headers
  are replaced.
* HTTP/2 and 3 forbid the header (RFC 9113 section 8.2.2, RFC 9114 section 4.2), and ASGI has no
  word for GOAWAY: answers pass unchanged. Put a proxy in front.
* Streams (SSE, long answers) have sent their headers: they are waited for, up to ``timeout``.
* WebSockets are waited for as well, unless ``close_websockets_after`` says otherwise.
"""

from typing import Final

from lossless.middleware.asgi_types import App, Message, Receive, Scope, Send
from lossless.middleware.headers import ABOUT_THE_CONNECTION
from lossless.middleware.status_file import StatusFile
from lossless.middleware.websockets import Farewell

_CLOSE: Final = (b"connection", b"close")
_REPLACED: Final = frozenset(name.encode() for name in ABOUT_THE_CONNECTION)


class LosslessMiddleware:
    """An ASGI application around another."""

    def __init__(
        self,
        app: App,
        *,
        status_file: str | None = None,
        interval: float = 0.0,
        close_websockets_after: float | None = None,
    ) -> None:
        """Change nothing yet.

        Args:
            app: what answers.
            status_file: see ``StatusFile``; default ``/lossless/serving``.
            interval: seconds for which one look at the status file is used again.
            close_websockets_after: seconds from the drain's start (or the session's, if later)
                until a WebSocket is closed with code 1012; default: never, they are waited for.
                Needs a server that runs on asyncio.

        Raises:
            ValueError: names the argument, its value and the remedy.
        """
        self._app = app
        self._status = StatusFile(status_file, interval=interval)
        self._farewell = (
            None
            if close_websockets_after is None
            else Farewell(self._status.draining, close_websockets_after)
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one scope, as ASGI has it."""
        kind = scope["type"]
        if kind == "http" and scope.get("http_version", "1.1").startswith("1"):
            await self._app(scope, receive, self._closing(send))
        elif kind == "websocket" and self._farewell is not None:
            await self._farewell.serve(self._app, scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _closing(self, send: Send) -> Send:
        async def send_closing(message: Message) -> None:
            # Asked as late as can be: a drain may have started while the app was at work.
            if message["type"] == "http.response.start" and self._status.draining():
                kept = [
                    header
                    for header in message.get("headers", ())
                    if bytes(header[0]).lower() not in _REPLACED
                ]
                message = {**message, "headers": [*kept, _CLOSE]}
            await send(message)

        return send_closing
