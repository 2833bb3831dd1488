"""What one socket proves, as a table, and what must hold for every socket."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossless.model.drain.evidence import (
    ABANDONED_LIMIT,
    CLOSING_LIMIT,
    OPENING_LIMIT,
    SETTLED,
    STALLED_LIMIT,
    Socket,
    Standing,
    TcpInfo,
    TcpState,
    Track,
    assess,
    follow,
    is_same,
    settle,
)

NOW = 1000.0


def info(  # noqa: PLR0913 # each is one column of the table
    sent: int = 5000,
    received: int = 5000,
    *,
    ack: int | None = None,
    rtt: int = 500,
    bytes_in: int = 300,
    data_in: int = 9,
    data_out: int = 9,
    bare: int = 5,
    fast_open: bool = False,
) -> TcpInfo:
    """Return ages in ms; by default the client's last acknowledgement came with its last data."""
    acked = received if ack is None else ack
    return TcpInfo(sent, received, acked, rtt, bytes_in, data_in, data_out, bare, fast_open)


def sock(  # noqa: PLR0913 # the same
    state: TcpState = TcpState.ESTABLISHED,
    tcp_info: TcpInfo | None = None,
    *,
    cookie: int = 7,
    unread: int = 0,
    unacked: int = 0,
    owned: bool = True,
) -> Socket:
    """Return a socket on port 80."""
    return Socket(state, False, b"n", 80, cookie, unread, unacked, owned, tcp_info)  # noqa: FBT003 # positional as built from the kernel's bytes


def standing(socket: Socket, track: Track | None = None, now: float = NOW) -> Standing:
    """Return where a socket stands that was seen for the first time just now, or as tracked."""
    return assess(socket, track or follow(None, socket, now), now)[0]


@pytest.mark.parametrize(
    ("socket", "expected"),
    [
        pytest.param(sock(tcp_info=info(9000, 100)), Standing.ACTIVE, id="client-spoke-last"),
        pytest.param(
            sock(tcp_info=info(900_000, 600_000)), Standing.ACTIVE, id="a-ten-minute-report"
        ),
        pytest.param(sock(tcp_info=info(100, 104)), Standing.IDLE, id="we-spoke-last-by-one-tick"),
        pytest.param(sock(tcp_info=info(90_000, 95_000)), Standing.IDLE, id="idle-for-long"),
        pytest.param(
            sock(tcp_info=info(70_000, 70_000, bytes_in=0, data_in=0, data_out=0)),
            Standing.IDLE,
            id="never-used",
        ),
        pytest.param(
            sock(tcp_info=info(4000, 4000, bytes_in=0, data_in=0, data_out=1)),
            Standing.IDLE,
            id="only-we-have-spoken",
        ),
        pytest.param(
            sock(tcp_info=info(4000, 4004, data_in=1, data_out=0, bare=1)),
            Standing.ACTIVE,
            id="request-in-the-handshake-never-answered",
        ),
        pytest.param(
            sock(tcp_info=info(4000, 4000, data_in=1, data_out=0, bare=1)),
            Standing.ACTIVE,
            id="first-request-in-the-ticks-of-the-handshake",
        ),
        pytest.param(sock(tcp_info=info(), unread=1), Standing.ACTIVE, id="unread-bytes"),
        pytest.param(
            sock(tcp_info=info(10, 90_000), unacked=9), Standing.ACTIVE, id="answer-on-its-way"
        ),
        pytest.param(
            sock(tcp_info=info(90_000, 90_000, bytes_in=0), owned=False),
            Standing.ACTIVE,
            id="not-accepted-yet",
        ),
        pytest.param(sock(tcp_info=None), Standing.ACTIVE, id="a-source-without-ages"),
        pytest.param(sock(TcpState.SYN_RECV), Standing.OPENING, id="handshake"),
        pytest.param(sock(TcpState.FIN_WAIT1, info()), Standing.CLOSING, id="our-fin-sent"),
        pytest.param(sock(TcpState.FIN_WAIT2), Standing.CLOSING, id="our-fin-acknowledged"),
        pytest.param(sock(TcpState.CLOSING, info()), Standing.CLOSING, id="both-fins-sent"),
        pytest.param(sock(TcpState.LAST_ACK, info()), Standing.CLOSING, id="last-ack"),
        pytest.param(sock(TcpState.CLOSE_WAIT, info()), Standing.CLOSING, id="client-closed"),
        pytest.param(sock(TcpState.TIME_WAIT), Standing.GONE, id="time-wait"),
        pytest.param(sock(TcpState.CLOSE), Standing.GONE, id="closed"),
    ],
)
def test_where_a_socket_stands(socket: Socket, expected: Standing) -> None:
    """At first sight, without any history."""
    assert standing(socket) is expected


