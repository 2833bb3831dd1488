"""HTTP/1.1 responses as they arrive (RFC 9112), without I/O.

Not h11: the client shares two cores with the cluster it measures, and h11 costs several times
as much per response as these lines.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import ClassVar, Final

_MAX_HEAD: Final = 65536
_MAX_KEPT: Final = 65536
_BODILESS: Final = frozenset({204, 304})


class Malformed(ValueError):  # noqa: N818 # reads as the thing that happened
    """The peer does not speak HTTP/1.1; the text says where."""


class Truncated(ValueError):  # noqa: N818 # the same
    """The connection ended inside an answer; the text says how much was there."""


@dataclass(frozen=True, slots=True)
class Response:
    """One complete answer."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case; repeated fields joined by ", "."""
    body: bytes
    """At most the first 64 KiB."""
    length: int
    """Bytes of the whole body."""
    reusable: bool
    """Whether the connection may carry another request."""


class _Want(Enum):
    HEAD = auto()
    LENGTH = auto()
    CHUNK_SIZE = auto()
    CHUNK_DATA = auto()
    CHUNK_END = auto()
    TRAILERS = auto()
    CLOSE = auto()


class ResponseParser:
    """Parses the answer to one request that was not HEAD."""

    __slots__ = (
        "_body",
        "_buffer",
        "_headers",
        "_left",
        "_length",
        "_reusable",
        "_status",
        "_want",
    )

    def __init__(self) -> None:
        self._want = _Want.HEAD
        self._buffer = bytearray()
        self._body = bytearray()
        self._length = 0
        self._left = 0
        self._status = 0
        self._headers: Mapping[str, str] = {}
        self._reusable = False

    @property
    def started(self) -> bool:
        """Whether any byte of an answer has arrived."""
        return bool(self._buffer) or self._want is not _Want.HEAD

    def feed(self, data: bytes) -> Response | None:
        """Return the answer if ``data`` completes it.

        Raises:
            Malformed: not HTTP/1.1, or more bytes than one answer.
        """
        self._buffer += data
        while True:
            done = self._STEPS[self._want](self)
            if done is None:
                return None
            if done:
                return self._complete()

    def eof(self) -> Response:
        """Return the answer that the end of the connection completes.

        Raises:
            Truncated: the answer was cut.
        """
        if self._want is _Want.CLOSE:
            return self._complete()
        if self._want is _Want.HEAD:
            raise Truncated(f"ended within the head, after {len(self._buffer)} bytes")
        raise Truncated(f"status {self._status}, ended after {self._length} bytes of the body")

    # The steps: None when bytes are missing, else whether the answer is complete.

    def _in_head(self) -> bool | None:
        block = self._until(b"\r\n\r\n")
        return None if block is None else self._head(block)

    def _in_body(self) -> bool | None:
        self._take(min(self._left, len(self._buffer)))
        return None if self._left else True

    def _in_chunk(self) -> bool | None:
        if self._in_body() is None:
            return None
        self._want = _Want.CHUNK_END
        return False

    def _in_line(self) -> bool | None:
        line = self._until(b"\r\n")
        return None if line is None else self._line(line)

    def _until_close(self) -> None:
        self._left = len(self._buffer)
        self._take(self._left)

    def _take(self, count: int) -> None:
        room = _MAX_KEPT - len(self._body)
        if room > 0:
            self._body += self._buffer[: min(count, room)]
        del self._buffer[:count]
        self._left -= count
        self._length += count

    def _until(self, mark: bytes) -> bytes | None:
        end = self._buffer.find(mark)
        if end < 0:
            if len(self._buffer) > _MAX_HEAD:
                raise Malformed(f"no end of the head or chunk line within {_MAX_HEAD} bytes")
            return None
        line = bytes(self._buffer[:end])
        del self._buffer[: end + len(mark)]
        return line

    def _head(self, block: bytes) -> bool:
        """Take in a head; whether the answer is complete with it."""
        first, *rest = block.decode("latin-1").split("\r\n")
        version, _, after = first.partition(" ")
        code = after[:3]
        if version not in ("HTTP/1.1", "HTTP/1.0") or not (code.isascii() and code.isdigit()):
            raise Malformed(f"not a status line: {first[:60]!r}")
        status = int(code)
        if not 100 <= status <= 999 or after[3:4] not in ("", " "):
            raise Malformed(f"not a status line: {first[:60]!r}")
        if 100 <= status < 200:
            return False
        headers: dict[str, str] = {}
        for line in rest:
            name, colon, value = line.partition(":")
            name, value = name.lower(), value.strip(" \t")
            if not colon or not name or name != name.strip():
                raise Malformed(f"not a header: {line[:60]!r}")
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        self._status, self._headers = status, headers
        options = {option.strip().lower() for option in headers.get("connection", "").split(",")}
        self._reusable = "close" not in options and (
            version == "HTTP/1.1" or "keep-alive" in options
        )
        return self._framing()

    def _framing(self) -> bool:
        """Choose how the body ends (RFC 9112, section 6.3); whether there is none."""
        if self._status in _BODILESS:
            return True
        coding = self._headers.get("transfer-encoding")
        length = self._headers.get("content-length")
        if coding is not None:
            if coding.lower() != "chunked":
                raise Malformed(f"transfer-encoding: {coding[:60]!r}")
            self._want = _Want.CHUNK_SIZE
        elif length is not None:
            if not (length.isascii() and length.isdigit() and len(length) < 16):
                raise Malformed(f"content-length: {length[:60]!r}")
            self._left = int(length)
            self._want = _Want.LENGTH
        else:
            self._want = _Want.CLOSE
            self._reusable = False
        return False

    def _line(self, line: bytes) -> bool:
        """Take in a line of a chunked body; whether the answer is complete with it."""
        if self._want is _Want.CHUNK_SIZE:
            size = line.partition(b";")[0].strip()
            if not size or len(size) > 15 or size.strip(b"0123456789abcdefABCDEF"):
                raise Malformed(f"not a chunk size: {line[:60]!r}")
            self._left = int(size, 16)
            self._want = _Want.CHUNK_DATA if self._left else _Want.TRAILERS
        elif self._want is _Want.CHUNK_END:
            if line:
                raise Malformed(f"a chunk is longer than it said: {line[:60]!r}")
            self._want = _Want.CHUNK_SIZE
        else:
            return not line
        return False

    def _complete(self) -> Response:
        if self._buffer:
            raise Malformed(f"bytes after the answer: {bytes(self._buffer[:60])!r}")
        return Response(
            status=self._status,
            headers=self._headers,
            body=bytes(self._body),
            length=self._length,
            reusable=self._reusable,
        )

    _STEPS: ClassVar[Mapping[_Want, Callable[["ResponseParser"], bool | None]]] = {
        _Want.HEAD: _in_head,
        _Want.LENGTH: _in_body,
        _Want.CHUNK_SIZE: _in_line,
        _Want.CHUNK_DATA: _in_chunk,
        _Want.CHUNK_END: _in_line,
        _Want.TRAILERS: _in_line,
        _Want.CLOSE: _until_close,
    }
