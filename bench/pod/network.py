"""The pod's network namespace and its clients', made for one measurement and gone with it."""

import contextlib
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

#: Connections when no namespace can be made: both ends are then on this machine's own loopback,
#: whose tables everything else here shares.
_MOST_ON_LOOPBACK: Final = 10_000
#: RFC 2544 keeps 198.18.0.0/15 for benchmarks of devices.
_POD, _CLIENTS = "198.18.0.1", "198.18.0.2"
_ENTERED: Final = "LOSSLESS_BENCH_NAMESPACE"


@dataclass(frozen=True)
class Network:
    """Where the sockets are."""

    pod: str
    """Address that the pod listens on."""
    client_command: tuple[str, ...] = ()
    """What runs a program where the clients are."""
    most: int | None = None
    """Connections that may be opened; None: as many as are asked for."""
    remark: str = ""
    """What a reader of the figures must know about it."""


def enter_namespace() -> None:
    """Start this program anew in a network namespace of its own, if that is possible here.

    Root may; so may anybody where the kernel lets users make user namespaces.
    """
    if _ENTERED in os.environ:
        return
    root = os.geteuid() == 0
    command = ["unshare", *([] if root else ["--user", "--map-root-user"]), "--net"]
    with contextlib.suppress(FileNotFoundError):
        probe = subprocess.run([*command, "ip", "link"], check=False, capture_output=True)  # noqa: S603 # ours
        if probe.returncode == 0:
            again = [*command, sys.executable, *sys.argv]
            os.execvpe(again[0], again, os.environ | {_ENTERED: "1"})  # noqa: S606 # this very program


@contextlib.contextmanager
def network() -> Iterator[Network]:
    """Yield the pod's network; its clients' are on the far side of a pair of interfaces."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if _ENTERED not in os.environ:
        yield Network(
            "127.0.0.1",
            most=_MOST_ON_LOOPBACK,
            remark="no network namespace could be made (not root?): at most "
            f"{_MOST_ON_LOOPBACK:,} connections, and ss and /proc/net/tcp see both ends of each",
        )
        return
    # It says when it is there, and ends with our end of its input.
    holder = subprocess.Popen(
        ["unshare", "--net", "sh", "-c", "echo; exec cat"],  # noqa: S607 # found on PATH
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline()
        there = ("nsenter", f"--net=/proc/{holder.pid}/ns/net", "--")
        _ip("link set lo up")
        _ip(f"link add pod type veth peer name clients netns {holder.pid}")
        _ip(f"address add {_POD}/24 dev pod")
        _ip("link set pod up")
        _ip(f"address add {_CLIENTS}/24 dev clients", *there)
        _ip("link set clients up", *there)
        yield Network(_POD, there)
    finally:
        holder.communicate()


def _ip(arguments: str, *prefix: str) -> None:
    subprocess.run([*prefix, "ip", *arguments.split()], check=True)  # noqa: S603 # ours
