"""The kernel's own answers, about real connections on loopback."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from lossless.agent.addresses import is_loopback, peer_address, peer_port
from lossless.agent.sock_diag import AF_INET, NETLINK_SOCK_DIAG, dump_request, parse_dump
from lossless.agent.sockets import Sockets
from lossless.model.drain.evidence import Socket, Standing, TcpState, assess, follow
from tests.support.free_ports import free_port
from tests.support.waiting import eventually_sync


def netlink_works() -> bool:
    """Tell whether this machine lets us ask sock_diag."""
    sockets = Sockets()
    list(sockets.read(()))
    return sockets.source == "sock_diag"


needs_netlink = pytest.mark.skipif(not netlink_works(), reason="sock_diag is not to be had here")
#: A netlink family that no kernel has.
NO_SUCH_PROTOCOL = 31
#: For experiments (RFC 3692): no kernel has a module that lists its sockets.
NO_TCP = 253
SOURCES = [
    pytest.param(Sockets(), id="sock_diag", marks=needs_netlink),
    pytest.param(Sockets(protocol=None), id="proc"),
]
FAMILIES = [
    pytest.param("127.0.0.1", socket.AF_INET, id="ipv4"),
    pytest.param(
        "::1",
        socket.AF_INET6,
        id="ipv6",
        marks=pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="no IPv6 here"),
    ),
]


def read(sockets: Sockets, port: int) -> tuple[list[Socket], list[Socket]]:
    """Return the listeners on a port and the connections to it.

    Without history: the port may have been another test's a moment ago.
    """
    reading = sockets.read({port})
    listeners = next(reading)
    found = [one for batch in reading for one in batch]
    return (
        [one for one in listeners if one.port == port],
        [one for one in found if one.port == port and one.state != TcpState.TIME_WAIT],
    )


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """Close everything that a test opens."""
    with ExitStack() as opened:
        yield opened


def listen(
    stack: ExitStack, address: str = "127.0.0.1", family: int = socket.AF_INET
) -> socket.socket:
    """Return a listening socket on a free port."""
    return stack.enter_context(
        closing(socket.create_server((address, 0), family=socket.AddressFamily(family), backlog=64))
    )


def connect(stack: ExitStack, listener: socket.socket) -> socket.socket:
    """Return a connected client."""
    client = stack.enter_context(closing(socket.create_connection(listener.getsockname()[:2])))
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client


@pytest.mark.parametrize("sockets", SOURCES)
@pytest.mark.parametrize(("address", "family"), FAMILIES)
def test_a_connection_is_found(
    stack: ExitStack, sockets: Sockets, address: str, family: int
) -> None:
    """With its listener, its peer, and who has it."""
    listener = listen(stack, address, family)
    client = connect(stack, listener)
    server = stack.enter_context(closing(listener.accept()[0]))
    client.sendall(b"question")
    eventually_sync(lambda: server.recv(99, socket.MSG_PEEK))
    (listening,), (found,) = read(sockets, listener.getsockname()[1])

    assert (listening.state, listening.unread) == (TcpState.LISTEN, 0)
    assert (found.state, found.owned, found.unread) == (TcpState.ESTABLISHED, True, 8)
    assert peer_port(found) == client.getsockname()[1]
    assert is_loopback(peer_address(found))


@pytest.mark.parametrize("sockets", SOURCES)
def test_who_waits_to_be_accepted_is_told_twice(stack: ExitStack, sockets: Sockets) -> None:
    """The listener has a backlog, and the connection no owner."""
    listener = listen(stack)
    connect(stack, listener)
    connect(stack, listener)
    (listening,), found = read(sockets, listener.getsockname()[1])

    assert listening.unread == 2
    assert [one.owned for one in found] == [False, False]


@needs_netlink
def test_a_client_of_a_dual_stack_listener_is_found(stack: ExitStack) -> None:
    """It is an IPv6 socket with an IPv4 client."""
    if not socket.has_dualstack_ipv6():
        pytest.skip("no IPv6 here")
    listener = stack.enter_context(
        closing(socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True))
    )
    port = listener.getsockname()[1]
    stack.enter_context(closing(socket.create_connection(("127.0.0.1", port))))
    _, (found,) = read(Sockets(), port)

    assert found.v6
    assert is_loopback(peer_address(found))
    assert len(peer_address(found)) == 4


@needs_netlink
@pytest.mark.parametrize("count", [pytest.param(3, id="filtered"), pytest.param(30, id="all")])
def test_connections_of_many_ports_are_found(stack: ExitStack, count: int) -> None:
    """By the kernel's filter for a few ports, by ours for many."""
    listeners = [listen(stack) for _ in range(count)]
    for one in listeners:
        connect(stack, one)
    ports = {one.getsockname()[1] for one in listeners}
    sockets = Sockets()
    found = {one.port for batch in sockets.read(ports) for one in batch if one.state == 1}

    assert found >= ports


