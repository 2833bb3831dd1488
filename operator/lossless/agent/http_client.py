"""One HTTP/1.1 exchange with a program of the same pod.

No TLS, no redirects, no connection that is kept: what is asked sits in the same network namespace,
and what it answers is bounded in time and size.
"""

import asyncio
import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import h11

from lossless.agent.addresses import LOOPBACK
from lossless.agent.causes import AskError
from lossless.agent.own_connections import connected

_FIELDS: Final = (("Connection", "close"), ("User-Agent", "lossless-agent"), ("Accept", "*/*"))
_CLOSED: Final = "the connection was closed without an answer"
_CHUNK: Final = 16384
#: Bytes of the answer's status line and headers.
_MAX_HEAD: Final = 16384
#: Bytes of a body of no interest that are waited for: ``maxRespBodyLength`` of Kubernetes'
#: ``pkg/kubelet/lifecycle/handlers.go``.
_DISCARDED: Final = 10 * 1024


@dataclass(frozen=True, slots=True)
class HttpResponse:
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
    host: str = LOOPBACK,
    headers: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
    limit: int | None,
) -> HttpResponse:
    """Return the answer to one request; the caller sets the time that it may take.

    Args:
        port: to connect to.
        method: in capitals.
        path: as it stands in the request line.
        host: address to connect to.
        headers: besides those that every request has, or in their place.
        body: of the request.
        limit: bytes of the answer's body; None: it is of no interest, and is read as the kubelet
            does after a hook: to its end, or as far as the kubelet reads, unless its length is
            beyond that. What goes wrong then goes wrong without a word.

    Raises:
        OSError: nobody listens, or the connection broke.
        AskError: the request cannot be sent as it is, or the answer is not HTTP, not complete, or
            too long.
    """
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MAX_HEAD)
    own = [("Host", f"{_name_of(host)}:{port}"), *_FIELDS]
    if body or method != "GET":
        own.append(("Content-Length", str(len(body))))
    given = tuple(headers)
    replaced = {name.lower() for name, _ in given}
    fields = [pair for pair in own if pair[0].lower() not in replaced]
    async with connected(host, port) as (reader, writer):
        try:
            request = h11.Request(method=method, target=path, headers=[*fields, *given])
            parts = (request, *([h11.Data(data=body)] if body else []), h11.EndOfMessage())
            writer.write(b"".join(connection.send(part) or b"" for part in parts))
            return await _read(reader, connection, limit)
        except h11.LocalProtocolError as error:
            raise AskError(f"such a request cannot be sent: {error}") from error
        except h11.RemoteProtocolError as error:
            raise AskError(f"the answer is not HTTP/1.1: {error}") from error


def _name_of(host: str) -> str:
    """Return what programs know the address by; many refuse requests for others than localhost."""
    if host == LOOPBACK:
        return "localhost"
    return f"[{host}]" if ":" in host else host


async def _read(
    reader: asyncio.StreamReader, connection: h11.Connection, limit: int | None
) -> HttpResponse:
    status, body = 0, bytearray()
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            data = await reader.read(_CHUNK)
            if not data and not status and not connection.trailing_data[0]:
                raise AskError(_CLOSED)
            connection.receive_data(data)
        elif isinstance(event, h11.Response):
            status = event.status_code
            if limit is None:
                with contextlib.suppress(OSError, h11.RemoteProtocolError):
                    await _discard(reader, connection, event)
                return HttpResponse(status, b"")
        elif isinstance(event, h11.Data):
            body += event.data
            if limit is not None and len(body) > limit:
                raise AskError(f"the answer is longer than {limit} bytes")
        elif isinstance(event, h11.EndOfMessage):
            return HttpResponse(status, bytes(body))
        elif not isinstance(event, h11.InformationalResponse):
            raise AskError(_CLOSED)


async def _discard(
    reader: asyncio.StreamReader, connection: h11.Connection, head: h11.Response
) -> None:
    """Wait for the body's end: an application may work for as long as it writes it."""
    fields = dict(head.headers)
    chunked = b"transfer-encoding" in fields
    if not chunked and int(fields.get(b"content-length", b"0")) > _DISCARDED:
        return
    left = _DISCARDED
    while left > 0:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(_CHUNK))
        elif isinstance(event, h11.Data):
            left -= len(event.data)
        else:
            return
