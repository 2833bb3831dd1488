"""A small HTTP/1.1 server for the kubelet's hooks, load balancers and scrapes.

Everybody who reaches the pod can reach it, so everything is bounded, and one bad peer is only
its own problem: each connection carries one request, must bring it in a few seconds, and holds
little memory. Who keeps too many connections loses its own, so that the kubelet, with one for
each container, always gets through.
"""

import asyncio
import socket
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import h11

from lossless.agent.log import Log

#: Connections at the same time, from all peers and from one address. A pod has a few dozen
#: containers at most, and a kubelet that restarts opens its holds a second time.
MAX_CONNECTIONS: Final = 256
MAX_PER_PEER: Final = 64
#: Bytes of a request's line and headers.
MAX_HEADERS: Final = 8192
#: Bytes of a request's body, which nothing here wants.
MAX_BODY: Final = 65536
#: Seconds to bring a request, and again to take the answer.
PATIENCE: Final = 10.0
#: Seconds between attempts to listen, while something else has the port.
RETRY: Final = 2.0
_BACKLOG: Final = 128


@dataclass(frozen=True, slots=True)
class Request:
    """One request; its body has been read and thrown away."""

    method: str
    path: str
    """Without the query."""
    peer: str
    """The client's address."""


@dataclass(frozen=True, slots=True)
class Response:
    """One answer."""

    status: int
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    allow: str = ""


Handler = Callable[[Request], Awaitable[Response]]


def _nothing(_: str) -> None:
    """Do nothing with it."""


class Server:
    """Listens on one port on all addresses, IPv6 and IPv4."""

    def __init__(self, handler: Handler, *, log: Log, patience: float = PATIENCE) -> None:
        """Answer requests with ``handler``, which may take its time.

        Args:
            handler: called for each request.
            log: told of mistakes.
            patience: seconds that a client has to bring its request, and to take the answer.
        """
        self._handler = handler
        self._log = log
        self.patience = patience
        self._listener: socket.socket | None = None
        self._connections: dict[Connection, None] = {}
        self._per_peer: Counter[str] = Counter()
        self._starts: set[asyncio.Task[object]] = set()
        self.accepted = 0
        """Connections accepted so far."""

    @property
    def open(self) -> int:
        """Connections at the moment."""
        return len(self._connections)

    @property
    def port(self) -> int:
        """The port listened on; 0 before that."""
        return self._listener.getsockname()[1] if self._listener is not None else 0

    def listen(self, port: int) -> None:
        """Begin to listen.

        Raises:
            OSError: something else has the port.
        """
        listener = bind(port)
        listener.settimeout(0)
        self._listener = listener
        asyncio.get_running_loop().add_reader(listener, self._accept, listener)

    async def listen_at_last(
        self, port: int, *, trouble: Callable[[str], None] = _nothing, retry: float = RETRY
    ) -> None:
        """Begin to listen as soon as the port is free, however long it takes.

        Args:
            port: to listen on.
            trouble: is told why that is not yet possible, and then, by an empty text, that it is.
            retry: seconds between two attempts.
        """
        told = False
        while self._listener is None:
            try:
                self.listen(port)
            except OSError as error:
                if not told:
                    self._log("cannot listen", port=port, error=str(error))
                told = True
                trouble(f"port {port}: {error}")
                await asyncio.sleep(retry)
        trouble("")
        self._log("listening", port=self.port)

    def close(self) -> None:
        """Stop to listen and drop all connections."""
        if self._listener is not None:
            asyncio.get_running_loop().remove_reader(self._listener)
            self._listener.close()
            self._listener = None
        for task in self._starts:
            task.cancel()
        for connection in list(self._connections):
            connection.drop()

    def enter(self, connection: "Connection") -> bool:
        """Take a new connection in, if need be at the price of another; False refuses it."""
        if self._per_peer[connection.peer] >= MAX_PER_PEER:
            return False
        if len(self._connections) >= MAX_CONNECTIONS:
            self._make_room()
        self._connections[connection] = None
        self._per_peer[connection.peer] += 1
        return True

    def leave(self, connection: "Connection") -> None:
        """Forget a connection."""
        if connection not in self._connections:
            return
        del self._connections[connection]
        self._per_peer[connection.peer] -= 1
        if not self._per_peer[connection.peer]:
            del self._per_peer[connection.peer]

    async def answer(self, request: Request) -> Response:
        """Return the handler's answer, or an apology."""
        try:
            return await self._handler(request)
        except Exception as error:  # noqa: BLE001 # a mistake in one answer must not reach others
            self._log("mistake", path=request.path, error=f"{type(error).__name__}: {error}")
            return Response(500, b"mistake\n")

    def _make_room(self) -> None:
        """Drop the oldest connection, first without a request, of the peer that has most."""
        most = max(self._per_peer.values())
        candidates = [one for one in self._connections if self._per_peer[one.peer] == most]
        victim = next((one for one in candidates if not one.busy), candidates[0])
        victim.drop()
        self.leave(victim)

    def _accept(self, listener: socket.socket) -> None:
        # All at once, so that ``accepted`` never lags behind the kernel for longer than this.
        for _ in range(_BACKLOG):
            try:
                sock, _ = listener.accept()
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                # No descriptor or buffer left: the connection waits in the backlog meanwhile.
                self._log("cannot accept", error=str(error))
                loop = asyncio.get_running_loop()
                loop.remove_reader(listener)
                loop.call_later(1.0, self._resume, listener)
                return
            self.accepted += 1
            sock.settimeout(0)
            task: asyncio.Task[object] = asyncio.ensure_future(self._start(sock))
            self._starts.add(task)
            task.add_done_callback(self._starts.discard)

    def _resume(self, listener: socket.socket) -> None:
        if self._listener is listener:
            asyncio.get_running_loop().add_reader(listener, self._accept, listener)

    async def _start(self, sock: socket.socket) -> None:
        try:
            await asyncio.get_running_loop().connect_accepted_socket(lambda: Connection(self), sock)
        except OSError:
            sock.close()


