"""Servers of tests: when one has ended, so have its connections."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

#: Seconds for the last connections of a server.
_END: Final = 10.0


@asynccontextmanager
async def served(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
    *,
    path: Path | None = None,
    backlog: int = 100,
) -> AsyncIterator[int]:
    """Serve connections on loopback and yield the port; or on a unix socket, whose port is 0.

    Args:
        serve: serves one connection, and closes its writer, at the latest when the client has.
        path: of the unix socket.
        backlog: of the listener.

    Raises:
        TimeoutError: connections did not end within 10 s after the block.
    """
    if path is None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=backlog)
        port = int(server.sockets[0].getsockname()[1])
    else:
        server = await asyncio.start_unix_server(serve, path, backlog=backlog)
        port = 0
    # Before 3.12.1, ``wait_closed`` waits for connections only if it began before ``close``
    # (https://github.com/python/cpython/issues/104344).
    ended = asyncio.ensure_future(server.wait_closed())
    await asyncio.sleep(0)
    try:
        yield port
    finally:
        server.close()
        async with asyncio.timeout(_END):
            await ended