def tracked(*, acks_before: int = 5, answered: int = -1) -> Track:
    """Return the track of a connection that was looked at before its latest data."""
    return Track(7, 900.0, TcpState.ESTABLISHED, 900.0, 9, 5, acks_before, answered)


@pytest.mark.parametrize(
    ("tcp_info", "track", "expected"),
    [
        pytest.param(info(bare=6), tracked(), Standing.AMBIGUOUS, id="nothing-known"),
        pytest.param(
            info(ack=4960), tracked(acks_before=0), Standing.IDLE, id="acknowledged-later"
        ),
        pytest.param(
            info(ack=4799, rtt=500),
            tracked(acks_before=0),
            Standing.AMBIGUOUS,
            id="so-late-that-it-may-be-a-retransmission",
        ),
        pytest.param(
            info(ack=4799, rtt=90_000),
            tracked(acks_before=0),
            Standing.IDLE,
            id="as-late-as-the-way-is-long",
        ),
        pytest.param(
            info(60_000, 60_000, ack=15_000),
            tracked(acks_before=0),
            Standing.AMBIGUOUS,
            id="the-reply-to-a-keepalive",
        ),
        pytest.param(
            info(bare=5), tracked(acks_before=5), Standing.IDLE, id="acknowledged-by-an-answer"
        ),
        pytest.param(
            info(bare=6), tracked(acks_before=5), Standing.AMBIGUOUS, id="acknowledged-bare"
        ),
        pytest.param(
            info(800, 800, bare=5),
            tracked(acks_before=5),
            Standing.AMBIGUOUS,
            id="an-acknowledgement-may-still-be-pending",
        ),
        pytest.param(
            info(bare=1), tracked(acks_before=1), Standing.IDLE, id="only-its-first-data-was"
        ),
        pytest.param(
            info(bare=9, bytes_in=300),
            tracked(acks_before=0, answered=300),
            Standing.IDLE,
            id="proven-before-and-nothing-since",
        ),
        pytest.param(
            info(bare=9, bytes_in=301),
            tracked(acks_before=0, answered=300),
            Standing.AMBIGUOUS,
            id="proven-before-but-one-byte-since",
        ),
    ],
)
def test_both_spoke_in_the_same_tick(tcp_info: TcpInfo, track: Track, expected: Standing) -> None:
    """Only an observation that a waiting client could not cause makes it idle."""
    assert standing(sock(tcp_info=tcp_info), track) is expected


@pytest.mark.parametrize(
    ("state", "unacked", "limit"),
    [
        pytest.param(TcpState.FIN_WAIT1, 1, CLOSING_LIMIT, id="only-our-fin-is-unacknowledged"),
        pytest.param(TcpState.FIN_WAIT1, 900, STALLED_LIMIT, id="an-answer-is-unacknowledged"),
        pytest.param(TcpState.FIN_WAIT2, 0, CLOSING_LIMIT, id="client-does-not-close"),
        pytest.param(TcpState.CLOSING, 1, CLOSING_LIMIT, id="both-closed"),
        pytest.param(TcpState.LAST_ACK, 1, CLOSING_LIMIT, id="last-ack"),
        pytest.param(TcpState.LAST_ACK, 900, STALLED_LIMIT, id="last-ack-and-an-answer"),
        pytest.param(TcpState.CLOSE_WAIT, 0, ABANDONED_LIMIT, id="application-does-not-close"),
        pytest.param(TcpState.SYN_RECV, 0, OPENING_LIMIT, id="client-does-not-finish"),
    ],
)
def test_each_state_on_the_way_has_a_limit(state: TcpState, unacked: int, limit: float) -> None:
    """Half-dead connections do not hold a pod until its deadline."""
    old = int(limit * 1000)
    closing = sock(state, info(old, old, ack=old), unacked=unacked)
    track = follow(None, closing, NOW)

    assert standing(closing, track, NOW + limit - 0.001) is not Standing.GONE
    assert standing(closing, track, NOW + limit) is Standing.GONE


