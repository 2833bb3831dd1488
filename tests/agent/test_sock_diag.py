"""The wire format of sock_diag, against the kernel's own rules for it."""

import errno
import os
import struct
from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lossless.agent.sock_diag import (
    AF_INET,
    AF_INET6,
    MAX_FILTER_PORTS,
    STATES,
    dump_request,
    parse_dump,
    port_filter,
)
from lossless.model.drain.evidence import Socket, TcpInfo, TcpState
from tests.agent.builders import name

PORTS = st.integers(min_value=1, max_value=65535)


def operations(program: bytes, at: int) -> tuple[int, int, int]:
    """Return code, true jump and false jump of the operation at an offset."""
    code, yes, no = struct.unpack_from("=BBH", program, at)
    return code, yes, no


def run(program: bytes, local: int, peer: int) -> bool:
    """Interpret a filter as ``inet_diag_bc_run`` in Linux ``net/ipv4/inet_diag.c`` does."""
    at = 0
    while at < len(program):
        code, yes, no = operations(program, at)
        port = struct.unpack_from("=H", program, at + 6)[0] if code in (2, 3, 4, 5) else 0
        true = {
            1: False,
            2: local >= port,
            3: local <= port,
            4: peer >= port,
            5: peer <= port,
        }[code]
        at += yes if true else no
    return at == len(program)


def audit(program: bytes) -> bool:
    """Tell whether the kernel would take the filter, as ``inet_diag_bc_audit`` decides."""
    length = len(program)
    true_path = set()
    at = 0
    while at < length:
        true_path.add(at)
        at += operations(program, at)[1]
    true_path.add(length)
    for at in sorted(true_path - {length}):
        code, yes, no = operations(program, at)
        least = 8 if code in (2, 3, 4, 5) else 4
        rest = length - at
        if not least <= yes <= rest + 4 or yes % 4:
            return False
        if not least <= no <= rest + 4 or no % 4:
            return False
        if no < rest and at + no not in true_path:
            return False
    return max(true_path) == length


@given(st.lists(PORTS, min_size=1, max_size=MAX_FILTER_PORTS, unique=True), PORTS, PORTS)
@example([80], 80, 4711)
@example([80], 81, 4711)
@example([1, 65535], 65535, 2)
def test_the_filter_finds_its_ports_on_either_side(ports: list[int], local: int, peer: int) -> None:
    """Inbound connections have the port on our side, their other ends inside the pod on theirs."""
    for mine, theirs in [(local, peer), (ports[0], peer), (local, ports[-1])]:
        assert run(port_filter(ports), mine, theirs) is (mine in ports or theirs in ports)


@given(st.lists(PORTS, min_size=1, max_size=MAX_FILTER_PORTS, unique=True))
def test_the_kernels_audit_takes_the_filter(ports: list[int]) -> None:
    """It wants every jump to land on the path of true conditions."""
    assert audit(port_filter(ports))


def test_a_request_without_filter_is_72_bytes() -> None:
    """A header of 16 bytes and an ``inet_diag_req_v2`` of 56."""
    request = dump_request(AF_INET, (TcpState.LISTEN,))

    assert struct.unpack_from("=IHHII", request) == (72, 20, 0x301, 1, 0)
    assert struct.unpack_from("=BBBBI", request, 16) == (AF_INET, 6, 2, 0, 1 << 10)


@pytest.mark.parametrize(
    ("count", "filtered"),
    [
        pytest.param(1, True, id="one-port"),
        pytest.param(MAX_FILTER_PORTS, True, id="most"),
        pytest.param(MAX_FILTER_PORTS + 1, False, id="too-many"),
    ],
)
def test_many_ports_are_not_filtered_in_the_kernel(count: int, filtered: bool) -> None:  # noqa: FBT001 # a column
    """Then every socket would be tried against each of them."""
    request = dump_request(AF_INET6, STATES, range(1, count + 1))

    assert (len(request) > 72) is filtered
    assert struct.unpack_from("=I", request)[0] == len(request)


def message(kind: int, body: bytes, flags: int = 2) -> bytes:
    """Return one netlink message, padded."""
    return struct.pack("=IHHII", 16 + len(body), kind, flags, 1, 99) + body + bytes(-len(body) % 4)


def attribute(kind: int, body: bytes) -> bytes:
    """Return one attribute, padded."""
    return struct.pack("=HH", 4 + len(body), kind) + body + bytes(-len(body) % 4)


def tcp_info(length: int = 280) -> bytes:
    """Return a ``struct tcp_info`` in which each used field has a value of its own."""
    raw = bytearray(280)
    for offset, value in ((44, 11), (52, 22), (56, 33), (68, 44), (136, 90), (152, 66), (156, 77)):
        struct.pack_into("=I", raw, offset, value)
    struct.pack_into("=Q", raw, 128, 5_000_000_000)
    raw[5] = 32 | 3
    return bytes(raw[:length])


INFO = TcpInfo(11, 22, 33, 44, 5_000_000_000, 66, 77, 13, fast_open=True)


def diag_message(
    *attributes: bytes,
    family: int = AF_INET,
    state: TcpState = TcpState.ESTABLISHED,
    names: bytes = name("10.1.0.5", 80, "10.2.0.7", 4711),
    inode: int = 5,
    queues: Sequence[int] = (3, 4),
) -> bytes:
    """Return an ``inet_diag_msg`` with attributes."""
    body = struct.pack("=BBBB", family, state, 2, 0) + names + struct.pack("=IQ", 1, 2**40)
    return body + struct.pack("=IIIII", 999, *queues, 65534, inode) + b"".join(attributes)


