"""Ports for programs of a test that choose none themselves, and whether these listen."""

import random
import socket
from contextlib import suppress
from pathlib import Path
from typing import Final

_LOWEST: Final = 10_000
_GIVEN: Final[set[int]] = set()


def free_port() -> int:
    """Return a port that nothing listens on, below those that the kernel gives to clients.

    One of the kernel's own could be any client's before the test listens on it. And who connects
    to such a port too early may be given that very port and so reach itself (RFC 9293 section 3.5,
    simultaneous open).
    """
    first_of_clients = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    for _ in range(1000):
        port = random.randrange(_LOWEST, first_of_clients)  # noqa: S311 # any will do
        if port in _GIVEN:
            continue
        with suppress(OSError), socket.create_server(("0.0.0.0", port)):  # noqa: S104 # on all
            _GIVEN.add(port)
            return port
    raise AssertionError(f"no free port from {_LOWEST} to {first_of_clients}")


def listens(port: int) -> bool:
    """Return whether a server here accepts connections."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
