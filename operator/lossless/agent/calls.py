"""One HTTP/1.1 request to a container of the agent's own pod."""

import asyncio
import contextlib
from collections.abc import Iterable
from typing import Final

import h11

#: Bytes of an answer's line and headers.
MAX_HEADERS: Final = 65536
_CHUNK: Final = 16384


async def call(
    host: str, port: int, path: str, headers: Iterable[tuple[str, str]], *, seconds: float
) -> int:
    """Send a GET and return the answer's status; the answer's body is not waited for.

    Args:
        host: address to connect to.
        port: of the container.
        path: with its query.
        headers: beside ``Host``, ``User-Agent`` and ``Accept``, or in their place.
        seconds: to connect, send and be answered.

    Raises:
        OSError: nobody listens there, or the connection broke; TimeoutError is one.
        ValueError: the request cannot be sent, or the answer is not HTTP/1.1.
    """
    async with asyncio.timeout(seconds):
        reader, writer = await asyncio.open_connection(host, port)
        try:
            return await _exchange(reader, writer, _request(host, port, path, headers))
        except h11.ProtocolError as error:
            raise ValueError(f"{error}") from error
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


def _request(host: str, port: int, path: str, headers: Iterable[tuple[str, str]]) -> h11.Request:
    shown = f"[{host}]" if ":" in host else host
    own = {"host": f"{shown}:{port}", "user-agent": "lossless-agent", "accept": "*/*"}
    given = [(name.lower(), value) for name, value in headers]
    named = {name for name, _ in given}
    all_headers = [pair for pair in own.items() if pair[0] not in named] + given
    return h11.Request(method="GET", target=path, headers=all_headers)


async def _exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: h11.Request
) -> int:
    http = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEADERS)
    writer.write((http.send(request) or b"") + (http.send(h11.EndOfMessage()) or b""))
    await writer.drain()
    while not isinstance(event := http.next_event(), h11.Response):
        if event is h11.NEED_DATA:
            data = await reader.read(_CHUNK)
            if not data:
                raise ConnectionResetError("the connection was closed without an answer")
            http.receive_data(data)
    return event.status_code