def test_a_socket_is_read() -> None:
    """Every field from its own place, whatever attributes stand before the one that is used."""
    body = diag_message(attribute(8, b"\0"), attribute(2, tcp_info()), attribute(21, bytes(8)))
    done = message(3, bytes(4))

    found, last = parse_dump(message(20, body) + done)

    assert last
    assert found == [
        Socket(1, False, name("10.1.0.5", 80, "10.2.0.7", 4711), 80, 2**40, 3, 4, True, INFO)  # noqa: FBT003 # as the parser builds it
    ]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(diag_message(inode=0), {"owned": False, "info": None}, id="not-accepted"),
        pytest.param(
            diag_message(attribute(2, tcp_info(104))), {"info": None}, id="an-old-kernels-tcp-info"
        ),
        pytest.param(
            diag_message(attribute(2, tcp_info(160))), {"info": INFO}, id="the-shortest-that-serves"
        ),
        pytest.param(
            diag_message(attribute(2, tcp_info()), state=TcpState.LISTEN),
            {"info": None, "state": 10},
            id="a-listener",
        ),
        pytest.param(diag_message(family=AF_INET6), {"v6": True}, id="ipv6"),
    ],
)
def test_details_of_a_socket(body: bytes, expected: dict[str, object]) -> None:
    """What the judgement rests on."""
    (found,), last = parse_dump(message(20, body))

    assert not last
    assert {key: getattr(found, key) for key in expected} == expected


@pytest.mark.parametrize(
    ("state", "found"),
    [
        pytest.param(TcpState.ESTABLISHED, 0, id="established"),
        pytest.param(TcpState.TIME_WAIT, 1, id="time-wait-tells-of-the-other-end-too"),
    ],
)
def test_other_ports_are_left_out_early(state: TcpState, found: int) -> None:
    """An application's outbound connections may be many."""
    assert len(parse_dump(message(20, diag_message(state=state)), {443})[0]) == found


def test_a_refusal_is_an_os_error() -> None:
    """With the kernel's own number."""
    with pytest.raises(PermissionError) as caught:
        parse_dump(message(2, struct.pack("=i", -errno.EPERM) + bytes(16)))

    assert caught.value.strerror == os.strerror(errno.EPERM)


@pytest.mark.parametrize(
    "before",
    [
        pytest.param(b"", id="no-module-for-it"),
        pytest.param(message(20, diag_message()), id="after-some-sockets"),
    ],
)
def test_a_dump_that_fails_in_the_kernel_is_an_os_error(before: bytes) -> None:
    """It ends as if it were whole, but with a number: a node without tcp_diag has no zero."""
    with pytest.raises(FileNotFoundError) as caught:
        parse_dump(before + message(3, struct.pack("=i", -errno.ENOENT)))

    assert caught.value.errno == errno.ENOENT


@pytest.mark.parametrize("number", [pytest.param(0, id="zero"), pytest.param(7, id="above")])
def test_other_ends_are_ends(number: int) -> None:
    """Only a negative number is an errno."""
    assert parse_dump(message(3, struct.pack("=i", number))) == ([], True)


@given(st.integers(min_value=-(2**31), max_value=-1))
def test_any_failure_at_the_end_is_an_os_error(number: int) -> None:
    """Even one with a number that no system has."""
    with pytest.raises(OSError):  # noqa: PT011 # any of its kinds
        parse_dump(message(3, struct.pack("=i", number)))


@given(st.integers(min_value=-(2**31), max_value=2**31 - 1))
def test_any_refusal_is_an_os_error(number: int) -> None:
    """Even one with a number that no system has."""
    with pytest.raises(OSError):  # noqa: PT011 # any of its kinds
        parse_dump(message(2, struct.pack("=i", number)))


def test_an_inconsistent_dump_is_no_answer() -> None:
    """The kernel says so itself, with NLM_F_DUMP_INTR."""
    with pytest.raises(InterruptedError):
        parse_dump(message(20, diag_message(), flags=2 | 0x10))


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\1", id="half-a-header"),
        pytest.param(message(20, diag_message())[:60], id="cut-off"),
        pytest.param(message(20, bytes(20)), id="half-a-socket"),
        pytest.param(message(20, diag_message(struct.pack("=HH", 2, 2))), id="attribute-too-short"),
        pytest.param(
            message(20, diag_message(struct.pack("=HH", 900, 2))), id="attribute-too-long"
        ),
        pytest.param(struct.pack("=IHHII", 3, 20, 2, 1, 1), id="length-below-its-header"),
        pytest.param(message(2, b"\0")[:17], id="an-error-without-a-number"),
        pytest.param(message(3, b""), id="an-end-without-a-number"),
        pytest.param(message(3, b"\0\0") + bytes(16), id="an-end-with-half-a-number"),
    ],
)
def test_what_is_no_dump_is_a_value_error(data: bytes) -> None:
    """It makes the sample Unknown, never shorter."""
    with pytest.raises(ValueError):  # noqa: PT011 # ours and struct's texts
        parse_dump(data)


@given(st.binary(max_size=400))
def test_any_bytes_are_a_dump_or_an_expected_error(data: bytes) -> None:
    """The kernel is not an enemy, but its next version is unknown."""
    try:
        parse_dump(data)
    except (OSError, ValueError):
        return


@given(st.data())
def test_a_damaged_dump_never_loops_or_fails_otherwise(data: st.DataObject) -> None:
    """One byte changed anywhere."""
    whole = message(20, diag_message(attribute(8, b"\0"), attribute(2, tcp_info()))) * 2
    at = data.draw(st.integers(min_value=0, max_value=len(whole) - 1))
    value = data.draw(st.integers(min_value=0, max_value=255))
    try:
        parse_dump(whole[:at] + bytes([value]) + whole[at + 1 :])
    except (OSError, ValueError):
        return
