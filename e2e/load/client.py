"""Keep-alive clients on asyncio that send POSTs, never retry, and classify every failure.

A connection that the server closes between two requests is noticed if the client has seen the
end in time, as in most HTTP libraries, and is then not a failure: the next request opens a
connection of its own. What the client could not have known is a failure.
"""

import asyncio
import errno
import random
import socket
import time
from collections.abc import Callable
from typing import Final

from e2e.load.http1 import Malformed, Response, ResponseParser, Truncated
from e2e.load.plan import Plan
from e2e.load.report import Failure, Kind, LoadReport, Tally

#: Header fields by which the sample service says who answers.
POD_HEADER: Final = "x-pod"
VERSION_HEADER: Final = "x-version"
#: Pause after a failure, at least: a refused client must not spin.
_BREATH: Final = 0.02
#: Pause of a client that has sent all it was to send; ``stop`` ends it.
_FOR_EVER: Final = 1e6


class _Lost(Exception):  # noqa: N818 # one request's end, never an error of the program
    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail


class _Connection(asyncio.Protocol):
    """One connection with at most one request on it."""

    def __init__(self, tally: Tally, since: Callable[[], float]) -> None:
        """Take part in a tally; ``since`` returns the seconds since the run began."""
        self._tally = tally
        self._since = since
        self._of = ""
        """The pod as one of whose connections this is counted; empty while it is not."""
        self._transport: asyncio.Transport | None = None
        self._parser = ResponseParser()
        self._answer: asyncio.Future[Response] | None = None
        self.fit = True
        """Whether a request may be sent, connecting first if need be."""
        self.local = ""
        self.pod = ""
        self.version = ""
        self.served = 0
        self.last_used = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # what a TCP connection gives
        self._transport = transport
        self._tally.opened += 1

    def data_received(self, data: bytes) -> None:
        if self._answer is None or self._answer.done():
            # Bytes nobody asked for, such as a 408: they must not pass for the next answer.
            self._closed_by_server()
            return
        try:
            response = self._parser.feed(data)
        except Malformed as error:
            self._end(_Lost(Kind.MALFORMED, str(error)))
        else:
            if response is not None:
                self.fit = self.fit and response.reusable
                self._answer.set_result(response)

    def eof_received(self) -> None:
        self._leave_the_count()
        self._closed_by_server()
        if self._answer is None or self._answer.done():
            return
        if not self._parser.started:
            self._end(_Lost(Kind.EOF, "closed without an answer"))
            return
        try:
            self._answer.set_result(self._parser.eof())
        except Truncated as error:
            self._end(_Lost(Kind.SHORT, str(error)))

    def connection_lost(self, exc: Exception | None) -> None:
        self._leave_the_count()
        self._closed_by_server()
        self._end(_lost(exc) if exc is not None else _Lost(Kind.EOF, "connection ended"))

    def _closed_by_server(self) -> None:
        if self.fit and self._answer is None:
            self._tally.closed_idle += 1
        self.fit = False

    def _leave_the_count(self) -> None:
        if self._of:
            self._tally.course.closed(self._of, self._since())
            self._of = ""

    def _end(self, lost: _Lost) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(lost)

    async def exchange(self, request: bytes, host: str, port: int) -> Response:
        """Connect if this is the first request, send it and return its answer.

        Raises:
            _Lost: there was none.
        """
        loop = asyncio.get_running_loop()
        if self._transport is None:
            await self._connect(host, port)
        assert self._transport is not None  # set by connection_made
        self._parser = ResponseParser()
        self._answer = loop.create_future()
        self._transport.write(request)
        try:
            response = await self._answer
        finally:
            self._answer = None
        self.served += 1
        self.last_used = time.monotonic()
        self.pod = response.headers.get(POD_HEADER, self.pod)
        self.version = response.headers.get(VERSION_HEADER, self.version)
        if not self._of and self.fit and self.pod:
            self._of = self.pod
            self._tally.course.opened(self._of, self._since())
        if not response.reusable:
            self._tally.told_to_close += 1
            self.close()
        return response

    async def _connect(self, host: str, port: int) -> None:
        """Connect; ``local`` is known afterwards even if that failed, so that it can be traced.

        Raises:
            _Lost: it was refused or reset, or there is no way.
        """
        loop = asyncio.get_running_loop()
        sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        sock.settimeout(0)
        try:
            try:
                await loop.sock_connect(sock, (host, port))
            finally:
                self.local = "{}:{}".format(*sock.getsockname())
            await loop.create_connection(lambda: self, sock=sock)
        except OSError as error:
            raise _lost(error) from error
        finally:
            if self._transport is None:
                sock.close()

    def close(self) -> None:
        """End the connection; it is not fit for another request."""
        self.fit = False
        self._leave_the_count()
        if self._transport is not None:
            self._transport.close()


