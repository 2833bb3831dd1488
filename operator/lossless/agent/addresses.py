"""Addresses as the kernel packs them: 4 bytes for IPv4, 16 for IPv6, network order."""

import socket
from collections.abc import Iterable
from typing import Final

from lossless.model.drain.evidence import Socket

#: IPv4 clients of a dual-stack listener have addresses of this form (RFC 4291 section 2.5.5.2).
MAPPED: Final = bytes(10) + b"\xff\xff"
_LOOPBACK6: Final = bytes(15) + b"\x01"
#: Where a pod's containers are reached from within.
LOOPBACK: Final = "127.0.0.1"
#: The addresses from which a host asks itself.
LOOPBACKS: Final = frozenset({socket.inet_aton(LOOPBACK), _LOOPBACK6})


def local_address(sock: Socket) -> bytes:
    """Return the local address; an IPv4-mapped one as IPv4."""
    return _unmapped(sock.name[4:20]) if sock.v6 else sock.name[4:8]


def peer_address(sock: Socket) -> bytes:
    """Return the peer's address; an IPv4-mapped one as IPv4."""
    return _unmapped(sock.name[20:36]) if sock.v6 else sock.name[20:24]


def peer_port(sock: Socket) -> int:
    """Return the peer's port."""
    return int.from_bytes(sock.name[2:4], "big")


def mirrored(name: bytes) -> bytes:
    """Return the name that the other end of the same connection has."""
    return name[2:4] + name[0:2] + name[20:36] + name[4:20]


def is_loopback(address: bytes) -> bool:
    """Tell whether ``address`` never leaves its host (127.0.0.0/8 and ::1)."""
    return address[0] == 127 if len(address) == 4 else address == _LOOPBACK6  # noqa: PLR2004 # an IPv4 address, and its first octet


def within_pod(local: bytes, peer: bytes) -> bool:
    """Tell whether a connection stays within the pod's network namespace.

    A pod that talks to its own address gets that very address as its source too.
    """
    return is_loopback(peer) or local == peer


def within_host(local: bytes, peer: bytes) -> bool:  # noqa: ARG001 # the signature of within_pod
    """Tell the same of a machine that is published on as a whole.

    There the machine's own address is also the source of every other process of it, so only
    loopback counts as inside.
    """
    return is_loopback(peer)


def within_none(local: bytes, peer: bytes) -> bool:  # noqa: ARG001 # the signature of within_pod
    """Tell the same of a pod on its node's network: no address proves a connection to be its own.

    There loopback is how another pod's proxy comes, which is a client like any other.
    """
    return False


def show(address: bytes, port: int) -> str:
    """Return ``address:port`` for people, IPv6 in brackets."""
    if len(address) == 4:  # noqa: PLR2004 # an IPv4 address
        return f"{socket.inet_ntop(socket.AF_INET, address)}:{port}"
    return f"[{socket.inet_ntop(socket.AF_INET6, address)}]:{port}"


def pack(text: str) -> bytes:
    """Return the packed form of an address in text; an IPv4-mapped one as IPv4.

    Raises:
        ValueError: ``text`` is not an address.
    """
    text = text.strip().partition("%")[0]
    try:
        if ":" in text:
            return _unmapped(socket.inet_pton(socket.AF_INET6, text))
        return socket.inet_pton(socket.AF_INET, text)
    except (OSError, ValueError) as error:
        raise ValueError(f"{text!r} is not an address") from error


def pack_all(texts: Iterable[str]) -> tuple[frozenset[bytes], tuple[str, ...]]:
    """Return the packed addresses among ``texts``, and what is none."""
    packed = set()
    wrong = []
    for text in texts:
        try:
            packed.add(pack(text))
        except ValueError:
            wrong.append(text)
    return frozenset(packed), tuple(wrong)


def _unmapped(address: bytes) -> bytes:
    return address[12:] if address[:12] == MAPPED else address
