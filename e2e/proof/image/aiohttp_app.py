"""The proof's app as an aiohttp application: it echoes bodies.

``python aiohttp_app.py lossless`` has it look at the status file; without the word it knows
nothing of rollouts.
"""

import asyncio
import os
import sys

from aiohttp import web

from lossless.middleware.aiohttp import setup

_WORK = 0.005
_LARGEST = 8 * 1024 * 1024
_IDENTITY = {"X-Pod": os.environ.get("HOSTNAME", "")}


async def echo(request: web.Request) -> web.Response:
    """Answer with the request's body, after a while."""
    await asyncio.sleep(float(request.query.get("seconds", _WORK)))
    return web.Response(body=await request.read(), headers=_IDENTITY)


async def health(_: web.Request) -> web.Response:
    """Answer at once."""
    return web.Response()


def main(arguments: list[str]) -> None:
    """Serve until SIGTERM."""
    app = web.Application(client_max_size=_LARGEST)
    app.router.add_get("/healthz", health)
    app.router.add_route("*", "/{path:.*}", echo)
    if arguments == ["lossless"]:
        setup(app)
    web.run_app(app, port=int(os.environ.get("PORT", "8080")), access_log=None, print=None)


if __name__ == "__main__":
    main(sys.argv[1:])