@needs_netlink
def test_history_keeps_its_cookie(stack: ExitStack) -> None:
    """Else each look would take the same TIME_WAIT socket for a new connection."""
    listener = listen(stack)
    client = connect(stack, listener)
    server = listener.accept()[0]
    server.close()
    client.recv(1)
    port, far_port = listener.getsockname()[1], client.getsockname()[1]
    client.close()

    def history() -> list[int]:
        return [
            one.cookie
            for batch in Sockets().read({port})
            for one in batch
            if one.state == TcpState.TIME_WAIT and (one.port, peer_port(one)) == (port, far_port)
        ]

    eventually_sync(history)
    (first,), (second,) = history(), history()

    assert first == second != 0


def test_without_sock_diag_the_files_are_read(stack: ExitStack) -> None:
    """Some sandboxes have no netlink; what they lack is said."""
    listener = listen(stack)
    connect(stack, listener)
    sockets = Sockets(protocol=NO_SUCH_PROTOCOL)
    (_,), (found,) = read(sockets, listener.getsockname()[1])

    assert (sockets.source, found.info) == ("proc", None)
    assert "Protocol not supported" in sockets.refusal


@needs_netlink
def test_a_protocol_without_a_module_is_refused_at_the_end_of_its_dump() -> None:
    """So this machine's kernel answers for TCP, too, where tcp_diag is missing."""
    request = bytearray(dump_request(AF_INET, (TcpState.LISTEN,)))
    request[17] = NO_TCP
    kind = socket.SOCK_RAW | socket.SOCK_CLOEXEC
    with socket.socket(socket.AF_NETLINK, kind, NETLINK_SOCK_DIAG) as netlink:
        netlink.settimeout(5.0)
        netlink.sendto(request, (0, 0))
        data = netlink.recv(65536)

    assert struct.unpack_from("=H", data, 4) == (3,)
    with pytest.raises(FileNotFoundError):
        parse_dump(data)


@needs_netlink
def test_a_source_that_hides_our_own_listener_is_not_read(tmp_path: Path) -> None:
    """Whoever shows too little of what we know may hide clients, too."""
    port = free_port()
    (tmp_path / "tcp").write_text(
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout"
        f" inode\n   0: 00000000:{port:04X} 00000000:0000 0A 00000000:00000000 00:00000000 00000000"
        "     0        0 1 1 0000000000000000 100 0 0 10 0\n"
    )
    sockets = Sockets(str(tmp_path), own=lambda: port)

    assert [one.port for one in next(sockets.read(()))] == [port]
    assert sockets.source == "proc"
    assert f"does not show our own listener on port {port}" in sockets.refusal


