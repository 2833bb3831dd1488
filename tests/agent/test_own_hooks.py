"""Hooks that the agent runs in the kubelet's place, against real sockets."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from lossless.agent.own_hooks import OwnHooks
from lossless.model.drain.hooks import HttpHook, SleepHook
from tests.support.serving import served
from tests.support.waiting import eventually

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Endpoint:
    """A container that listens; it keeps what it was sent."""

    def __init__(self, answer: bytes | None) -> None:
        """Answer every request with these bytes; None: not at all."""
        self.answer = answer
        self.heard: list[bytes] = []
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        try:
            self.heard.append(await reader.readuntil(b"\r\n\r\n"))
        except asyncio.IncompleteReadError:
            writer.close()
            return
        if self.answer is None:
            await reader.read()
        else:
            writer.write(self.answer)
        writer.close()


@asynccontextmanager
async def listening(answer: bytes | None) -> AsyncIterator[Endpoint]:
    """Listen on a free port of the loopback."""
    endpoint = Endpoint(answer)
    async with served(endpoint.serve) as endpoint.port:
        yield endpoint


@asynccontextmanager
async def working(
    begin: bytes,
) -> AsyncIterator[tuple[int, Callable[[bytes], Awaitable[None]]]]:
    """Listen with a handler that answers with ``begin`` and works until it is told the end."""
    end: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
    told = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(begin)
        told.set()
        writer.write(await end)
        writer.close()

    async def finish(last: bytes) -> None:
        await told.wait()
        end.set_result(last)

    async with served(serve) as port:
        yield port, finish
        if not end.done():
            end.set_result(b"")


class Desk:
    """The hooks of one pod, and what they tell."""

    def __init__(self, *hooks: Any, host: str = "127.0.0.1") -> None:
        """Know these hooks."""
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.problems: dict[str, str] = {}
        self.hooks = OwnHooks(
            hooks,
            host,
            log=lambda event, **fields: self.events.append((event, fields)),
            note=self.problems.__setitem__,
        )


async def test_the_request_is_the_kubelets() -> None:
    """Path, query and headers are those of the hook; a header of ours can be replaced."""
    async with listening(OK) as endpoint:
        headers = (("X-Key", "1"), ("host", "app.local"))
        desk = Desk(HttpHook("app", endpoint.port, "/stop?now=1", headers))
        assert not desk.hooks.done("app")
        await desk.hooks.run(5.0)

    (request,) = endpoint.heard
    first, *fields = request.decode().strip().split("\r\n")
    assert first == "GET /stop?now=1 HTTP/1.1"
    assert sorted(field.lower() for field in fields) == [
        "accept: */*",
        "connection: close",
        "host: app.local",
        "user-agent: lossless-agent",
        "x-key: 1",
    ]
    assert desk.hooks.done("app")
    assert desk.problems == {}
    assert desk.events == [("own hook done", {"container": "app", "status": 200})]


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n" + OK, "", id="interim-answers-are-none"),
        pytest.param(b"HTTP/1.1 202 Accepted\r\n\r\n", "", id="accepted"),
        pytest.param(b"HTTP/1.0 200 OK\r\n\r\n", "", id="http-1.0"),
        pytest.param(
            b"HTTP/1.1 503 Busy\r\n\r\n", "it was answered with status 503", id="an-error"
        ),
        pytest.param(
            b"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n",
            "it was answered with status 302",
            id="elsewhere",
        ),
        pytest.param(
            b"SSH-2.0-OpenSSH\r\n\r\n",
            "the answer is not HTTP/1.1: illegal status line",
            id="not-http",
        ),
        pytest.param(b"", "closed without an answer", id="closed"),
        pytest.param(b"HTTP/1.1 2", "not HTTP/1.1", id="cut-off"),
        pytest.param(None, "no answer within 0.3 s", id="hangs"),
    ],
)
async def test_whatever_is_answered_it_ends(answer: bytes | None, problem: str) -> None:
    """A hook that fails or hangs is told, and holds its container no longer."""
    async with listening(answer) as endpoint:
        desk = Desk(HttpHook("app", endpoint.port))
        await desk.hooks.run(0.3 if answer is None else 5.0)

    assert desk.hooks.done("app")
    told = "; ".join(desk.problems.values())
    assert told.startswith("preStop of app: ") if problem else told == ""
    assert problem in told


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        pytest.param(CHUNKED + b"6\r\nbegin\n\r\n", b"0\r\n\r\n", id="in-chunks"),
        pytest.param(CHUNKED + b"6\r\nbegin\n\r\n", b"no chunk", id="in-chunks-that-break"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", 9 * b"a", id="by-length"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Length: 10240\r\n\r\n", 10240 * b"a", id="longest"
        ),
        pytest.param(b"HTTP/1.0 200 OK\r\n\r\nbegin", b"", id="until-it-closes"),
    ],
)
async def test_it_is_not_over_before_its_answer_is(begin: bytes, end: bytes) -> None:
    """A handler may work while it writes; the kubelet would not send SIGTERM meanwhile."""
    async with working(begin) as (port, finish):
        desk = Desk(HttpHook("app", port))
        running = asyncio.ensure_future(desk.hooks.run(20.0))
        await asyncio.wait({running}, timeout=0.2)
        assert not desk.hooks.done("app")
        await finish(end)
        await running

    assert desk.problems == {}
    assert desk.events == [("own hook done", {"container": "app", "status": 200})]


@pytest.mark.parametrize(
    "begin",
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 10241\r\n\r\n", id="by-length"),
        pytest.param(CHUNKED + b"2800\r\n" + 10240 * b"a" + b"\r\n", id="in-chunks"),
        pytest.param(b"HTTP/1.1 204 No Content\r\n\r\n", id="no-body"),
    ],
)
async def test_more_than_the_kubelet_reads_is_not_waited_for(begin: bytes) -> None:
    """Nor is what cannot come."""
    async with working(begin) as (port, _):
        desk = Desk(HttpHook("app", port))
        await desk.hooks.run(20.0)

    assert desk.problems == {}


async def test_an_answer_without_an_end_takes_no_longer_than_the_drain() -> None:
    """The hook had its time."""
    async with working(CHUNKED) as (port, _):
        desk = Desk(HttpHook("app", port))
        await desk.hooks.run(0.3)

    assert desk.hooks.done("app")
    assert desk.problems == {"preStop of app": "preStop of app: no answer within 0.3 s"}


@pytest.mark.parametrize(
    ("hook", "host", "problem"),
    [
        pytest.param(HttpHook("app", 1), "127.0.0.1", "Connection refused", id="refused"),
        pytest.param(HttpHook("app", 1), "::1", "Connect", id="ipv6"),
    ],
)
async def test_nobody_there_is_told(hook: HttpHook, host: str, problem: str) -> None:
    """Nothing of it reaches the drain."""
    desk = Desk(hook, host=host)
    await desk.hooks.run(5.0)

    assert desk.hooks.done("app")
    assert problem in desk.problems["preStop of app"]


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        pytest.param("/a b", (), id="a-path-that-is-none"),
        pytest.param("/", (("X", "a\nb"),), id="a-header"),
    ],
)
async def test_what_cannot_be_sent_is_told(path: str, headers: tuple[tuple[str, str], ...]) -> None:
    """Somebody listens, and hears nothing of it."""
    async with listening(OK) as endpoint:
        desk = Desk(HttpHook("app", endpoint.port, path, headers))
        await desk.hooks.run(5.0)

    assert desk.hooks.done("app")
    assert "such a request cannot be sent" in desk.problems["preStop of app"]
    assert endpoint.heard == []


async def test_all_run_at_once_and_each_once() -> None:
    """As the kubelet runs them: one that hangs holds up no other."""
    async with listening(None) as stuck, listening(OK) as quick:
        desk = Desk(HttpHook("a", stuck.port), HttpHook("b", quick.port), SleepHook("c", 9.0))
        assert desk.hooks.done("c")
        running = asyncio.ensure_future(desk.hooks.run(0.5))
        await eventually(lambda: desk.hooks.done("b"))
        assert not desk.hooks.done("a")
        await running
        await desk.hooks.run(0.5)

    assert (len(stuck.heard), len(quick.heard)) == (1, 1)
