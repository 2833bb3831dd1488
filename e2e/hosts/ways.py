"""Three ways to publish on all hosts, one after the other."""

import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from e2e.hosts.machines import Host, Machines, Times, publish


def naive(host: Host, times: Times) -> None:
    """Stop, start: what a restart of the two services does."""
    del times
    for script in ("stop-proxy", "stop-app", "start-app", "start-proxy"):
        host.run(script)


def sleeps(host: Host, times: Times) -> None:
    """Do what the seed's ``pubstart`` does.

    Its call of the application is left out: the sample has no such endpoint. After ``online`` the
    load balancer gets its time before the next host, else two would be out at once.
    """
    host.flag.unlink()
    time.sleep(times.socket_timeout + times.health_check)
    for script in ("stop-proxy", "stop-app", "start-app", "start-proxy"):
        host.run(script)
    host.flag.touch()
    time.sleep(times.health_check)


def lossless(host: Host, times: Times) -> None:
    """Publish with ``lossless host publish``."""
    del times
    publish(host)


WAYS: Final[Mapping[str, Callable[[Host, Times], None]]] = MappingProxyType(
    {"naive": naive, "sleeps": sleeps, "lossless": lossless}
)


def roll(machines: Machines, way: str, times: Times) -> float:
    """Publish on every host in turn; return how many seconds it took."""
    begun = time.monotonic()
    for host in machines.hosts:
        WAYS[way](host, times)
    return time.monotonic() - begun
