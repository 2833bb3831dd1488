"""The wire format of ``NETLINK_SOCK_DIAG``: requests out, sockets in. No I/O.

Source: Linux ``include/uapi/linux/{netlink,sock_diag,inet_diag,tcp}.h``. Integers are in the
host's byte order but for ports and addresses, which are in network order.
"""

import errno
import os
from collections.abc import Collection, Container
from struct import Struct, error
from typing import Final

from lossless.model.drain.evidence import Socket, TcpInfo, TcpState

NETLINK_SOCK_DIAG: Final = 4
AF_INET: Final = 2
AF_INET6: Final = 10

_SOCK_DIAG_BY_FAMILY: Final = 20
_REQUEST_AND_DUMP: Final = 0x301
_NLMSG_ERROR: Final = 2
_NLMSG_DONE: Final = 3
_MAX_ERRNO: Final = 4096
#: The kernel met a change while it dumped: what it has sent is not one consistent answer.
_NLM_F_DUMP_INTR: Final = 0x10
_IPPROTO_TCP: Final = 6
_INET_DIAG_INFO: Final = 2
_INET_DIAG_REQ_BYTECODE: Final = 1

_HEADER: Final = Struct("=IHHII")
_REQUEST: Final = Struct("=BBBBI48x")
_ATTRIBUTE: Final = Struct("=HH")
_ERROR: Final = Struct("=i")
#: Family, state; the two bytes of the local port; cookie; unread, unacked, inode.
_SOCKET: Final = Struct("=BB2xBB38xQ4xII4xI")
#: Options; ages of data sent, data received and acknowledgement received; rtt; bytes received;
#: segments out, data segments in, data segments out.
_TCP_INFO: Final = Struct("=5xB38xI4xII8xI56xQI12xII")
_TCPI_OPT_SYN_DATA: Final = 32

#: States that tell something of an inbound connection.
STATES: Final = (
    TcpState.ESTABLISHED,
    TcpState.SYN_RECV,
    TcpState.FIN_WAIT1,
    TcpState.FIN_WAIT2,
    TcpState.TIME_WAIT,
    TcpState.CLOSE_WAIT,
    TcpState.LAST_ACK,
    TcpState.CLOSING,
)

_LISTEN: Final = int(TcpState.LISTEN)
_TIME_WAIT: Final = int(TcpState.TIME_WAIT)

_JUMP: Final = 1
_S_GE: Final = 2
_S_LE: Final = 3
_D_GE: Final = 4
_D_LE: Final = 5
_CONDITION: Final = Struct("=BBHBBH")
_OPERATION: Final = Struct("=BBH")
#: Each socket of the namespace is tried against every port.
MAX_FILTER_PORTS: Final = 16


def dump_request(
    family: int, states: Collection[TcpState], ports: Collection[int] | None = None
) -> bytes:
    """Return a request for all TCP sockets in ``states``.

    Args:
        family: ``AF_INET`` or ``AF_INET6``.
        states: wanted ones; ``tcp_info`` comes with every socket that has it.
        ports: the kernel leaves out sockets with none of these ports on either side. None, or
            more than ``MAX_FILTER_PORTS``: no filter.
    """
    mask = sum(1 << state for state in states)
    body = _REQUEST.pack(family, _IPPROTO_TCP, 1 << (_INET_DIAG_INFO - 1), 0, mask)
    if ports is not None and len(ports) <= MAX_FILTER_PORTS:
        program = port_filter(ports)
        body += _ATTRIBUTE.pack(4 + len(program), _INET_DIAG_REQ_BYTECODE) + program
    size = _HEADER.size + len(body)
    return _HEADER.pack(size, _SOCK_DIAG_BY_FAMILY, _REQUEST_AND_DUMP, 1, 0) + body


def port_filter(ports: Collection[int]) -> bytes:
    """Return ``inet_diag`` bytecode that accepts a socket with one of ``ports`` on either side.

    An operation is its code and two relative jumps, if true and if false; that of a condition is
    followed by one that only holds the port. The kernel's audit wants every operation on the
    path of the true ones, so true goes on to the next operation and only false jumps. A jump to
    exactly the end accepts, four bytes beyond it rejects. (There is an operation for equality,
    but only since Linux 4.16.)
    """
    tests = [(_S_GE, _S_LE, port) for port in ports] + [(_D_GE, _D_LE, port) for port in ports]
    size, block = _CONDITION.size, 2 * _CONDITION.size + _OPERATION.size
    rest = block * len(tests)
    program = b""
    for at_least, at_most, port in tests:
        to_next = block if rest > block else rest + 4
        program += _CONDITION.pack(at_least, size, to_next, 0, 0, port)
        program += _CONDITION.pack(at_most, size, to_next - size, 0, 0, port)
        program += _OPERATION.pack(_JUMP, _OPERATION.size, rest - 2 * size)
        rest -= block
    return program


