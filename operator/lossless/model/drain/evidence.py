"""What one socket of the kernel's proves about the request on it.

The evidence is a dump of ``sock_diag`` (Linux ``include/uapi/linux/inet_diag.h``) with each
socket's ``tcp_info``. It says when data last went either way, in kernel ticks of 1 to 10 ms
(4 ms at the usual HZ=250), and how many segments did. From that follows *who spoke last*:

* The client did, in a later tick than we: a request is in flight, however old it is.
* We did, in a later tick than the client: it has its answer, and is idle since.
* Both in the same tick: *answered at once*, or *asked again at once and still waiting*. On a
  fast network with a fast application this is the rule, not the exception, and a long poll
  looks exactly so. Age alone never tells the two apart; these two observations do:

  1. The client acknowledged in a later tick, with a segment that carried no data. It had
     nothing to acknowledge but our last data, so it sent nothing after it. (A client that waits
     for each answer acknowledges it together with its next request.) A retransmitted request
     and the reply to a TCP keepalive also come without new data, but at the earliest after the
     client's retransmission timeout, ``rtt + 200 ms``, or after a second: hence the window.
  2. We have not sent a bare acknowledgement since before the client's latest data. Data must be
     acknowledged within half a second (RFC 1122 section 4.2.3.2), so ours went out with an
     answer. One bare acknowledgement is for the client's very first data: Linux acknowledges
     that at once (``tcp_event_data_recv``, quick-ack mode), and a client speaks first. So on
     a connection never looked at before there may have been that one and no other.

  If neither is there, the connection stays *ambiguous* and must go away by itself. What remains
  so are mainly requests written in two parts (Python's http.client sends the body of a POST
  apart from its headers): each of them gets a bare acknowledgement, answered or not.

What this cannot see: whether our last words were a complete answer. A server that announces
itself half-way (an early header, a WINDOW_UPDATE of HTTP/2, one of several multiplexed or
pipelined answers, a stream of events that pauses) has spoken last too. That is why idle is not
"may be closed" but "may be closed after a long silence", and only if the user asks for it.
"""

from enum import IntEnum, StrEnum
from typing import Final, NamedTuple


class TcpState(IntEnum):
    """Linux ``include/net/tcp_states.h``."""

    ESTABLISHED = 1
    SYN_SENT = 2
    SYN_RECV = 3
    FIN_WAIT1 = 4
    FIN_WAIT2 = 5
    TIME_WAIT = 6
    CLOSE = 7
    CLOSE_WAIT = 8
    LAST_ACK = 9
    LISTEN = 10
    CLOSING = 11


class Standing(StrEnum):
    """What a connection means for the drain."""

    ACTIVE = "active"
    """A request is in flight, or nothing proves that none is."""
    AMBIGUOUS = "ambiguous"
    """Both sides spoke in the same tick: counts as active."""
    IDLE = "idle"
    """We spoke last, or nobody ever did."""
    OPENING = "opening"
    """The handshake is under way."""
    CLOSING = "closing"
    """One side has closed; bytes may still be under way, or the application still at work."""
    GONE = "gone"
    """Over, as far as anybody could notice."""


class TcpInfo(NamedTuple):
    """The part of ``struct tcp_info`` that is used; ages in milliseconds."""

    sent_age: int
    """Since we last sent data (``tcpi_last_data_sent``)."""
    recv_age: int
    """Since the client last sent data (``tcpi_last_data_recv``)."""
    ack_age: int
    """Since the client last acknowledged anything new or again (``tcpi_last_ack_recv``)."""
    rtt: int
    """Smoothed round trip in microseconds."""
    bytes_received: int
    data_segments_in: int
    data_segments_out: int
    bare_acks: int
    """Segments without data that we sent (``segs_out - data_segs_out``, modulo 2**32)."""
    fast_open: bool
    """The first data came with the SYN (RFC 7413), and was acknowledged with the SYN's."""


class Socket(NamedTuple):
    """One TCP socket as the kernel shows it."""

    state: int
    v6: bool
    name: bytes
    """Local port, peer port, local and peer address: 36 bytes as in ``inet_diag_sockid``."""
    port: int
    """The local one."""
    cookie: int
    """The kernel's own number of the socket; 0 where the source has none."""
    unread: int
    """Bytes the application has not read; of a listener, connections it has not accepted."""
    unacked: int
    """Bytes (and a FIN) that the peer has not acknowledged."""
    owned: bool
    """An application holds it: accepted and not yet closed by it."""
    info: TcpInfo | None
    """None for half-open and TIME_WAIT sockets, and from sources that do not tell."""


class Track(NamedTuple):
    """What is remembered of a connection from one look to the next."""

    cookie: int
    first_seen: float
    state: int
    since: float
    """When it was first seen in this state."""
    segments: int
    """``data_segments_in`` at the last look; -1 without ``tcp_info``."""
    acks: int
    """``bare_acks`` at the last look."""
    acks_before: int
    """``bare_acks`` at the last look before the client's latest data."""
    answered: int
    """``bytes_received`` up to which we are known to have spoken last; -1: not known."""