@pytest.mark.parametrize("protocol", [NETLINK_SOCK_DIAG, None], ids=["sock_diag", "proc"])
def test_where_no_source_shows_our_own_listener_nothing_is_known(
    stack: ExitStack, protocol: int | None
) -> None:
    """No look at all, where an empty one would release the pod; with it, all is well."""
    own = [free_port()]
    sockets = Sockets(protocol=protocol, own=lambda: own[0])
    with pytest.raises(OSError, match="our own listener"):
        next(sockets.read(()))

    own[0] = listen(stack).getsockname()[1]
    assert own[0] in {one.port for one in next(sockets.read(()))}


def test_if_nothing_can_be_read_that_is_an_error(tmp_path: Path) -> None:
    """Never an empty list."""
    sockets = Sockets(str(tmp_path), protocol=None)

    with pytest.raises(FileNotFoundError):
        list(sockets.read(()))
    with pytest.raises(FileNotFoundError):
        sockets.counters()


def test_a_kernel_without_ipv6_has_no_file_for_it(tmp_path: Path) -> None:
    """But where there is IPv6, a missing file is an error."""
    (tmp_path / "tcp").write_text("  sl  local_address\n")
    sockets = Sockets(str(tmp_path), protocol=None)

    assert list(sockets.read(())) == [[], []]
    (tmp_path / "if_inet6").write_text("")
    with pytest.raises(FileNotFoundError):
        list(sockets.read(()))


def test_a_connection_that_nobody_sees_is_counted(stack: ExitStack) -> None:
    """However short it is."""
    sockets = Sockets()
    before = sockets.counters()
    listener = listen(stack)
    connect(stack, listener).close()

    assert sockets.counters().passive_opens > before.passive_opens


def answer(server: socket.socket, times: int) -> None:
    """Answer some requests at once, with more than fits into one segment of a real network."""
    for _ in range(times):
        server.recv(9999)
        server.sendall(b"a" * 3000)


def ask(client: socket.socket, times: int) -> None:
    """Ask and wait for the answer, some times."""
    for _ in range(times):
        client.sendall(b"question")
        left = 3000
        while left:
            left -= len(client.recv(left))


def converse(stack: ExitStack, count: int, times: int, *, again: bool) -> int:
    """Return a port with clients, all answered at once; some ask again just as quickly."""
    listener = listen(stack)
    for _ in range(count):
        client = connect(stack, listener)
        server = stack.enter_context(closing(listener.accept()[0]))
        thread = threading.Thread(target=answer, args=(server, times))
        thread.start()
        ask(client, times)
        if again:
            client.sendall(b"question")
        thread.join()
    port: int = listener.getsockname()[1]
    return port


def looks(port: int) -> list[tuple[Standing, float]]:
    """Return standing and seconds of silence of all connections to a port, at first sight."""
    found = read(Sockets(), port)[1]
    return [assess(one._replace(unread=0), follow(None, one, 0.0), 0.0) for one in found]


@needs_netlink
@pytest.mark.parametrize("times", [1, 2, 7])
def test_answered_clients_become_idle(stack: ExitStack, times: int) -> None:
    """Though question and answer fall into one tick, the kernel's acknowledgements tell.

    Not for every one of them if the machine is so busy that an answer takes 40 ms: then the next
    question is acknowledged bare.
    """
    port = converse(stack, 20, times, again=False)

    def settled() -> bool:
        found = [standing for standing, _ in looks(port)]
        return Standing.ACTIVE not in found and found.count(Standing.IDLE) >= 10

    eventually_sync(settled, "idle")


@needs_netlink
@pytest.mark.parametrize("times", [1, 2, 7])
def test_clients_that_ask_again_at_once_are_never_idle(stack: ExitStack, times: int) -> None:
    """Long polls: the next question comes in the tick of the last answer, and waits for ever.

    This holds the judgement to what this machine's kernel does, not to what it is said to do.
    """
    port = converse(stack, 40, times, again=True)

    def settled() -> bool:
        found = looks(port)
        assert len(found) == 40
        assert Standing.IDLE not in [standing for standing, _ in found]
        return min(silent for _, silent in found) > 1.5

    eventually_sync(settled, "silent for long enough to be judged")
