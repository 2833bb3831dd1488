"""The text files under /proc/net."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lossless.agent.addresses import local_address, pack, peer_address, peer_port
from lossless.agent.proc_net import (
    parse_gateways,
    parse_gateways6,
    parse_packets_received,
    parse_passive_opens,
    parse_tcp,
)
from lossless.model.drain.evidence import TcpState

HEADER = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  ...\n"
ESTABLISHED = (
    "   1: 0500010A:0050 0700020A:1267 01 00000004:00000003 00:00000000 00000000"
    " 65534        0 4242 1 00000000d13ffdbb 100 0 0 10 0\n"
)
MAPPED = (
    "   2: 0000000000000000FFFF00000500010A:0050 0000000000000000FFFF00000700020A:1267 01"
    " 00000000:00000000 00:00000000 00000000 65534        0 4242 1 00000000d13ffdbb 100 0 0 10 0\n"
)
WAITING = (
    "   3: 0500010A:0050 0700020A:1268 01 00000000:00000000 00:00000000 00000000"
    "     0        0 0 1 00000000d13ffdbb 100 0 0 10 0\n"
)
LISTENING = (
    "   0: 00000000:0050 00000000:0000 0A 00000000:00000002 00:00000000 00000000"
    "     0        0 77 1 00000000d13ffdbb 100 0 0 10 0\n"
)


def test_a_connection_is_read() -> None:
    """Addresses are words in the host's byte order, ports are not."""
    (found,) = parse_tcp(HEADER + ESTABLISHED, byteorder="little")

    assert (found.state, found.v6, found.port) == (TcpState.ESTABLISHED, False, 80)
    assert (local_address(found), peer_address(found)) == (pack("10.1.0.5"), pack("10.2.0.7"))
    assert peer_port(found) == 4711
    assert (found.unacked, found.unread, found.owned, found.info) == (4, 3, True, None)


def test_an_ipv4_client_of_an_ipv6_listener_is_an_ipv4_client() -> None:
    """A dual-stack listener has all its clients in the IPv6 file."""
    (found,) = parse_tcp(HEADER + MAPPED, byteorder="little")

    assert (local_address(found), peer_address(found)) == (pack("10.1.0.5"), pack("10.2.0.7"))


def test_byte_order_matters() -> None:
    """On a big-endian node the same address reads the other way round."""
    (found,) = parse_tcp(HEADER + ESTABLISHED.replace("0500010A", "0A010005"), byteorder="big")

    assert local_address(found) == pack("10.1.0.5")


def test_who_waits_to_be_accepted_has_no_owner() -> None:
    """Its inode is zero; and the listener's receive queue counts it."""
    listening, waiting = parse_tcp(HEADER + LISTENING + WAITING)

    assert (listening.state, listening.unread, waiting.owned) == (TcpState.LISTEN, 2, False)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("garbage", id="one-word"),
        pytest.param(ESTABLISHED[:60], id="cut-off"),
        pytest.param(ESTABLISHED.replace("0500010A", "0500"), id="half-an-address"),
        pytest.param(ESTABLISHED.replace("0500010A", "05.001.A"), id="not-hexadecimal"),
        pytest.param(ESTABLISHED.replace(":0050", ":FFFFF"), id="no-such-port"),
        pytest.param(ESTABLISHED.replace("4242", "-"), id="no-inode"),
    ],
)
def test_what_is_no_connection_is_a_value_error(line: str) -> None:
    """It makes the sample Unknown, never shorter."""
    with pytest.raises(ValueError, match="not a line of /proc/net/tcp"):
        list(parse_tcp(HEADER + line))


@given(st.text(max_size=200))
def test_any_text_is_read_or_a_value_error(text: str) -> None:
    """Of all the parsers of files that matter to the verdict."""
    for parse in (lambda: list(parse_tcp(text)), lambda: parse_packets_received(text)):
        try:
            parse()
        except ValueError:
            continue
    with pytest.raises(ValueError, match="PassiveOpens"):
        parse_passive_opens(text)


