"""The applications that the servers under test serve: found by name, like a user's.

Where their status file is, they are told by ``LOSSLESS_STATUS_FILE``.
"""

import asyncio
import contextlib
import logging
import os
from collections.abc import Iterable

from aiohttp import web

from lossless.middleware import aiohttp as for_aiohttp
from lossless.middleware import asgi, wsgi
from lossless.middleware.asgi_types import Receive, Scope, Send
from lossless.middleware.wsgi import Environ, StartResponse

logging.basicConfig(level=logging.WARNING)

BODY = b"ok\n"


async def _asgi(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return
    if scope["type"] == "websocket":
        await _echo(receive, send)
        return
    headers = [(b"content-length", str(len(BODY)).encode())]
    if scope["path"] == "/stubborn":
        headers.append((b"Connection", b"keep-alive"))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": BODY})


async def _echo(receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": message["text"]})
    # What the app was told, for the test to read.
    with open(os.environ["TOLD"], "a", encoding="utf-8") as file:  # noqa: ASYNC230, PTH123 # a test
        file.write(f"{message['code']}\n")


def _wsgi(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(BODY)))]
    if environ["PATH_INFO"] == "/stubborn":
        headers.append(("Connection", "keep-alive"))
    start_response("200 OK", headers)
    return [BODY]


asgi_app = asgi.LosslessMiddleware(_asgi)
asgi_closing = asgi.LosslessMiddleware(_asgi, close_websockets_after=0.1)
wsgi_app = wsgi.LosslessMiddleware(_wsgi)


async def _plain(request: web.Request) -> web.StreamResponse:
    del request
    return web.Response(body=BODY)


async def _stubborn(request: web.Request) -> web.StreamResponse:
    del request
    return web.Response(body=BODY, headers={"Connection": "keep-alive"})


async def _stream(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    response.content_length = len(BODY)
    await response.prepare(request)
    await response.write(BODY)
    return response


async def _websocket(request: web.Request) -> web.StreamResponse:
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for message in socket:
        await socket.send_str(message.data)
    return socket


async def serve_aiohttp(port: int) -> None:
    """Serve with aiohttp, which has no command of its own for it."""
    app = web.Application()
    below = web.Application()
    below.router.add_get("/deep", _plain)
    app.add_subapp("/below", below)
    app.router.add_get("/", _plain)
    app.router.add_get("/stubborn", _stubborn)
    app.router.add_get("/stream", _stream)
    app.router.add_get("/websocket", _websocket)
    for_aiohttp.setup(app)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.Event().wait()
    await runner.cleanup()
