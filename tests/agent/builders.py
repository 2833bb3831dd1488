"""Sockets as the kernel would show them, in the few words a test needs."""

import socket as real
from collections.abc import Collection, Generator, Sequence

from lossless.agent.addresses import pack
from lossless.agent.openings import Counters
from lossless.agent.sockets import Sockets
from lossless.model.drain.agent_config import AgentConfig, Probe
from lossless.model.drain.evidence import Socket, TcpInfo, TcpState
from lossless.model.drain.hooks import OwnHook
from lossless.model.drain.release_rule import Barrier
from lossless.model.policy import DrainPolicy, IdleConnections

POD = "10.1.0.5"
CLIENT = "10.2.0.7"
NODE = "10.1.0.1"
NO_BARRIER = Barrier()


def a_config(  # noqa: PLR0913 # each is one line of the configuration
    *,
    ports: tuple[int, ...] = (),
    probes: tuple[Probe, ...] = (),
    idle: IdleConnections = IdleConnections.DISCARD,
    idle_timeout: float = 60.0,
    propagation: float = 0.0,
    quiet: float = 3.0,
    timeout: float = 60.0,
    agent_port: int = 9913,
    status_files: tuple[str, ...] = ("/lossless/serving",),
    hooks: tuple[OwnHook, ...] = (),
    file_holds: tuple[str, ...] = (),
    barrier: Barrier = NO_BARRIER,
) -> AgentConfig:
    """Return a configuration with the product's defaults, but without propagation."""
    policy = DrainPolicy(
        client_idle_timeout=idle_timeout,
        idle_connections=idle,
        propagation=propagation,
        quiet=quiet,
        timeout=timeout,
    )
    return AgentConfig(
        rollout="web",
        ports=ports,
        drain=policy,
        probes=probes,
        agent_port=agent_port,
        status_files=status_files,
        hooks=hooks,
        file_holds=file_holds,
        barrier=barrier,
    )


def name(local: str, port: int, peer: str, peer_port: int) -> bytes:
    """Return the 36 bytes by which the kernel names a connection."""

    def address(text: str) -> bytes:
        return real.inet_pton(real.AF_INET6, text) if ":" in text else pack(text).ljust(16, b"\0")

    ports = port.to_bytes(2, "big") + peer_port.to_bytes(2, "big")
    return ports + address(local) + address(peer)


def spoken(sent: int = 10_000, received: int = 20_000) -> TcpInfo:
    """Return ages in ms; by default we spoke last, ten seconds ago."""
    return TcpInfo(sent, received, sent, 500, 300, 3, 3, 1, fast_open=False)


def sock(  # noqa: PLR0913 # each is one field of the kernel's answer
    peer: str = f"{CLIENT}:4711",
    state: TcpState = TcpState.ESTABLISHED,
    *,
    local: str = f"{POD}:80",
    cookie: int = 0,
    info: TcpInfo | None = None,
    unread: int = 0,
) -> Socket:
    """Return a socket; ``peer`` and ``local`` are ``address:port``."""
    local_address, _, port = local.rpartition(":")
    far_address, _, far_port = peer.rpartition(":")
    bare = info is None and state in (TcpState.ESTABLISHED, TcpState.CLOSE_WAIT)
    return Socket(
        int(state),
        ":" in local_address,
        name(local_address, int(port), far_address, int(far_port)),
        int(port),
        cookie or hash((local, peer)) & 0xFFFFFFFF,
        unread,
        0,
        state is not TcpState.TIME_WAIT,
        spoken() if bare else info,
    )


def listener(local: str = "0.0.0.0:80", backlog: int = 0) -> Socket:
    """Return a listening socket."""
    address, _, _ = local.rpartition(":")
    anywhere = "::" if ":" in address else "0.0.0.0"  # noqa: S104 # what the kernel shows
    return sock(f"{anywhere}:0", TcpState.LISTEN, local=local, unread=backlog)


class ScriptedSockets(Sockets):
    """A network namespace that holds what a test puts into it."""

    def __init__(self, *open_now: Socket) -> None:
        """Begin with these connections, and a listener on port 80."""
        super().__init__()
        self.listening: Sequence[Socket] = (listener(),)
        self.open: list[Socket] = list(open_now)
        self.now = Counters(0, 0)
        self.failure: Exception | None = None
        self.readings = 0

    def read(self, ports: Collection[int]) -> Generator[list[Socket], None, None]:
        """Yield what the test has put there, or fail as it wants."""
        del ports
        self.readings += 1
        if self.failure is not None:
            raise self.failure
        yield list(self.listening)
        yield list(self.open)

    def counters(self) -> Counters:
        """Return what the test has put there."""
        return self.now

    def gateways(self) -> frozenset[bytes]:
        """Return the node's address."""
        return frozenset({pack(NODE)})
