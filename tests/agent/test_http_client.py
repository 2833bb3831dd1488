"""One exchange with a program of the pod, on real sockets."""

import asyncio

import pytest

from lossless.agent.causes import AskError, cause_of
from lossless.agent.http_client import HttpResponse, exchange
from tests.agent.programs import ok, program
from tests.support.free_ports import free_port


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param(ok(b"yes"), HttpResponse(200, b"yes"), id="with-a-length"),
        pytest.param(
            b"HTTP/1.1 204 No Content\r\n\r\n", HttpResponse(204, b""), id="without-a-body"
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nyes\r\n0\r\n\r\n",
            HttpResponse(200, b"yes"),
            id="in-chunks",
        ),
        pytest.param(
            b"HTTP/1.0 200 OK\r\n\r\nyes", HttpResponse(200, b"yes"), id="until-it-closes"
        ),
        pytest.param(
            b"HTTP/1.1 100 Continue\r\n\r\n" + ok(b"yes"),
            HttpResponse(200, b"yes"),
            id="after-an-early",
        ),
        pytest.param(
            b"HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n",
            HttpResponse(302, b""),
            id="redirects-are-not-followed",
        ),
        pytest.param(ok(b"no", "503 No"), HttpResponse(503, b"no"), id="a-refusal-is-an-answer"),
    ],
)
async def test_answers(answer: bytes, expected: HttpResponse) -> None:
    """Whatever way HTTP/1.1 says it in."""
    async with program(answer) as app:
        assert await exchange(app.port, "GET", "/a?b", limit=100) == expected

    assert app.heard[0].startswith(b"GET /a?b HTTP/1.1\r\n")
    assert f"Host: localhost:{app.port}\r\nConnection: close\r\n".encode() in app.heard[0]


async def test_everything_of_a_request_is_sent() -> None:
    """A body has its length, and so has none where others have one."""
    async with program(ok()) as app:
        await exchange(app.port, "PUT", "/", headers=[("X-A", "b")], body=b"leave", limit=0)
        await exchange(app.port, "POST", "/", limit=0)

    assert b"Content-Length: 5\r\nX-A: b\r\n\r\nleave" in app.heard[0]
    assert b"Content-Length: 0\r\n\r\n" in app.heard[1]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        pytest.param(b"", "closed without an answer", id="nothing"),
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n", "not HTTP/1.1", id="another-protocol"),
        pytest.param(b"HTTP/1.1 200 OK\r\nA: " + 99_999 * b"a", "not HTTP/1.1", id="long-head"),
        pytest.param(ok(101 * b"a"), "longer than 100 bytes", id="long-body"),
        pytest.param(ok(b"yes")[:-1], "not HTTP/1.1", id="cut-off"),
    ],
)
async def test_what_is_no_answer(answer: bytes, message: str) -> None:
    """It is an error that says so, and never an answer with something missing."""
    async with program(answer) as app:
        with pytest.raises(AskError, match=message):
            await exchange(app.port, "GET", "/", limit=100)


async def test_what_goes_wrong_with_a_body_of_no_interest_is_no_matter() -> None:
    """As for the kubelet, which has its answer with the head."""
    async with program(b"HTTP/1.1 202 Accepted\r\nContent-Length: 9\r\n\r\n") as app:
        answer = await exchange(
            app.port, "GET", "/", headers=[("host", "app"), ("Connection", "x")], limit=None
        )

    assert answer == HttpResponse(202, b"")
    assert app.heard[0].lower().count(b"host: ") == 1
    assert b"close" not in app.heard[0]


@pytest.mark.parametrize(
    ("path", "header"),
    [pytest.param("/a b", "b", id="path"), pytest.param("/", "a\nb", id="header")],
)
async def test_what_cannot_be_sent(path: str, header: str) -> None:
    """Nothing is sent that would say something else than was asked for."""
    async with program(ok()) as app:
        with pytest.raises(AskError, match="such a request cannot be sent"):
            await exchange(app.port, "GET", path, headers=[("X-A", header)], limit=100)

    assert b"".join(app.heard) == b""


async def test_the_caller_ends_what_takes_too_long() -> None:
    """A program that hangs costs the time that it was given."""
    async with program(None) as app:
        with pytest.raises(TimeoutError) as late:
            async with asyncio.timeout(0.05):
                await exchange(app.port, "GET", "/", limit=100)

    assert cause_of(late.value, 0.05) == "no answer within 0.05 s"


async def test_nobody_there() -> None:
    """The cause is the kernel's word for it."""
    with pytest.raises(ConnectionRefusedError) as gone:
        await exchange(free_port(), "GET", "/", limit=100)

    assert cause_of(gone.value, 1.0) == "Connection refused"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        pytest.param(AskError("HTTP 500"), "HTTP 500", id="ours"),
        pytest.param(OSError(), "OSError", id="without-words"),
        pytest.param(ValueError("not a page"), "not a page", id="not-understood"),
        pytest.param(KeyError("x"), "KeyError: 'x'", id="a-mistake"),
    ],
)
def test_causes(error: Exception, expected: str) -> None:
    """There is always something to say."""
    assert cause_of(error, 1.0) == expected
