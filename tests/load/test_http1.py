"""Parsing answers."""

import contextlib
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from e2e.load.http1 import Malformed, Response, ResponseParser, Truncated

_TOKEN = st.text("abcdefghijklmnopqrstuvwxyz-", min_size=1, max_size=12).filter(
    lambda name: name not in {"connection", "content-length", "transfer-encoding"}
)
_VALUE = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=20)


def _cut(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({cut % (len(data) + 1) for cut in cuts} | {0, len(data)})
    return [data[a:b] for a, b in itertools.pairwise(places)]


def _feed(pieces: list[bytes]) -> tuple[ResponseParser, Response | None]:
    parser, response = ResponseParser(), None
    for piece in pieces:
        assert response is None, "complete before the last byte"
        response = parser.feed(piece)
    return parser, response


def _message(status: int, headers: dict[str, str], body: bytes, chunks: list[int] | None) -> bytes:
    lines = [
        f"HTTP/1.1 {status} Whatever",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    if chunks is None:
        return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body
    coded = b"".join(
        b"%x;x=y\r\n%s\r\n" % (len(piece), piece) for piece in _cut(body, chunks) if piece
    )
    head = "\r\n".join([*lines, "Transfer-Encoding: chunked", "", ""]).encode()
    return head + coded + b"0\r\nTrailer: 1\r\n\r\n"


@given(
    status=st.integers(200, 599).filter(lambda status: status not in {204, 304}),
    headers=st.dictionaries(_TOKEN, _VALUE, max_size=5),
    body=st.binary(max_size=300),
    chunks=st.none() | st.lists(st.integers(0, 300), max_size=4),
    cuts=st.lists(st.integers(0, 2000), max_size=8),
)
def test_an_answer_is_the_same_however_its_bytes_arrive(
    status: int,
    headers: dict[str, str],
    body: bytes,
    chunks: list[int] | None,
    cuts: list[int],
) -> None:
    """Whatever was written is read back, for any way to cut it, and not before its last byte."""
    message = _message(status, headers, body, chunks)

    _, response = _feed(_cut(message, cuts))

    assert response is not None
    assert (response.status, response.body, response.length) == (status, body, len(body))
    assert {name: response.headers[name] for name in headers} == headers
    assert response.reusable


@given(data=st.binary(max_size=400), cuts=st.lists(st.integers(0, 400), max_size=5))
def test_no_bytes_break_the_parser(data: bytes, cuts: list[int]) -> None:
    """Anything a peer may send is an answer, an unfinished answer, or refused as malformed."""
    parser = ResponseParser()
    with contextlib.suppress(Malformed, Truncated):
        for piece in _cut(data, cuts):
            if parser.feed(piece) is not None:
                return
        parser.eof()


@given(cut=st.integers(1), chunked=st.booleans())
def test_a_cut_answer_is_never_taken_for_a_whole_one(cut: int, *, chunked: bool) -> None:
    """Every proper beginning of an answer is truncated when the connection ends there."""
    message = _message(200, {"a": "b"}, b"body of the answer", [5, 9] if chunked else None)
    parser = ResponseParser()

    assert parser.feed(message[: cut % len(message)]) is None
    with pytest.raises(Truncated):
        parser.eof()


@pytest.mark.parametrize(
    ("head", "reusable"),
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 0", True, id="1.1"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close", False, id="close"
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\nconnection: Close",
            False,
            id="close in the second of two fields",
        ),
        pytest.param(b"HTTP/1.0 200 OK\r\nContent-Length: 0", False, id="1.0"),
        pytest.param(
            b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: Keep-Alive",
            True,
            id="1.0 keep-alive",
        ),
        pytest.param(b"HTTP/1.1 204 No Content", True, id="no body"),
        pytest.param(
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0",
            True,
            id="after an interim answer",
        ),
    ],
)
def test_whether_the_connection_may_be_used_again(head: bytes, *, reusable: bool) -> None:
    """``Connection: close`` anywhere, or HTTP/1.0 without keep-alive, ends the connection."""
    _, response = _feed([head + b"\r\n\r\n"])

    assert response is not None
    assert response.reusable is reusable


def test_a_body_without_a_length_ends_with_the_connection() -> None:
    """The end of the connection completes such an answer, and it cannot be used again."""
    parser, response = _feed([b"HTTP/1.1 200 OK\r\n\r\npart", b" two"])

    assert response is None
    whole = parser.eof()
    assert (whole.body, whole.reusable) == (b"part two", False)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"SSH-2.0-OpenSSH\r\n\r\n", id="another protocol"),
        pytest.param(b"HTTP/1.1 2x0 OK\r\n\r\n", id="status not a number"),
        pytest.param(b"HTTP/1.1 2000\r\n\r\n", id="status too long"),
        pytest.param(b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", id="header without a colon"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", id="negative length"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\n", id="two lengths"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", id="unknown coding"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", id="bad chunk size"
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", id="long chunk"
        ),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab", id="more than one answer"),
        pytest.param(b"a" * 70_000, id="no end of the head"),
    ],
)
def test_what_is_not_http_is_refused(data: bytes) -> None:
    """Each is malformed and says so, instead of waiting for ever or guessing."""
    with pytest.raises(Malformed):
        ResponseParser().feed(data)