def test_a_sign_of_life_renews_the_limit() -> None:
    """A client on a slow line takes its answer for longer than any limit, but goes on."""
    closing = sock(TcpState.FIN_WAIT1, info(9, 900_000, ack=29_000), unacked=90_000)
    track = follow(None, closing, NOW)

    assert standing(closing, track, NOW + 600) is Standing.CLOSING


def test_the_limit_does_not_begin_before_the_state() -> None:
    """The FIN after a two-minute report comes two minutes after the client's last word."""
    closing = sock(TcpState.FIN_WAIT1, info(1, 120_000, ack=120_000), unacked=90_000)

    assert standing(closing) is Standing.CLOSING


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        pytest.param(sock(cookie=7), sock(cookie=7), True, id="same-cookie"),
        pytest.param(sock(tcp_info=info()), sock(tcp_info=info(), cookie=8), False, id="reused"),
        pytest.param(
            sock(TcpState.FIN_WAIT2, info()), sock(TcpState.TIME_WAIT, cookie=8), True, id="shrunk"
        ),
        pytest.param(
            sock(TcpState.FIN_WAIT2, info()),
            sock(TcpState.FIN_WAIT2, cookie=8),
            True,
            id="shrunk-in-the-same-state",
        ),
        pytest.param(
            sock(TcpState.FIN_WAIT2), sock(TcpState.FIN_WAIT2, cookie=8), False, id="shrunk-twice"
        ),
        pytest.param(
            sock(TcpState.SYN_RECV), sock(tcp_info=info(), cookie=7), True, id="handshake-done"
        ),
        pytest.param(sock(cookie=0), sock(cookie=0), True, id="a-source-without-cookies"),
    ],
)
def test_the_same_name_may_be_another_connection(
    before: Socket,
    after: Socket,
    same: bool,  # noqa: FBT001 # a column of the table
) -> None:
    """Clients use their ports again; the kernel's cookie tells."""
    assert is_same(follow(None, before, NOW), after) is same


def test_a_track_remembers_the_acknowledgements_before_the_latest_data() -> None:
    """So that those sent since then can be told from those sent before."""
    track = follow(None, sock(tcp_info=info(data_in=3, bare=4)), 1.0)
    track = follow(track, sock(tcp_info=info(data_in=3, bare=5)), 2.0)
    track = follow(track, sock(tcp_info=info(data_in=4, bare=6)), 3.0)

    assert (track.acks_before, track.acks, track.first_seen) == (5, 6, 1.0)


def test_the_first_data_may_have_been_acknowledged_bare() -> None:
    """Also of a connection that was looked at before its first request."""
    unused = sock(tcp_info=info(bytes_in=0, data_in=0, data_out=0, bare=0))
    answered = sock(tcp_info=info(data_in=1, data_out=3, bare=1))
    waiting = sock(tcp_info=info(data_in=2, data_out=3, bare=2))
    track = follow(None, unused, NOW)

    assert standing(answered, follow(track, answered, NOW)) is Standing.IDLE
    assert standing(waiting, follow(track, waiting, NOW)) is Standing.AMBIGUOUS


@pytest.mark.parametrize(
    ("bare", "expected"),
    [
        pytest.param(0, Standing.IDLE, id="none-since"),
        pytest.param(1, Standing.AMBIGUOUS, id="one-since"),
    ],
)
def test_data_in_the_syn_is_not_acknowledged_bare(bare: int, expected: Standing) -> None:
    """With TCP Fast Open the one bare acknowledgement is that of a waiting request."""
    found = sock(tcp_info=info(data_in=2, data_out=3, bare=bare, fast_open=True))

    assert standing(found) is expected


