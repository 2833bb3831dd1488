"""Reads the sockets and counters of the network namespace, which all the pod's containers share.

No capability is needed. Kernels or sandboxes without ``sock_diag`` are read through
``/proc/net`` instead, where no connection can be proven idle.
"""

import errno
import os
import socket
from collections.abc import Callable, Collection, Container, Generator, Iterable
from contextlib import closing
from typing import Final

from lossless.agent.openings import Counters
from lossless.agent.proc_net import (
    parse_gateways,
    parse_gateways6,
    parse_packets_received,
    parse_passive_opens,
    parse_tcp,
)
from lossless.agent.sock_diag import (
    AF_INET,
    AF_INET6,
    NETLINK_SOCK_DIAG,
    STATES,
    dump_request,
    parse_dump,
)
from lossless.model.drain.evidence import Socket, TcpState

PROC_NET: Final = "/proc/net"
#: The kernel answers a dump from memory; if it takes this long, something is broken.
_TIMEOUT: Final = 2.0
#: Netlink dumps come in datagrams of at most 32 KiB.
_BUFFER: Final = 65536


class Sockets:
    """The TCP sockets of this network namespace."""

    def __init__(
        self,
        proc: str = PROC_NET,
        *,
        protocol: int | None = NETLINK_SOCK_DIAG,
        shared: bool = False,
        own: Callable[[], int] = lambda: 0,
    ) -> None:
        """Read by netlink ``protocol``, or only the files under ``proc`` if that is None.

        Args:
            proc: path of the directory with the kernel's files about the namespace.
            protocol: of netlink; None: it is not used.
            shared: many other processes use the namespace, so only what is asked for is read.
            own: a port of the namespace on which this process itself listens now; 0: none. A
                source that does not show it shows too little to be believed.
        """
        self._own = own
        self._shared = shared
        self._proc = proc
        self._protocol = protocol
        self.source = "proc" if protocol is None else "sock_diag"
        """Where the latest reading came from: sock_diag or proc."""
        self.refusal = ""
        """Why ``sock_diag`` was not used."""

    def read(self, ports: Collection[int]) -> Generator[list[Socket], None, None]:
        """Yield all listeners first, then inbound connections in batches.

        Sockets that are not inbound may be among them; those whose local port is in ``ports``
        or listened on are complete; in a shared namespace only those in ``ports``.

        Raises:
            OSError: they cannot be read.
            ValueError: what was read is not in the known format.
        """
        if self._protocol is not None:
            try:
                listeners = [
                    one
                    for family in (AF_INET, AF_INET6)
                    for batch in self._dump(dump_request(family, (TcpState.LISTEN,)))
                    for one in batch
                ]
                self._believe(listeners)
            except InterruptedError:
                raise
            except OSError as error:
                self.refusal = f"sock_diag: {error}"
            else:
                self.source = "sock_diag"
                yield listeners
                heard = () if self._shared else (one.port for one in listeners)
                wanted = set(ports).union(heard)
                for family in (AF_INET, AF_INET6):
                    yield from self._dump(dump_request(family, STATES, wanted or None), wanted)
                return
        self.source = "proc"
        yield from self._read_proc()

    def counters(self) -> Counters:
        """Return the namespace's counters.

        Raises:
            OSError, ValueError: as ``read``.
        """
        return Counters(
            parse_passive_opens(self._text("snmp")), parse_packets_received(self._text("dev"))
        )

    def gateways(self) -> frozenset[bytes]:
        """Return the default gateways; none if they cannot be read."""
        try:
            found = parse_gateways(self._text("route"))
        except OSError:
            found = frozenset()
        try:
            return found | parse_gateways6(self._text("ipv6_route"))
        except OSError:
            return found

    def _read_proc(self) -> Generator[list[Socket], None, None]:
        found = list(parse_tcp(self._text("tcp")))
        try:
            found += parse_tcp(self._text("tcp6"))
        except FileNotFoundError:
            # A kernel without IPv6 has no such file, and no such connections.
            if os.path.exists(f"{self._proc}/if_inet6"):  # noqa: PTH110 # pathlib costs memory in every pod
                raise
        listeners = [one for one in found if one.state == TcpState.LISTEN]
        self._believe(listeners)
        yield listeners
        yield [one for one in found if one.state != TcpState.LISTEN]

    def _believe(self, listeners: Iterable[Socket]) -> None:
        own = self._own()
        if own and all(one.port != own for one in listeners):
            raise OSError(errno.ENODATA, f"it does not show our own listener on port {own}")

    def _dump(
        self, request: bytes, ports: Container[int] | None = None
    ) -> Generator[list[Socket], None, None]:
        netlink = socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, self._protocol or 0
        )
        with closing(netlink):
            netlink.settimeout(_TIMEOUT)
            netlink.sendto(request, (0, 0))
            last = False
            while not last:
                batch, last = parse_dump(netlink.recv(_BUFFER), ports)
                yield batch

    def _text(self, name: str) -> str:
        with open(f"{self._proc}/{name}", encoding="ascii") as file:  # noqa: PTH123 # pathlib costs memory in every pod
            return file.read()