SNMP = """Ip: Forwarding DefaultTTL
Ip: 1 64
Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails
Tcp: 1 200 120000 -1 1789 894 44
Udp: InDatagrams
Udp: 9
"""


def test_accepted_connections_are_found_by_name() -> None:
    """Kernels add columns."""
    assert parse_passive_opens(SNMP) == 894


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param(SNMP.replace("PassiveOpens", "Opens"), id="no-such-column"),
        pytest.param(SNMP.replace("Tcp: 1", "Was: 1"), id="no-values"),
        pytest.param(SNMP.replace("894", "many"), id="not-a-number"),
        pytest.param(SNMP.replace("1789 894 44", "1789"), id="too-few-values"),
    ],
)
def test_a_missing_counter_is_a_value_error(text: str) -> None:
    """Not zero."""
    with pytest.raises(ValueError, match="PassiveOpens"):
        parse_passive_opens(text)


DEV = """Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs
    lo: 83190723  276154    0    0    0     0          0         0 83190723  276154    0
  eth0: 1490613046   77724    0    0    0     0          0         0  5705814   54507    0
  net1:1   6    0    0    0     0          0         0  5705814   54507    0
"""


def test_packets_from_outside_are_those_of_all_other_interfaces() -> None:
    """Loopback apart; a name may touch its first number."""
    assert parse_packets_received(DEV) == 77730


def test_an_unreadable_interface_is_a_value_error() -> None:
    """Not zero packets."""
    with pytest.raises(ValueError, match="not a line of /proc/net/dev"):
        parse_packets_received(DEV + "  eth1: many\n")


ROUTE = """Iface Destination Gateway  Flags RefCnt Use Metric Mask     MTU Window IRTT
eth0  00000000    010A010A 0003  0      0   0      00000000 0   0      0
eth0  000A010A    00000000 0001  0      0   0      00FFFFFF 0   0      0
eth0  000B010A    020A010A 0003  0      0   0      00FFFFFF 0   0      0
junk
"""


def test_the_default_gateway_is_the_node() -> None:
    """Only the default route's; a line that is not understood is no reason to know nothing."""
    assert parse_gateways(ROUTE, byteorder="little") == {pack("10.1.10.1")}


ROUTE6 = (
    "00000000000000000000000000000000 00 00000000000000000000000000000000 00"
    " fe800000000000000000000000000001 00000400 00000001 00000000 00000003     eth0\n"
    "fd000000000000000000000000000000 40 00000000000000000000000000000000 00"
    " 00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth0\n"
    "00000000000000000000000000000000 00 00000000000000000000000000000000 00"
    " 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo\n"
    "junk\n"
)


def test_the_default_gateway_of_ipv6() -> None:
    """The unreachable default of loopback is none."""
    assert parse_gateways6(ROUTE6) == {pack("fe80::1")}


def _mangled(text: str) -> st.SearchStrategy[str]:
    """Return texts of which a part was replaced by some of its own characters, or by any."""
    pieces = st.text(alphabet=sorted(set(text)), max_size=12) | st.text(max_size=4)
    cuts = st.tuples(st.integers(0, len(text)), st.integers(0, len(text)), pieces)
    return cuts.map(lambda cut: text[: min(cut[:2])] + cut[2] + text[max(cut[:2]) :])


@given(_mangled(SNMP), _mangled(DEV), _mangled(HEADER + ESTABLISHED))
def test_a_damaged_file_is_read_or_a_value_error(snmp: str, dev: str, tcp: str) -> None:
    """No file of the kernel's makes its parser fail in another way."""
    for parse in (
        lambda: parse_passive_opens(snmp),
        lambda: parse_packets_received(dev),
        lambda: list(parse_tcp(tcp)),
    ):
        try:
            parse()
        except ValueError:
            continue


@given(st.text(max_size=200) | _mangled(ROUTE) | _mangled(ROUTE6))
@example("junk\neth0 00000000 0FF010A010A 0003\n")
@example("zz 00 x x fe800000000000000000000000000001\n")
def test_any_routes_are_read(text: str) -> None:
    """Not knowing the node's address only makes probes count as clients."""
    parse_gateways(text)
    parse_gateways6(text)