def test_a_track_that_says_the_same_is_the_same() -> None:
    """Ten thousand idle connections cost no new memory at each look."""
    track = follow(None, sock(tcp_info=info()), 1.0)

    assert follow(track, sock(tcp_info=info(90_000, 90_000)), 2.0) is track


def test_a_track_knows_since_when_its_state_is() -> None:
    """Limits run from the state, not from the connection."""
    track = follow(None, sock(tcp_info=info()), 1.0)
    track = follow(track, sock(TcpState.CLOSE_WAIT, info()), 5.0)
    track = follow(track, sock(TcpState.CLOSE_WAIT, info(bare=9)), 9.0)

    assert (track.first_seen, track.since) == (1.0, 5.0)


def test_a_proof_outlives_the_keepalives_that_follow_it() -> None:
    """They move the very counters that the proof rests on."""
    answered = sock(tcp_info=info(ack=4960))
    track = follow(None, answered, NOW)
    track = settle(track, answered, standing(answered, track))
    kept = sock(tcp_info=info(20_000, 20_000, ack=3, bare=77))
    track = follow(track, kept, NOW + 15)

    assert standing(kept, track, NOW + 15) is Standing.IDLE


AGES = st.integers(min_value=0, max_value=2**32 - 1)
COUNTS = st.integers(min_value=0, max_value=2**32 - 1)
INFOS = st.builds(
    TcpInfo,
    sent_age=AGES,
    recv_age=AGES,
    ack_age=AGES,
    rtt=COUNTS,
    bytes_received=COUNTS,
    data_segments_in=st.integers(0, 50),
    data_segments_out=st.integers(0, 50),
    bare_acks=COUNTS,
    fast_open=st.booleans(),
)
SOCKETS = st.builds(
    Socket,
    st.sampled_from([int(state) for state in TcpState]),
    st.booleans(),
    st.just(b"n"),
    st.just(80),
    st.integers(0, 3),
    st.integers(0, 2),
    st.integers(0, 2),
    st.booleans(),
    st.none() | INFOS,
)


@given(st.lists(SOCKETS, min_size=1, max_size=6))
def test_any_history_has_a_standing(history: list[Socket]) -> None:
    """No sequence of looks, however odd, makes the judgement fail or the silence negative."""
    track: Track | None = None
    for number, socket in enumerate(history):
        track = follow(track, socket, float(number))
        found, silent = assess(socket, track, float(number))
        track = settle(track, socket, found)

        assert found in Standing
        assert silent >= 0


@given(SOCKETS)
def test_a_client_that_waits_is_never_idle(socket: Socket) -> None:
    """The one mistake that kills a request: its data is the latest, by a tick or more."""
    tcp_info = socket.info
    if tcp_info is None or not tcp_info.bytes_received:
        return
    if tcp_info.recv_age < tcp_info.sent_age:
        assert standing(socket._replace(state=TcpState.ESTABLISHED)) is Standing.ACTIVE


@given(
    st.integers(min_value=1, max_value=40),
    st.integers(min_value=0, max_value=5),
    st.integers(min_value=int(SETTLED * 1000), max_value=10**7),
)
def test_a_long_poll_asked_again_at_once_is_never_idle(polls: int, slow: int, age: int) -> None:
    """Its data came in the tick of our last answer, and got a bare acknowledgement.

    Each poll is one segment each way; ``slow`` of the answers came so late that the request was
    acknowledged bare before them. The first request always is, and so is the one that waits.
    """
    bare = min(slow, polls - 1) + 1
    before = info(age + 1, age + 1, data_in=polls, data_out=polls, bare=bare)
    waiting = info(age, age, data_in=polls + 1, data_out=polls, bare=bare + 1, bytes_in=400)
    seen_before = follow(follow(None, sock(tcp_info=before), 1.0), sock(tcp_info=waiting), 2.0)

    assert standing(sock(tcp_info=waiting)) is Standing.AMBIGUOUS
    assert standing(sock(tcp_info=waiting), seen_before) is Standing.AMBIGUOUS
