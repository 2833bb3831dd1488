"""curl and wrk count what is lost, also what they say nothing of, and nothing else."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from e2e.clients.catalogue import Toolchain
from e2e.clients.order import Order, Protocol
from e2e.clients.report import ClientReport, parse_line
from e2e.clients.toolchain import PROGRAMS
from tests.support.required import cannot_run
from tests.support.serving import served
from tests.support.waiting import eventually

_CONNECTIONS = 3
#: Requests that a server answers before it does something else.
_GOOD = 30


@pytest.fixture(params=["curl", "wrk"])
def client(request: pytest.FixtureRequest) -> str:
    """Return a wrapper's name; without its program it is skipped, or fails if it is required."""
    name = str(request.param)
    missing = [one for one in PROGRAMS[Toolchain(name)] if shutil.which(one) is None]
    if missing:
        cannot_run(f"not installed: {', '.join(missing)}; see tests/proof/debian-packages.txt")
    return name


class Server:
    """Echoes, until it has answered some requests and does what it is made for."""

    def __init__(self, then: Callable[["Server"], Awaitable[bool]], closing: str = "") -> None:
        """Answer; ``then`` returns whether a later request is answered, too."""
        self._then = then
        self._closing = closing
        self.answered = 0
        self.unanswered = 0
        self.turned = asyncio.Event()
        self.over = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while await self._exchange(reader, writer) and not self._closing:
                pass
        writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        _, _, rest = head.partition("content-length: ")
        body = await reader.readexactly(int(rest.partition("\r\n")[0]) if rest else 0)
        if self.answered >= _GOOD:
            self.turned.set()
            self.unanswered += 1
            if not await self._then(self):
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")
                return False
            self.unanswered -= 1
        self.answered += 1
        head = f"HTTP/1.1 200 OK\r\n{self._closing}Content-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        return True


async def _answers(_: Server) -> bool:
    return True


async def _answers_late(_: Server) -> bool:
    await asyncio.sleep(0.5)  # less than the grace: what is in flight at the end ends
    return True


async def _hangs(server: Server) -> bool:
    await server.over.wait()
    return False


async def _breaks_off_once(server: Server) -> bool:
    return server.unanswered > 1 or server.answered > _GOOD


@asynccontextmanager
async def _loaded(client: str, server: Server) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a client against a server until the latter has turned."""
    async with served(server.serve) as port:
        order = Order(
            f"http://127.0.0.1:{port}",
            Protocol.H1,
            connections=_CONNECTIONS,
            think=0.02,
            slow=0,
            seconds=20,
        )
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", f"e2e.clients.programs.{client}"),
            env={**os.environ, **order.environment(), "GRACE": "2"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(20):
                await server.turned.wait()
                yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
            server.over.set()


async def _end(process: asyncio.subprocess.Process) -> ClientReport:
    said, errors = await process.communicate(b"")  # closes its input
    assert process.returncode == 0, errors.decode()
    is_last, report = parse_line(said.decode().splitlines()[-1])
    assert is_last
    return report


@pytest.mark.parametrize(
    ("then", "closing"),
    [
        pytest.param(_answers, "", id="keep-alive"),
        pytest.param(_answers, "Connection: close\r\n", id="each-connection-closed"),
        pytest.param(_answers_late, "", id="in-flight-at-the-end"),
    ],
)
async def test_a_good_server_has_lost_nothing(
    client: str, then: Callable[[Server], Awaitable[bool]], closing: str
) -> None:
    """What is in flight when the client is stopped gets its answer, and is no loss."""
    server = Server(then, closing)
    async with _loaded(client, server) as process:
        report = await _end(process)

    assert report.kinds == {}
    assert report.requests >= _GOOD


async def test_a_server_that_stops_answering_has_lost_what_is_in_flight(client: str) -> None:
    """One request of each connection, though neither program says a word."""
    server = Server(_hangs)
    async with _loaded(client, server) as process:
        # Who pauses between two requests when the client is stopped has none in flight.
        await eventually(lambda: server.unanswered == _CONNECTIONS)
        report = await _end(process)

    assert report.kinds == {"no answer": server.unanswered}
    assert report.failed == _CONNECTIONS
    assert report.requests == server.answered + server.unanswered


async def test_what_a_program_counts_itself_is_not_counted_twice(client: str) -> None:
    """An answer that breaks off is one failure."""
    server = Server(_breaks_off_once)
    async with _loaded(client, server) as process:
        report = await _end(process)

    assert server.unanswered == report.failed == 1, report
    assert "no answer" not in report.kinds


async def test_a_program_that_is_killed_has_not_lost_nothing(client: str) -> None:
    """A wrapper without wrk's count has no result; what one curl had in flight is lost."""
    async with _loaded(client, Server(_answers)) as process:
        os.kill(_program(process.pid, client), signal.SIGKILL)
        said, errors = await process.communicate(b"")

    is_last, report = parse_line(said.decode().splitlines()[-1])
    if client == "wrk":
        assert (process.returncode, is_last) == (1, False)
        assert "without a result" in errors.decode()
    else:
        assert (process.returncode, report.kinds) == (0, {"no answer": 1})


def _program(pid: int, name: str) -> int:
    """Return one process of this name among a process's descendants."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    child = int(children.split()[0])
    is_it = Path(f"/proc/{child}/comm").read_text().strip() == name
    return child if is_it else _program(child, name)