#: The bare acknowledgement of a client's very first data.
FIRST_ACK: Final = 1
#: Seconds after which a pending acknowledgement must be out (RFC 1122: 0.5), with a margin.
SETTLED: Final = 1.0
#: A client's earliest retransmission, in ms beyond its round trip (Linux TCP_RTO_MIN).
RETRANSMISSION: Final = 200
#: Seconds a half-open connection counts: a SYN-ACK goes out again after 1, 3 and 7 s, and who
#: has not answered by then (a port scan, a lost client) will hardly do so.
OPENING_LIMIT: Final = 10.0
#: Seconds of silence after which a connection closed by us no longer counts. All our bytes are
#: acknowledged; what remains is the client's own FIN.
CLOSING_LIMIT: Final = 5.0
#: The same while bytes of ours, perhaps the end of an answer, are not acknowledged. Longer than
#: a phone's pause between two cells, shorter than the kernel's own patience.
STALLED_LIMIT: Final = 30.0
#: The same for a connection that the client has closed (perhaps only its half: it may wait for
#: an answer). An application that forgets to close such sockets has them for ever.
ABANDONED_LIMIT: Final = 60.0

_ESTABLISHED: Final = int(TcpState.ESTABLISHED)
_SYN_RECV: Final = int(TcpState.SYN_RECV)
_FIN_WAIT2: Final = int(TcpState.FIN_WAIT2)
_TIME_WAIT: Final = int(TcpState.TIME_WAIT)
_CLOSE_WAIT: Final = int(TcpState.CLOSE_WAIT)
_CLOSING_STATES: Final = frozenset(
    {
        int(TcpState.FIN_WAIT1),
        _FIN_WAIT2,
        _CLOSE_WAIT,
        int(TcpState.LAST_ACK),
        int(TcpState.CLOSING),
    }
)


def is_same(track: Track, socket: Socket) -> bool:
    """Tell whether a socket of the same name is still the same connection.

    The cookie tells, but for one case: what is left of a connection in TIME_WAIT, or in
    FIN_WAIT2 after the application closed it, is a new and smaller object with its own cookie.
    """
    if track.cookie == socket.cookie:
        return True
    shrunk = socket.info is None and socket.state in (_TIME_WAIT, _FIN_WAIT2)
    return shrunk and track.segments >= 0


def follow(track: Track | None, socket: Socket, now: float) -> Track:
    """Return what to remember of ``socket`` after this look at it."""
    info = socket.info
    segments, acks = (-1, 0) if info is None else (info.data_segments_in, info.bare_acks)
    if track is None or not is_same(track, socket):
        first = _first_ack(info)
        return Track(socket.cookie, now, socket.state, now, segments, acks, first, -1)
    if (
        track.segments == segments
        and track.acks == acks
        and track.state == socket.state
        and track.cookie == socket.cookie
    ):
        return track
    before = track.acks_before
    if segments != track.segments and track.segments >= 0:
        before = track.acks + (0 if track.segments else _first_ack(info))
    return Track(
        socket.cookie,
        track.first_seen,
        socket.state,
        track.since if track.state == socket.state else now,
        segments,
        acks,
        before,
        track.answered,
    )


def assess(socket: Socket, track: Track, now: float) -> tuple[Standing, float]:
    """Return where ``socket`` stands, and for how many seconds it has been silent.

    Args:
        socket: not a listener.
        track: what ``follow`` returned for this very look.
        now: on the clock of ``track``.
    """
    if socket.state == _ESTABLISHED:
        return _assess_open(socket, track)
    since = now - track.since
    if socket.state == _SYN_RECV:
        return (Standing.OPENING if since < OPENING_LIMIT else Standing.GONE), since
    if socket.state in _CLOSING_STATES:
        info = socket.info
        silent = since if info is None else min(since, info.recv_age / 1000, info.ack_age / 1000)
        return (Standing.CLOSING if silent < _patience(socket) else Standing.GONE), silent
    return Standing.GONE, since


def settle(track: Track, socket: Socket, standing: Standing) -> Track:
    """Return the track with a proof kept that later keepalives would wipe out."""
    info = socket.info
    if (
        standing is Standing.IDLE
        and info is not None
        and info.sent_age == info.recv_age
        and track.answered != info.bytes_received
    ):
        return track._replace(answered=info.bytes_received)
    return track


def _first_ack(info: TcpInfo | None) -> int:
    return 0 if info is not None and info.fast_open else FIRST_ACK


def _assess_open(socket: Socket, track: Track) -> tuple[Standing, float]:
    info = socket.info
    # Bytes on their way in or out, and clients that wait to be accepted, are proof of work.
    if info is None or not socket.owned or socket.unread or socket.unacked:
        return Standing.ACTIVE, 0.0
    sent, received = info.sent_age, info.recv_age
    silent = min(sent, received) / 1000
    # Both ages start at the handshake, so they prove nothing before the first data.
    if not info.bytes_received:
        return Standing.IDLE, silent
    if received < sent or not info.data_segments_out:
        return Standing.ACTIVE, silent
    if sent < received or _answered(info, track, silent):
        return Standing.IDLE, silent
    return Standing.AMBIGUOUS, silent


def _answered(info: TcpInfo, track: Track, silent: float) -> bool:
    if track.answered == info.bytes_received:
        return True
    if silent < SETTLED:
        return False
    if 0 < info.recv_age - info.ack_age < info.rtt / 1000 + RETRANSMISSION:
        return True
    return info.bare_acks <= track.acks_before


def _patience(socket: Socket) -> float:
    if socket.state == _CLOSE_WAIT:
        return ABANDONED_LIMIT
    # Our own FIN is one of the unacknowledged.
    return STALLED_LIMIT if socket.unacked > 1 else CLOSING_LIMIT