class LoadClient:
    """Runs a plan until it is stopped."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._tally = Tally(started=time.time())
        self._monotonic = time.monotonic()
        self._stopping = False
        self._thinking: set[asyncio.Task[None]] = set()
        self._tasks: list[asyncio.Task[None]] = []

    def report(self, *, whole: bool = True) -> LoadReport:
        """Return what has been seen so far."""
        return self._tally.report(self._now(), whole=whole)

    async def run(self) -> None:
        """Send requests until ``stop``; a request in flight then still gets its answer."""
        loop = asyncio.get_running_loop()
        self._tasks = [
            loop.create_task(self._client(number)) for number in range(self._plan.connections)
        ]
        done = await asyncio.gather(*self._tasks, return_exceptions=True)
        for outcome in done:
            if isinstance(outcome, BaseException) and not isinstance(
                outcome, asyncio.CancelledError
            ):
                raise outcome

    def stop(self) -> None:
        """End every pause now and every request with its answer, or at once if it may leave."""
        self._stopping = True
        for task in self._tasks if self._plan.leave else tuple(self._thinking):
            task.cancel()

    def _since(self) -> float:
        return time.monotonic() - self._monotonic

    def _now(self) -> float:
        return self._tally.started + self._since()

    async def _pause(self, seconds: float) -> None:
        task = asyncio.current_task()
        assert task is not None  # only clients pause
        self._thinking.add(task)
        try:
            await asyncio.sleep(seconds)
        finally:
            self._thinking.discard(task)

    async def _client(self, number: int) -> None:
        draw = random.Random(f"{self._plan.seed}/{number}")  # noqa: S311 # spreads load
        connection = _Connection(self._tally, self._since)
        sent = 0
        try:
            await self._pause(draw.uniform(0, self._plan.think))
            while not self._stopping:
                if not connection.fit:
                    connection.close()
                    connection = _Connection(self._tally, self._since)
                sent += 1
                well = await self._request(connection, f"{self._plan.seed}/{number}/{sent}")
                pause = self._plan.think * draw.uniform(0.5, 1.5)
                if sent == self._plan.each:
                    pause = _FOR_EVER
                if not self._stopping:
                    await self._pause(pause if well else max(pause, _BREATH))
        finally:
            connection.close()

    async def _request(self, connection: _Connection, mark: str) -> bool:
        """Send one request and count how it ends; whether it ended well."""
        begun = time.monotonic()
        served = connection.served
        idle = begun - connection.last_used if served else 0.0
        head, body = self._plan.request(mark)
        self._tally.in_flight += 1
        try:
            async with asyncio.timeout(self._plan.timeout):
                response = await connection.exchange(head + body, self._plan.host, self._plan.port)
            lost = _verdict(response, body)
        except TimeoutError:
            connection.close()
            lost = _Lost(Kind.TIMEOUT, f"none within {self._plan.timeout:g} s")
        except _Lost as ended:
            connection.close()
            lost = ended
        except asyncio.CancelledError:
            self._tally.left += 1
            raise
        finally:
            self._tally.in_flight -= 1
        now = time.monotonic()
        if lost is None:
            self._tally.answered(now - begun, self._now(), connection.pod, connection.version)
            return True
        self._tally.failed(
            Failure(
                at=self._now(),
                waited=now - begun,
                kind=lost.kind,
                connection="reused" if served else "new",
                idle=idle,
                served=served,
                pod=connection.pod,
                local=connection.local,
                detail=lost.detail,
            )
        )
        return False


def _verdict(response: Response, body: bytes) -> _Lost | None:
    if not 200 <= response.status < 300:
        return _Lost(f"HTTP {response.status}", response.body[:80].decode("latin-1"))
    if response.body != body:
        return _Lost(Kind.WRONG_BODY, f"{response.length} bytes: {response.body[:40]!r}")
    return None


_KINDS: Final = {
    errno.ECONNREFUSED: Kind.REFUSED,
    errno.ECONNRESET: Kind.RESET,
    errno.EPIPE: Kind.RESET,
    errno.ECONNABORTED: Kind.RESET,
    errno.ETIMEDOUT: Kind.TIMEOUT,
}


def _lost(error: Exception) -> _Lost:
    number = error.errno if isinstance(error, OSError) else None
    kind = _KINDS.get(number, Kind.UNREACHABLE) if number is not None else Kind.UNREACHABLE
    return _Lost(kind, str(error) or type(error).__name__)
