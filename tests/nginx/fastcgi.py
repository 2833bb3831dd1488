"""A FastCGI application as small as can be: what PHP is to nginx in the tests of reloads.

One request a connection, as nginx asks by default (https://fastcgi-archives.github.io, FastCGI
Specification 1.0). It answers by path:

- ``/check``: 200 with the cookie ``in=1``, else 401, for ``auth_request``;
- ``/download``: an ``X-Accel-Redirect`` to ``/inside/index.html``;
- anything else: the method, the path and the number of bytes of the body.
"""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO, Final

_HEADER: Final = struct.Struct("!BBHHBx")
_END, _PARAMS, _STDIN, _STDOUT = 3, 4, 5, 6


@contextmanager
def a_fastcgi() -> Iterator[int]:
    """Serve it on loopback; yield its port."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        thread = threading.Thread(target=_accept, args=(listener,), daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _accept(listener: socket.socket) -> None:
    with suppress(OSError):
        while True:
            threading.Thread(target=_serve, args=(listener.accept()[0],), daemon=True).start()


def _serve(link: socket.socket) -> None:
    # An nginx that is stopped leaves in the middle of a request.
    with link, suppress(ConnectionError, EOFError), link.makefile("rb") as stream:
        sent = {_PARAMS: b"", _STDIN: b""}
        while True:
            header = _HEADER.unpack(_exactly(stream, _HEADER.size))
            _, kind, request, length, padding = header
            content = _exactly(stream, length + padding)[:length]
            if kind in sent:
                sent[kind] += content
            if kind == _STDIN and not content:
                break
        answer = _answer(dict(_pairs(sent[_PARAMS])), len(sent[_STDIN]))
        for kind, content in ((_STDOUT, answer), (_STDOUT, b""), (_END, b"\0" * 8)):
            link.sendall(_HEADER.pack(1, kind, request, len(content), 0) + content)


def _exactly(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data


def _pairs(data: bytes) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(data):
        lengths = []
        for _ in range(2):
            long = data[at] >> 7
            lengths.append(struct.unpack_from("!I", data, at)[0] & 0x7FFFFFFF if long else data[at])
            at += 4 if long else 1
        middle, end = at + lengths[0], at + sum(lengths)
        yield data[at:middle].decode(), data[middle:end].decode()
        at = end


def _answer(parameters: dict[str, str], received: int) -> bytes:
    path = parameters["DOCUMENT_URI"]
    if path == "/check":
        allowed = "in=1" in parameters.get("HTTP_COOKIE", "")
        return b"Status: 200 OK\r\n\r\n" if allowed else b"Status: 401 Unauthorized\r\n\r\n"
    if path == "/download":
        return b"X-Accel-Redirect: /inside/index.html\r\n\r\n"
    text = f"{parameters['REQUEST_METHOD']} {path} {received}\n"
    return f"Content-Type: text/plain\r\n\r\n{text}".encode()
