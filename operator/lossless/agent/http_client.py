"""One HTTP/1.1 exchange with a program of the same pod, on 127.0.0.1.

No TLS, no redirects, no connection that is kept: what is asked sits in the same network namespace,
and what it answers is bounded in time and size.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import h11

from lossless.agent.causes import AskError

LOOPBACK: Final = "127.0.0.1"
_CHUNK: Final = 16384
#: Bytes of the answer's status line and headers.
_MAX_HEAD: Final = 16384


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    body: bytes

    @property
    def success(self) -> bool:
        """Whether the status is one of 2xx."""
        return 200 <= self.status < 300  # noqa: PLR2004 # RFC 9110 section 15.3


async def exchange(  # noqa: PLR0913 # a request has that many parts
    port: int,
    method: str,
    path: str,
    *,
    headers: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
    limit: int,
    host: str = LOOPBACK,
) -> Answer:
    """Return the answer to one request; the caller sets the time that it may take.

    Args:
        port: on ``host``.
        method: in capitals.
        path: as it stands in the request line.
        headers: besides Host, Connection and Content-Length.
        body: of the request.
        limit: bytes of the answer's body.
        host: an address; a pod has only one that is sure.

    Raises:
        OSError: nobody listens, or the connection broke.
        AskError: the answer is not HTTP, not complete, or too long.
    """
    reader, writer = await asyncio.open_connection(host, port)
    try:
        connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MAX_HEAD)
        fields = [("Host", f"localhost:{port}"), ("Connection", "close"), *headers]
        if body or method != "GET":
            fields.append(("Content-Length", str(len(body))))
        request = h11.Request(method=method, target=path, headers=fields)
        parts = (request, *([h11.Data(data=body)] if body else []), h11.EndOfMessage())
        writer.write(b"".join(connection.send(part) or b"" for part in parts))
        return await _read(reader, connection, limit)
    except h11.RemoteProtocolError as error:
        raise AskError(f"the answer is not HTTP/1.1: {error}") from error
    finally:
        writer.close()


async def _read(reader: asyncio.StreamReader, connection: h11.Connection, limit: int) -> Answer:
    status, body = 0, bytearray()
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(_CHUNK))
        elif isinstance(event, h11.Response):
            status = event.status_code
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > limit:
                raise AskError(f"the answer is longer than {limit} bytes")
        elif isinstance(event, h11.EndOfMessage):
            return Answer(status, bytes(body))
        elif not isinstance(event, h11.InformationalResponse):
            raise AskError("the connection was closed without an answer")