class Connection(asyncio.Protocol):
    """One client, one request, one answer."""

    def __init__(self, server: Server) -> None:
        """Belong to ``server``."""
        self._server = server
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEADERS)
        self._transport: asyncio.Transport | None = None
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._request: h11.Request | None = None
        self._body = 0
        self.peer = ""

    @property
    def busy(self) -> bool:
        """A complete request is being answered."""
        return self._task is not None

    def drop(self) -> None:
        """Close at once, whatever is under way."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection in, or refuse it."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 # what a stream server gets
        self._transport = transport
        name = transport.get_extra_info("peername")
        self.peer = str(name[0]).removeprefix("::ffff:") if name else ""
        if not self._server.enter(self):
            transport.abort()
            return
        self._expire_after(self._server.patience)

    def data_received(self, data: bytes) -> None:
        """Take a part of the request; what comes after it is not read."""
        if self._task is not None or self._transport is None or self._transport.is_closing():
            return
        try:
            self._http.receive_data(data)
            self._read_events()
        except h11.RemoteProtocolError as error:
            self._send(Response(error.error_status_hint, b"not a request\n"))

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002 # the protocol's
        """Forget the client; nobody else is concerned."""
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None:
            self._task.cancel()
        self._server.leave(self)

    def _read_events(self) -> None:
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA or event is h11.PAUSED:
                if self._http.they_are_waiting_for_100_continue:
                    self._send(Response(417, b"no body is wanted\n"))
                return
            if isinstance(event, h11.Request):
                self._request = event
            elif isinstance(event, h11.Data):
                self._body += len(event.data)
                if self._body > MAX_BODY:
                    self._send(Response(413, b"no body is wanted\n"))
                    return
            elif isinstance(event, h11.EndOfMessage):
                self._task = asyncio.ensure_future(self._answer())
                return
            else:
                return

    async def _answer(self) -> None:
        assert self._request is not None  # noqa: S101 # a message has ended, so it had begun
        if self._timer is not None:
            self._timer.cancel()
        request = Request(
            method=self._request.method.decode("ascii"),
            path=self._request.target.decode("ascii").partition("?")[0],
            peer=self.peer,
        )
        self._send(await self._server.answer(request))

    def _send(self, response: Response) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        headers = [
            ("content-type", response.content_type),
            ("content-length", str(len(response.body))),
            ("connection", "close"),
        ]
        if response.allow:
            headers.append(("allow", response.allow))
        head = h11.Response(status_code=response.status, headers=headers)
        try:
            data = self._http.send(head) or b""
            if self._request is None or self._request.method != b"HEAD":
                data += self._http.send(h11.Data(data=response.body)) or b""
            data += self._http.send(h11.EndOfMessage()) or b""
        except h11.LocalProtocolError:
            # Its request was so wrong that no answer to it can be framed.
            self._transport.abort()
            return
        self._transport.write(data)
        self._transport.close()
        self._expire_after(self._server.patience)

    def _expire_after(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, self.drop)


def bind(port: int) -> socket.socket:
    """Return a socket that listens on ``port`` on all addresses; on IPv4 where that is all.

    Raises:
        OSError: something else has the port.
    """
    for family, address in ((socket.AF_INET6, "::"), (socket.AF_INET, "0.0.0.0")):  # noqa: S104 # the kubelet comes from the node
        try:
            listener = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        except OSError:
            if family is socket.AF_INET:
                raise
            continue
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family is socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            listener.bind((address, port))
            listener.listen(_BACKLOG)
        except OSError:
            listener.close()
            if family is socket.AF_INET:
                raise
            continue
        return listener
    raise AssertionError("unreachable")
