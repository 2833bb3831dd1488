"""Ports for programs of a test that choose none themselves, and whether these listen."""

import os
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
    simultaneous open). Test processes that run side by side have every n-th port each.
    """
    first_of_clients = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    ours = range(_LOWEST + worker, first_of_clients, workers)
    for _ in range(1000):
        port = random.choice(ours)  # noqa: S311 # any will do
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
