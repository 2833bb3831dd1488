"""The HTTP server, and everything that a peer can do to it."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable

import pytest

from lossless.agent.server import (
    MAX_CONNECTIONS,
    MAX_HEADERS,
    MAX_PER_PEER,
    Request,
    Response,
    Server,
    bind,
)
from tests.support.free_ports import free_port
from tests.support.waiting import eventually

Log = list[tuple[str, dict[str, object]]]


class Site:
    """A server whose handler a test can hold back."""

    def __init__(self, *, patience: float = 10.0) -> None:
        """Listen nowhere yet."""
        self.events: Log = []
        self.requests: list[Request] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.server = Server(self._handle, log=self._log, patience=patience)

    def _log(self, event: str, **fields: object) -> None:
        self.events.append((event, fields))

    async def _handle(self, request: Request) -> Response:
        self.requests.append(request)
        if request.path == "/mistake":
            raise LookupError("of ours")
        await self.gate.wait()
        return Response(200, f"{request.method} {request.path}\n".encode())

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Return a connection to it."""
        return await asyncio.open_connection("127.0.0.1", self.server.port)


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """Return a server on a free port."""
    made = Site()
    made.server.listen(0)
    yield made
    made.server.close()


async def say(site: Site, text: bytes) -> bytes:
    """Return everything that is answered to some bytes."""
    reader, writer = await site.connect()
    with contextlib.closing(writer):
        writer.write(text)
        async with asyncio.timeout(10):
            return await reader.read()


def get(path: str = "/x", method: str = "GET", host: str = "Host: pod\r\n") -> bytes:
    """Return a request."""
    return f"{method} {path} HTTP/1.1\r\n{host}\r\n".encode()


def status(answer: bytes) -> int:
    """Return the status of an answer."""
    assert answer.startswith(b"HTTP/1.1 "), answer
    return int(answer[9:12])


async def test_a_request_is_answered_and_the_connection_closed(site: Site) -> None:
    """One request for each connection keeps everything small."""
    answer = await say(site, get("/x?y=1"))
    head, _, body = answer.partition(b"\r\n\r\n")

    assert status(answer) == 200
    assert b"connection: close" in head.lower()
    assert body == b"GET /x\n"
    assert site.requests == [Request("GET", "/x", "127.0.0.1")]


async def test_an_answer_to_head_has_no_body(site: Site) -> None:
    """Load balancers ask so."""
    answer = await say(site, get(method="HEAD"))

    assert answer.lower().count(b"content-length: 8") == 1
    assert answer.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("127.0.0.1", id="ipv4"),
        pytest.param(
            "::1",
            id="ipv6",
            marks=pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="no IPv6 here"),
        ),
    ],
)
async def test_both_families_are_served(site: Site, address: str) -> None:
    """The kubelet uses the pod's first address, whichever that is."""
    reader, writer = await asyncio.open_connection(address, site.server.port)
    with contextlib.closing(writer):
        writer.write(get())

        assert status(await reader.read()) == 200


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400, id="tls"),
        pytest.param(get(host=""), 400, id="no-host"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400, id="two-hosts"),
        pytest.param(b"GET / HTTP/1.1\r\nBroken\r\n\r\n", 400, id="broken-header"),
        pytest.param(
            b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * MAX_HEADERS + b"\r\n", 431, id="huge"
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\nExpect: 100-continue\r\n\r\n",
            417,
            id="expect",
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 999999\r\n\r\n" + b"z" * 70_000,
            413,
            id="a-long-body",
        ),
        pytest.param(
            b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", 200, id="a-short-body"
        ),
        pytest.param(b"GET /x HTTP/1.0\r\n\r\n", 200, id="http-1.0"),
    ],
)
async def test_odd_requests(site: Site, text: bytes, expected: int) -> None:
    """Each is only its sender's problem."""
    assert status(await say(site, text)) == expected
    assert status(await say(site, get())) == 200


async def test_a_mistake_in_one_answer_stays_there(site: Site) -> None:
    """And is logged."""
    assert status(await say(site, get("/mistake"))) == 500
    assert status(await say(site, get())) == 200
    assert [event for event, _ in site.events] == ["mistake"]


async def test_a_second_request_is_not_read(site: Site) -> None:
    """What comes behind the first one is thrown away, while it waits and after it."""
    site.gate.clear()
    reader, writer = await site.connect()
    with contextlib.closing(writer):
        writer.write(get("/first") + get("/second"))
        await eventually(lambda: site.requests)
        writer.write(b"z" * 100_000)
        site.gate.set()
        answer = await reader.read(4000)

    assert answer.endswith(b"GET /first\n")
    assert [one.path for one in site.requests] == ["/first"]


