"""Three ways to publish on all hosts, one after the other."""

import subprocess
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from e2e.hosts.machines import Host, Machines, Times
from e2e.hosts.ssh import Operator

_RESTART: Final = ("stop-proxy", "stop-app", "start-app", "start-proxy")


def naive(machines: Machines, operator: Operator, times: Times) -> None:
    """Stop, start: what a restart of the two services does."""
    del operator, times
    for host in machines.hosts:
        _restart(host)


def sleeps(machines: Machines, operator: Operator, times: Times) -> None:
    """Do what the seed's ``pubstart`` does.

    Its call of the application is left out: the sample has no such endpoint. After ``online`` the
    load balancer gets its time before the next host, else two would be out at once.
    """
    del operator
    for host in machines.hosts:
        host.flag.unlink()
        time.sleep(times.socket_timeout + times.health_check)
        _restart(host)
        host.flag.touch()
        time.sleep(times.health_check)


def lossless(machines: Machines, operator: Operator, times: Times) -> None:
    """Roll out with ``lossless host rollout``, over SSH.

    Raises:
        subprocess.CalledProcessError: it failed; its output has been kept, and is in the error.
    """
    del times
    done = operator.rollout("--max-unavailable", "1")
    (machines.root / "rollout.log").write_text(done.stdout)
    if done.returncode:
        raise subprocess.CalledProcessError(done.returncode, done.args, done.stdout)


def _restart(host: Host) -> None:
    for script in _RESTART:
        host.run(script)


WAYS: Final[Mapping[str, Callable[[Machines, Operator, Times], None]]] = MappingProxyType(
    {"naive": naive, "sleeps": sleeps, "lossless": lossless}
)
