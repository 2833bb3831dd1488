"""The text files under ``/proc/net``, parsed. No I/O.

Source: Linux ``Documentation/networking/proc_net_tcp.rst`` and ``net/ipv4/proc.c``.
"""

import sys
from collections.abc import Iterator
from typing import Final

from lossless.model.drain.evidence import Socket

_TCP4_ADDRESS: Final = 8
_TCP6_ADDRESS: Final = 32
_LOOPBACK: Final = "lo"
_GATEWAY: Final = 0x2


def parse_tcp(text: str, *, byteorder: str = sys.byteorder) -> Iterator[Socket]:
    """Yield the sockets of ``/proc/net/tcp`` or ``/proc/net/tcp6``.

    They carry no ages, no counters and no cookie, so none of them can be proven idle.

    Raises:
        ValueError: a line is not in the format.
    """
    lines = iter(text.splitlines())
    next(lines, None)
    for line in lines:
        fields = line.split()
        if not fields:
            continue
        try:
            local, port = _endpoint(fields[1], byteorder)
            peer, peer_port = _endpoint(fields[2], byteorder)
            unacked, unread = fields[4].split(":")
            yield Socket(
                int(fields[3], 16),
                len(local) == 16,  # noqa: PLR2004 # an IPv6 address
                port.to_bytes(2, "big")
                + peer_port.to_bytes(2, "big")
                + local.ljust(16, b"\0")
                + peer.ljust(16, b"\0"),
                port,
                0,
                int(unread, 16),
                int(unacked, 16),
                int(fields[9]) != 0,
                None,
            )
        except (IndexError, ValueError, OverflowError) as error:
            raise ValueError(f"not a line of /proc/net/tcp: {line!r:.80}: {error}") from error


def parse_passive_opens(text: str) -> int:
    """Return from ``/proc/net/snmp`` how many connections the namespace has ever accepted.

    The kernel counts at the end of each handshake, so not even a connection shorter than the
    time between two samples escapes.

    Raises:
        ValueError: the counter is not there.
    """
    rows = [line.split() for line in text.splitlines() if line.startswith("Tcp:")]
    try:
        names, values = rows
        return int(values[names.index("PassiveOpens")])
    except (ValueError, IndexError) as error:
        raise ValueError(f"/proc/net/snmp has no Tcp PassiveOpens: {error}") from error


def parse_packets_received(text: str) -> int:
    """Return from ``/proc/net/dev`` how many packets came in on all interfaces but loopback.

    Raises:
        ValueError: a line is not in the format.
    """
    total = 0
    for line in text.splitlines()[2:]:
        name, colon, numbers = line.partition(":")
        if name.strip() == _LOOPBACK:
            continue
        try:
            total += int(numbers.split()[1])
        except (IndexError, ValueError) as error:
            raise ValueError(f"not a line of /proc/net/dev: {line!r:.80}") from error
        if not colon:
            raise ValueError(f"not a line of /proc/net/dev: {line!r:.80}")
    return total


def parse_gateways(route: str, *, byteorder: str = sys.byteorder) -> frozenset[bytes]:
    """Return the default gateways in ``/proc/net/route``, packed; lines of other kinds are skipped.

    With most CNIs this is the address from which the node, and so its kubelet, talks to the pod.
    """
    gateways = set()
    for line in route.splitlines()[1:]:
        fields = line.split()
        try:
            destination, gateway, flags = (int(fields[i], 16) for i in (1, 2, 3))
            packed = gateway.to_bytes(4, "little" if byteorder == "little" else "big")
        except (IndexError, ValueError, OverflowError):
            continue
        if destination == 0 and gateway and flags & _GATEWAY:
            gateways.add(packed)
    return frozenset(gateways)


def parse_gateways6(route: str) -> frozenset[bytes]:
    """Return the default gateways in ``/proc/net/ipv6_route``, packed."""
    gateways = set()
    for line in route.splitlines():
        fields = line.split()
        try:
            destination, length = int(fields[0], 16), fields[1]
            gateway = bytes.fromhex(fields[4])
        except (IndexError, ValueError):
            continue
        if destination == 0 and length == "00" and any(gateway) and len(gateway) == 16:  # noqa: PLR2004 # an IPv6 address
            gateways.add(gateway)
    return frozenset(gateways)


def _endpoint(text: str, byteorder: str) -> tuple[bytes, int]:
    address, port = text.split(":")
    if len(address) not in (_TCP4_ADDRESS, _TCP6_ADDRESS):
        raise ValueError(f"an address of {len(address)} digits")
    packed = bytes.fromhex(address)
    if byteorder == "little":
        packed = b"".join(packed[i : i + 4][::-1] for i in range(0, len(packed), 4))
    return packed, int(port, 16)
