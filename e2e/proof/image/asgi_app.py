"""The proof's app as an ASGI application: it echoes bodies and WebSocket messages.

``plain`` is the app as it is, ``lossless`` the same in the middleware. A WebSocket that is closed
while a message is under way loses it, so the app ends each of its own after an echo, as soon as
the pod drains; those that say nothing for ten seconds more are closed by the middleware.
"""

import asyncio
import os
from typing import Any
from urllib.parse import parse_qs

from lossless.middleware.asgi import LosslessMiddleware
from lossless.middleware.asgi_types import App, Message, Receive, Scope, Send
from lossless.middleware.status_file import StatusFile
from lossless.middleware.websockets import CLOSE_CODE

_WORK = 0.005
_SILENT = 10.0
_POD = os.environ.get("HOSTNAME", "").encode()


class Echo:
    """Answers requests and messages."""

    def __init__(self, status: StatusFile | None) -> None:
        """Look at this file after each echo of a WebSocket, if at any."""
        self._status = status

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one scope, as ASGI has it."""
        match scope["type"]:
            case "http":
                await _answer(scope, receive, send)
            case "websocket":
                await self._echo(receive, send)
            case _:
                raise RuntimeError(
                    f"{scope['type']}: not served; start uvicorn with --lifespan off"
                )

    async def _echo(self, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            await asyncio.sleep(_WORK)
            kept = {key: message.get(key) for key in ("bytes", "text")}
            await send({"type": "websocket.send", **kept})
            if self._status is not None and self._status.draining():
                await send({"type": "websocket.close", "code": CLOSE_CODE})
                return


async def _answer(scope: Scope, receive: Receive, send: Send) -> None:
    body = await _body(receive)
    if scope["path"] == "/slow":
        await asyncio.sleep(float(parse_qs(scope["query_string"].decode())["seconds"][0]))
    elif scope["path"] != "/healthz":
        await asyncio.sleep(_WORK)
    headers = [(b"content-length", str(len(body)).encode()), (b"x-pod", _POD)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _body(receive: Receive) -> bytes:
    parts: list[Any] = []
    message: Message = {"more_body": True}
    while message.get("more_body"):
        message = await receive()
        parts.append(message.get("body", b""))
    return b"".join(parts)


plain: App = Echo(None)
lossless: App = LosslessMiddleware(Echo(StatusFile()), close_websockets_after=_SILENT)