async def test_who_says_nothing_is_dropped_in_the_end() -> None:
    """Slowly sent headers are no way to stay either."""
    site = Site(patience=0.3)
    site.server.listen(0)
    reader, writer = await site.connect()
    with contextlib.closing(writer):
        writer.write(b"GET / HTTP/1.1\r\n")
        with contextlib.suppress(ConnectionResetError):
            async with asyncio.timeout(10):
                assert await reader.read() == b""

    await eventually(lambda: site.server.open == 0)
    site.server.close()


async def test_a_held_request_outlives_every_limit() -> None:
    """A hold takes as long as the drain."""
    site = Site(patience=0.1)
    site.server.listen(0)
    site.gate.clear()
    reader, writer = await site.connect()
    with contextlib.closing(writer):
        writer.write(get())
        await eventually(lambda: site.requests)
        slow, other = await site.connect()
        assert await slow.read() == b""
        other.close()
        site.gate.set()

        assert status(await reader.read()) == 200
    site.server.close()


async def test_who_hangs_up_is_forgotten(site: Site) -> None:
    """A kubelet that is restarted breaks its holds, and asks again."""
    site.gate.clear()
    _, writer = await site.connect()
    writer.write(get())
    await eventually(lambda: site.requests)
    writer.close()

    await eventually(lambda: site.server.open == 0)


async def clients(site: Site, count: int, address: str = "127.0.0.1") -> list[socket.socket]:
    """Return silent connections from one address of loopback."""
    loop = asyncio.get_running_loop()
    opened = []
    for _ in range(count):
        sock = socket.socket()
        sock.settimeout(0)
        sock.bind((address, 0))
        await loop.sock_connect(sock, ("127.0.0.1", site.server.port))
        opened.append(sock)
    return opened


async def test_one_peer_cannot_take_all_places(site: Site) -> None:
    """Beyond its share it is refused; others are served."""
    flood = await clients(site, MAX_PER_PEER + 20, "127.0.0.9")
    await eventually(lambda: site.server.accepted == MAX_PER_PEER + 20)
    await eventually(lambda: site.server.open == MAX_PER_PEER)

    assert status(await say(site, get())) == 200
    for one in flood:
        one.close()


async def test_many_peers_cannot_take_all_places_from_the_kubelet(site: Site) -> None:
    """When all places are taken, who has most of them loses one, the silent first."""
    site.gate.clear()
    reader, writer = await site.connect()
    writer.write(get("/hold"))
    await eventually(lambda: site.requests)
    flood = []
    for number in range(2, 2 + MAX_CONNECTIONS // MAX_PER_PEER + 1):
        flood += await clients(site, MAX_PER_PEER, f"127.0.0.{number}")
    await eventually(lambda: site.server.accepted == len(flood) + 1)

    assert site.server.open <= MAX_CONNECTIONS
    site.gate.set()
    assert status(await say(site, get())) == 200
    assert status(await reader.read()) == 200
    writer.close()
    for one in flood:
        one.close()


async def test_a_taken_port_is_tried_again() -> None:
    """It is said once, and the agent goes on: the drain can still be started."""
    site = Site()
    port = free_port()
    with bind(port):
        task = asyncio.ensure_future(site.server.listen_at_last(port, retry=0.05))
        await eventually(lambda: len(site.events) == 1)
    await eventually(lambda: site.server.port == port)
    async with asyncio.timeout(10):
        await task

    assert [event for event, _ in site.events] == ["cannot listen", "listening"]
    site.server.close()


async def test_accepted_connections_are_counted(site: Site) -> None:
    """The kernel counts them too, and they are not the pod's clients."""
    for _ in range(3):
        await say(site, get())

    assert site.server.accepted == 3


@pytest.mark.parametrize(
    "chunk",
    [pytest.param(lambda _text: 1, id="byte-by-byte"), pytest.param(len, id="at-once")],
)
async def test_a_request_may_come_in_any_pieces(site: Site, chunk: Callable[[bytes], int]) -> None:
    """As networks cut it."""
    reader, writer = await site.connect()
    text = get()
    with contextlib.closing(writer):
        for start in range(0, len(text), chunk(text)):
            writer.write(text[start : start + chunk(text)])
            await writer.drain()

        assert status(await reader.read()) == 200