def parse_dump(data: bytes, ports: Container[int] | None = None) -> tuple[list[Socket], bool]:
    """Return the sockets in one datagram of a dump, and whether it was the last.

    Args:
        data: the datagram.
        ports: sockets with another local port are left out, but for those in TIME_WAIT.

    Raises:
        OSError: the kernel refused, failed on the way, or its answer is not consistent.
        ValueError: not the format of a dump.
    """
    try:
        return _parse(data, ports)
    except error as problem:
        raise ValueError(f"not a sock_diag dump: {problem}") from problem


def _parse(data: bytes, ports: Container[int] | None) -> tuple[list[Socket], bool]:
    found: list[Socket] = []
    at = 0
    end = len(data)
    while at < end:
        length, kind, flags, _, _ = _HEADER.unpack_from(data, at)
        if not _HEADER.size <= length <= end - at:
            raise ValueError(f"a message of {length} bytes where {end - at} are left")
        if flags & _NLM_F_DUMP_INTR:
            raise InterruptedError(errno.EINTR, "the dump was interrupted by a change")
        if kind == _SOCK_DIAG_BY_FAMILY:
            sock = _parse_socket(data, at + _HEADER.size, at + length, ports)
            if sock is not None:
                found.append(sock)
        elif kind == _NLMSG_DONE:
            # A dump that fails in the kernel ends like any other, but for its number: without a
            # module for the protocol that is ENOENT, and no socket before it.
            code = _number(data, at, length)
            if code < 0:
                raise _refusal(code)
            return found, True
        elif kind == _NLMSG_ERROR:
            raise _refusal(_number(data, at, length))
        at += (length + 3) & ~3
    return found, False


def _number(data: bytes, at: int, length: int) -> int:
    """Return the errno that an end or an error carries: negative, or 0 for none."""
    if length < _HEADER.size + _ERROR.size:
        raise ValueError(f"an end of {length} bytes; it takes {_HEADER.size + _ERROR.size}")
    number: int = _ERROR.unpack_from(data, at + _HEADER.size)[0]
    return number


def _refusal(number: int) -> OSError:
    code = -number
    return OSError(code, os.strerror(code) if 0 < code < _MAX_ERRNO else f"error {code}")


def _parse_socket(data: bytes, at: int, end: int, ports: Container[int] | None) -> Socket | None:
    if end - at < _SOCKET.size:
        raise ValueError(f"a socket of {end - at} bytes; it takes {_SOCKET.size}")
    family, state, high, low, cookie, unread, unacked, inode = _SOCKET.unpack_from(data, at)
    port = high << 8 | low
    if ports is not None and port not in ports and state != _TIME_WAIT:
        return None
    info = None
    attribute = at + _SOCKET.size
    while attribute + 4 <= end:
        length, kind = _ATTRIBUTE.unpack_from(data, attribute)
        if not 4 <= length <= end - attribute:  # noqa: PLR2004 # an attribute's own header
            raise ValueError(f"an attribute of {length} bytes where {end - attribute} are left")
        if kind == _INET_DIAG_INFO:
            # Kernels before 4.6 tell too little to prove anything; of a listener it says nothing.
            if length - 4 >= _TCP_INFO.size and state != _LISTEN:
                info = _parse_info(data, attribute + 4)
            break
        attribute += (length + 3) & ~3
    name = data[at + 4 : at + 40]
    return Socket(state, family == AF_INET6, name, port, cookie, unread, unacked, inode != 0, info)


def _parse_info(data: bytes, at: int) -> TcpInfo:
    options, sent, received, acked, rtt, bytes_in, out, data_in, data_out = _TCP_INFO.unpack_from(
        data, at
    )
    fast_open = options & _TCPI_OPT_SYN_DATA != 0
    bare = (out - data_out) & 0xFFFFFFFF
    return TcpInfo(sent, received, acked, rtt, bytes_in, data_in, data_out, bare, fast_open)
