"""Remembers connections from one look to the next, and sums each look up as a sample."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Final

from lossless.agent.addresses import (
    is_loopback,
    local_address,
    mirrored,
    peer_address,
    peer_port,
    show,
)
from lossless.agent.newcomers import Newcomers
from lossless.agent.openings import Counters, Openings
from lossless.model.drain.agent_config import AgentConfig
from lossless.model.drain.drain_rule import Sample
from lossless.model.drain.evidence import (
    Socket,
    Standing,
    TcpState,
    Track,
    assess,
    follow,
    settle,
)
from lossless.model.policy import IdleConnections
from lossless.model.report import Oldest

#: Connections remembered. More than that are counted all the same, but look new each time, so
#: the pod cannot be quiet: memory is bounded, and the mistake is on the safe side.
MAX_TRACKS: Final = 100_000
#: TIME_WAIT sockets remembered. Beyond that they are ignored, and what they would have shown
#: is left to the kernel's counter (``openings``), which tells less but needs no memory.
MAX_HISTORY: Final = 20_000

_SYN_RECV: Final = int(TcpState.SYN_RECV)
_TIME_WAIT: Final = int(TcpState.TIME_WAIT)
_ESTABLISHED: Final = int(TcpState.ESTABLISHED)


@dataclass(slots=True)
class _Look:
    """What one pass over the sockets has found so far."""

    now: float
    inbound: set[int]
    heard: set[int]
    counted: Collection[int]
    tracks: dict[bytes, Track] = field(default_factory=dict)
    history: set[int] = field(default_factory=set)
    counts: dict[Standing, int] = field(default_factory=lambda: dict.fromkeys(Standing, 0))
    expired: int = 0
    inside: int = 0
    backlog: int = 0
    own_backlog: int = 0
    accepted: int = 0
    clients: int = 0
    suspects: list[tuple[bytes, int]] = field(default_factory=list)
    asked: set[bytes] = field(default_factory=set)
    oldest: tuple[bool, float, Socket] | None = None


class Ledger:
    """All inbound connections of one pod, as far as anybody has looked.

    A look is ``begin``, ``listeners``, any number of ``add``, ``finish``. One that is not
    finished leaves no trace.
    """

    def __init__(  # noqa: PLR0913 # what counts, who is who, and two bounds
        self,
        config: AgentConfig,
        *,
        inside: Callable[[bytes, bytes], bool],
        nodes: Iterable[bytes],
        own: Callable[[int], bool] = lambda _: False,
        max_tracks: int = MAX_TRACKS,
        max_history: int = MAX_HISTORY,
    ) -> None:
        """Start empty.

        Args:
            config: which ports count, and the probes.
            inside: tells from local and peer address whether a connection stays in the pod.
            nodes: packed addresses from which the kubelet may come.
            own: tells from the port whether a loopback peer is the agent itself.
            max_tracks: connections remembered.
            max_history: TIME_WAIT sockets remembered.
        """
        self._max_tracks = max_tracks
        self._max_history = max_history
        self._config = config
        self._inside = inside
        self._nodes = set(nodes)
        self._own = own
        self._asked: set[bytes] = set()
        self._probed = frozenset(probe.port for probe in config.probes)
        self._heard: set[int] = set()
        self._tracks: dict[bytes, Track] = {}
        self._history: set[int] | None = None
        self._wanted = False
        self._watching = False
        self._accepted = 0
        self._newcomers = Newcomers(config.probes, config.drain.quiet)
        self._openings = Openings()
        self._look = self._blank(0.0)

    @property
    def ports(self) -> frozenset[int]:
        """The ports of interest so far: configured, or once listened on."""
        return frozenset(self._heard.union(self._config.ports))

    def know_node(self, address: bytes) -> None:
        """Remember an address that the kubelet comes from."""
        self._nodes.add(address)

    def watch(self) -> None:
        """Start to watch for new connections: those of the next look are the old ones."""
        self._wanted = True
        self._watching = False
        self._newcomers.restart()
        self._openings.restart()

    def begin(self, now: float) -> None:
        """Begin a look at ``now``; the ledger changes only when it is finished."""
        self._look = self._blank(now)

    def listeners(self, batch: Iterable[Socket]) -> None:
        """Take the listening sockets; they come before all others.

        On the node's network most of them are other processes'.
        """
        look, config = self._look, self._config
        mine = {config.agent_port, *config.ports} if config.host_network else None
        batch = [sock for sock in batch if mine is None or sock.port in mine]
        for sock in batch:
            look.inbound.add(sock.port)
            if sock.port == self._config.agent_port:
                look.own_backlog += sock.unread
            elif not is_loopback(local_address(sock)):
                look.heard.add(sock.port)
        look.counted = frozenset(self._config.ports or look.heard) - {self._config.agent_port}
        look.backlog = sum(sock.unread for sock in batch if sock.port in look.counted)

    def add(self, batch: Iterable[Socket]) -> None:
        """Take more sockets, in any order."""
        look, known = self._look, self._tracks
        now, counts = look.now, look.counts
        idle_timeout = self._config.drain.client_idle_timeout
        discard = self._config.drain.idle_connections is IdleConnections.DISCARD
        for sock in batch:
            if sock.state == _TIME_WAIT:
                self._add_history(sock)
                continue
            if sock.port not in look.inbound or sock.port == self._config.agent_port:
                continue
            name = sock.name
            before = known.get(name)
            track = follow(before, sock, now)
            new = before is None or track.first_seen != before.first_seen
            opened = before is None or new or before.state == _SYN_RECV
            look.accepted += opened and sock.state != _SYN_RECV
            if self._is_inside(sock, new=new):
                look.inside += sock.state == _ESTABLISHED
                self._remember(name, track)
            elif sock.port not in look.counted:
                self._remember(name, track)
            else:
                standing, silent = assess(sock, track, now)
                self._remember(name, settle(track, sock, standing))
                counts[standing] += 1
                expired = standing is Standing.IDLE and silent >= idle_timeout
                look.expired += expired
                if standing is not Standing.GONE and not (expired and discard):
                    self._compare(sock, track, standing)
                if new:
                    self._arrive(sock, name)

    def finish(self, counters: Counters | None, accepted: int) -> Sample:
        """Return what the look has found, and remember it.

        Args:
            counters: of this namespace, read before its sockets; None if others use it too.
            accepted: connections that the agent itself has accepted so far, read right after
                its listener was.
        """
        look = self._look
        self._tracks = look.tracks
        self._heard = look.heard
        self._asked = look.asked
        self._history = look.history if len(look.history) < self._max_history else None
        unseen = 0
        if self._watching:
            self._accepted += look.accepted
        if counters is not None:
            unseen = self._openings.unseen(counters, self._accepted + accepted + look.own_backlog)
        if self._watching:
            self._newcomers.add(
                look.now,
                clients=look.clients,
                suspects=look.suspects,
                unseen=unseen,
                still_open=look.tracks,
            )
        self._watching = self._wanted
        newest, new = self._newcomers.summary(look.now)
        counts = look.counts
        return Sample(
            look.now,
            active=counts[Standing.ACTIVE],
            ambiguous=counts[Standing.AMBIGUOUS],
            opening=counts[Standing.OPENING],
            closing=counts[Standing.CLOSING],
            idle=counts[Standing.IDLE],
            expired=look.expired,
            new=new,
            newest=newest,
            inside=look.inside,
            backlog=look.backlog,
            oldest=self._oldest(),
        )

    def _blank(self, now: float) -> _Look:
        return _Look(now, set(self.ports), set(self._heard), ())

    def _remember(self, name: bytes, track: Track) -> None:
        if len(self._look.tracks) < self._max_tracks:
            self._look.tracks[name] = track

    def _add_history(self, sock: Socket) -> None:
        """Take a TIME_WAIT socket.

        It is the trace of a connection that our side has closed first, or that a client inside
        the pod has: then it is the client's end.
        """
        look = self._look
        far_port = peer_port(sock)
        if self._config.agent_port in (sock.port, far_port):
            return
        ours = sock.port in look.inbound
        if not ours and not (
            far_port in look.inbound and self._inside(local_address(sock), peer_address(sock))
        ):
            return
        if len(look.history) >= self._max_history:
            return
        name = sock.name if ours else mirrored(sock.name)
        # A source without cookies has to do with the name.
        identity = sock.cookie or hash(name)
        look.history.add(identity)
        if self._history is None or identity in self._history or name in self._tracks:
            return
        look.accepted += 1
        if ours and sock.port in look.counted:
            self._arrive(sock, name)

    def _is_inside(self, sock: Socket, *, new: bool) -> bool:
        """Tell whether a connection is within the pod, the agent's own questions among them."""
        peer = peer_address(sock)
        if self._inside(local_address(sock), peer):
            return True
        # Its port proves it at first sight only: later another connection may have the port.
        own = self._own(peer_port(sock)) if new else sock.name in self._asked
        if own and is_loopback(peer):
            self._look.asked.add(sock.name)
            return True
        return False

    def _arrive(self, sock: Socket, name: bytes) -> None:
        look = self._look
        if self._is_inside(sock, new=True):
            return
        if sock.port in self._probed and peer_address(sock) in self._nodes:
            look.suspects.append((name, sock.port))
        else:
            look.clients += 1

    def _compare(self, sock: Socket, track: Track, standing: Standing) -> None:
        look = self._look
        active = standing is not Standing.IDLE
        best = look.oldest
        if best is None or active > best[0] or (active == best[0] and track.first_seen < best[1]):
            look.oldest = (active, track.first_seen, sock)

    def _oldest(self) -> Oldest | None:
        best = self._look.oldest
        if best is None:
            return None
        _, first_seen, sock = best
        return Oldest(
            peer=show(peer_address(sock), peer_port(sock)), age=self._look.now - first_seen
        )
