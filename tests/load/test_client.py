"""The client against a tiny server that misbehaves in one way at a time, on loopback."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from e2e.load.client import LoadClient
from e2e.load.plan import Plan
from e2e.load.report import Kind
from tests.load.running import ended, run_until
from tests.support.free_ports import free_port
from tests.support.serving import served
from tests.support.waiting import eventually

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Behaviour = Callable[[bytes, asyncio.StreamWriter], Awaitable[bool]]
"""Answers one request with this body; whether the connection goes on."""

_NEVER = 3600.0


def _echo(body: bytes, extra: str = "") -> bytes:
    head = f"HTTP/1.1 200 OK\r\nX-Pod: web-1\r\nX-Version: v1\r\nContent-Length: {len(body)}\r\n"
    return f"{head}{extra}\r\n".encode() + body


def _reset(writer: asyncio.StreamWriter) -> None:
    peer = writer.get_extra_info("socket")
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def _good(body: bytes, writer: asyncio.StreamWriter) -> bool:
    writer.write(_echo(body))
    return True


async def _close_header(body: bytes, writer: asyncio.StreamWriter) -> bool:
    writer.write(_echo(body, "Connection: close\r\n"))
    return False


async def _eof(_body: bytes, _writer: asyncio.StreamWriter) -> bool:
    return False


async def _eof_in_the_body(body: bytes, writer: asyncio.StreamWriter) -> bool:
    writer.write(_echo(body)[:-5])
    return False


async def _eof_in_the_head(body: bytes, writer: asyncio.StreamWriter) -> bool:
    writer.write(_echo(body)[:20])
    return False


async def _reset_without_an_answer(_body: bytes, writer: asyncio.StreamWriter) -> bool:
    _reset(writer)
    return False


async def _reset_in_the_body(body: bytes, writer: asyncio.StreamWriter) -> bool:
    writer.write(_echo(body)[:-5])
    await writer.drain()
    _reset(writer)
    return False


async def _bad_gateway(_body: bytes, writer: asyncio.StreamWriter) -> bool:
    writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 4\r\n\r\noops")
    return True


async def _slow(_body: bytes, _writer: asyncio.StreamWriter) -> bool:
    await asyncio.sleep(_NEVER)
    return True


async def _somebody_elses(body: bytes, writer: asyncio.StreamWriter) -> bool:
    writer.write(_echo(body[::-1]))
    return True


async def _gibberish(_body: bytes, writer: asyncio.StreamWriter) -> bool:
    writer.write(b"220 smtp.example.org\r\n\r\n")
    return True


class _Server:
    """Counts what it was asked; the Nth request (from 0) gets ``behaviours[N]``, or the last."""

    def __init__(self, *behaviours: Behaviour) -> None:
        self._behaviours = behaviours
        self.requests = 0
        self.connections = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
                body = await reader.readexactly(length)
                behaviour = self._behaviours[min(self.requests, len(self._behaviours) - 1)]
                self.requests += 1
                if not await behaviour(body, writer):
                    return
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            return
        finally:
            writer.close()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        async with served(self.serve) as port:
            try:
                yield f"http://127.0.0.1:{port}/"
            finally:
                for task in self._tasks:
                    task.cancel()


@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [
        pytest.param(_eof, Kind.EOF, id="closed without an answer"),
        pytest.param(_eof_in_the_body, Kind.SHORT, id="closed within the body"),
        pytest.param(_eof_in_the_head, Kind.SHORT, id="closed within the head"),
        pytest.param(_reset_without_an_answer, Kind.RESET, id="reset without an answer"),
        pytest.param(_reset_in_the_body, Kind.RESET, id="reset within the body"),
        pytest.param(_bad_gateway, "HTTP 502", id="502"),
        pytest.param(_slow, Kind.TIMEOUT, id="no answer in time"),
        pytest.param(_somebody_elses, Kind.WRONG_BODY, id="another body"),
        pytest.param(_gibberish, Kind.MALFORMED, id="not HTTP"),
    ],
)
async def test_each_way_to_lose_a_request_has_a_name(behaviour: Behaviour, kind: str) -> None:
    """A lost request is counted once, under its kind, and is not sent again."""
    server = _Server(_good, behaviour, _good)
    async with server.listening() as url:
        timeout = 1.0 if kind == Kind.TIMEOUT else 20.0
        client = LoadClient(Plan(url, connections=1, think=0.0, timeout=timeout))
        report = await run_until(client, ended(5))

    assert dict(report.kinds) == {kind: 1}
    assert report.requests == server.requests
    (failure,) = report.failures
    assert (failure.kind, failure.connection, failure.served) == (kind, "reused", 1)
    assert failure.pod == "web-1"


async def test_a_refused_connection_is_a_lost_request() -> None:
    """Nobody listens: every request fails as refused, on a new connection."""
    client = LoadClient(Plan(f"http://127.0.0.1:{free_port()}/", connections=1, think=0.0))

    report = await run_until(client, ended(3))

    assert report.kinds == {Kind.REFUSED: report.requests}
    assert {failure.connection for failure in report.failures} == {"new"}


async def test_keep_alive_is_kept() -> None:
    """Without a word about closing, all requests of a client share one connection."""
    server = _Server(_good)
    async with server.listening() as url:
        report = await run_until(LoadClient(Plan(url, connections=3, think=0.0)), ended(60))

    assert (report.failed, report.opened, server.connections) == (0, 3, 3)
    assert report.pods["web-1"].count == report.requests == server.requests
    assert report.pods["web-1"].version == "v1"


async def test_a_close_frame_is_honoured() -> None:
    """After ``Connection: close`` the next request opens a new connection; nothing is lost."""
    server = _Server(_good, _close_header, _good)
    async with server.listening() as url:
        report = await run_until(LoadClient(Plan(url, connections=1, think=0.0)), ended(5))

    assert (report.failed, report.told_to_close, report.closed_idle) == (0, 1, 0)
    assert server.connections == 2


async def test_a_close_between_requests_that_was_noticed_loses_nothing() -> None:
    """The client has seen the end while it thought, so the next request goes elsewhere."""

    async def good_then_gone(body: bytes, writer: asyncio.StreamWriter) -> bool:
        writer.write(_echo(body))
        return False

    server = _Server(good_then_gone)
    async with server.listening() as url:
        report = await run_until(LoadClient(Plan(url, connections=1, think=0.05)), ended(3))

    assert report.failed == 0
    assert report.closed_idle >= 2


async def test_stopping_awaits_the_answers_in_flight() -> None:
    """A request that has been sent is counted by its answer, not dropped."""
    release = asyncio.Event()

    async def late(body: bytes, writer: asyncio.StreamWriter) -> bool:
        await release.wait()
        writer.write(_echo(body))
        return True

    server = _Server(late)
    async with server.listening() as url:
        client = LoadClient(Plan(url, connections=1, think=0.0))
        running = asyncio.create_task(client.run())
        async with asyncio.timeout(10):
            await eventually(lambda: server.requests == 1)
            client.stop()
            release.set()
            await running

    assert (client.report().requests, client.report().failed, client.report().left) == (1, 0, 0)


async def test_a_client_that_has_sent_its_requests_falls_silent() -> None:
    """It stays connected, sends nothing more, and still stops at once."""
    server = _Server(_good)
    async with server.listening() as url:
        client = LoadClient(Plan(url, connections=2, think=0.0, each=3))
        report = await run_until(client, ended(6))

    assert (report.requests, server.requests, server.connections) == (6, 6, 2)


async def test_a_client_that_may_leave_drops_its_request() -> None:
    """The dropped request is neither answered nor failed: the client itself went away."""
    server = _Server(_slow)
    async with server.listening() as url:
        client = LoadClient(Plan(url, connections=1, think=0.0, leave=True))
        report = await run_until(client, lambda report: report.in_flight == 1)

    assert (report.requests, report.failed, report.left) == (0, 0, 1)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        pytest.param({"url": "10.0.0.1"}, "url", id="no scheme"),
        pytest.param({"connections": 0}, "connections", id="no client"),
        pytest.param({"each": 0}, "each", id="no request"),
        pytest.param({"think": -1.0}, "think", id="negative pause"),
        pytest.param({"timeout": 0.0}, "timeout", id="no time"),
        pytest.param({"body": 3}, "body", id="body too short for its mark"),
    ],
)
def test_a_plan_that_cannot_be_done_is_refused(change: dict[str, object], named: str) -> None:
    """The error names the option."""
    options: dict[str, object] = {"url": "http://127.0.0.1/", **change}

    with pytest.raises(ValueError, match=named):
        Plan(**options)  # type: ignore[arg-type] # the table holds one wrong value each
