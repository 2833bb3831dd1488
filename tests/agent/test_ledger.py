"""From one look to the next: what counts, what is new, what holds on longest."""

from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest

from lossless.agent.addresses import pack, within_none, within_pod
from lossless.agent.ledger import Ledger
from lossless.agent.openings import Counters
from lossless.model.drain.agent_config import AgentConfig, Probe
from lossless.model.drain.drain_rule import Sample
from lossless.model.drain.evidence import Socket, TcpState
from lossless.model.policy import IdleConnections
from lossless.model.report import Oldest
from tests.agent.builders import CLIENT, NODE, POD, a_config, listener, sock, spoken

PROBE = Probe(port=80, period=10.0, timeout=1.0)


class Watch:
    """A ledger whose clock goes one second with each look."""

    def __init__(
        self,
        config: AgentConfig | None = None,
        *,
        inside: Callable[[bytes, bytes], bool] = within_pod,
        nodes: Iterable[str] = (NODE,),
        own: Callable[[int], bool] = lambda _: False,
        **bounds: int,
    ) -> None:
        """Begin at second 100, with a listener on port 80."""
        self.ledger = Ledger(
            config or a_config(), inside=inside, nodes=map(pack, nodes), own=own, **bounds
        )
        self.ledger.watch()
        self.now = 100.0
        self.listening: Iterable[Socket] = (listener(),)

    def look(self, *found: Socket, counters: Counters | None = None, accepted: int = 0) -> Sample:
        """Return the sample of one look."""
        self.now += 1.0
        self.ledger.begin(self.now)
        self.ledger.listeners(self.listening)
        self.ledger.add(found)
        return self.ledger.finish(counters, accepted)


ACTIVE = sock(info=spoken(9000, 10))


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param([], {}, id="nothing"),
        pytest.param([ACTIVE], {"active": 1}, id="a-client"),
        pytest.param([sock()], {"idle": 1}, id="an-idle-client"),
        pytest.param([sock(info=spoken(61_000, 62_000))], {"idle": 1, "expired": 1}, id="expired"),
        pytest.param([sock(state=TcpState.SYN_RECV)], {"opening": 1}, id="opening"),
        pytest.param([sock(state=TcpState.FIN_WAIT2)], {"closing": 1}, id="closing"),
        pytest.param([sock(state=TcpState.TIME_WAIT)], {}, id="time-wait"),
        pytest.param(
            [sock("127.0.0.1:5000", local="127.0.0.1:80")], {"inside": 1}, id="from-loopback"
        ),
        pytest.param([sock(f"{POD}:5000", local=f"{POD}:80")], {"inside": 1}, id="from-itself"),
        pytest.param([sock(local=f"{POD}:34567", peer="10.9.9.9:443")], {}, id="outbound"),
        pytest.param([sock(local=f"{POD}:9913")], {}, id="the-agents-own"),
        pytest.param(
            [sock("::ffff:10.2.0.7:4711", local="::ffff:10.1.0.5:80", info=spoken(9000, 10))],
            {"active": 1},
            id="a-client-of-a-dual-stack-listener",
        ),
        pytest.param(
            [sock("2001:db8::7:4711", local="2001:db8::5:80", info=spoken(9000, 10))],
            {"active": 1},
            id="a-client-over-ipv6",
        ),
    ],
)
def test_what_counts(found: list[Socket], expected: dict[str, int]) -> None:
    """Inbound, from outside, on a port that something listens on."""
    sample = Watch().look(*found)
    kinds = ("active", "ambiguous", "opening", "closing", "idle", "expired", "inside")

    assert {kind: getattr(sample, kind) for kind in kinds} == dict.fromkeys(kinds, 0) | expected


def test_only_configured_ports_count_if_there_are_any() -> None:
    """A metrics port that is scraped for ever would hold every pod."""
    watch = Watch(a_config(ports=(80,)))
    watch.listening = (listener(), listener("0.0.0.0:9090"))

    assert watch.look(ACTIVE, sock(local=f"{POD}:9090", info=spoken(9000, 10))).active == 1


def test_a_configured_port_counts_though_nobody_listens_any_more() -> None:
    """An application may close its listener while it still answers."""
    watch = Watch(a_config(ports=(80,)))
    watch.listening = ()

    assert watch.look(ACTIVE).active == 1


def test_a_port_once_listened_on_counts_until_the_end() -> None:
    """The same without configured ports."""
    watch = Watch()
    watch.look(ACTIVE)
    watch.listening = ()

    assert watch.look(ACTIVE).active == 1


def test_a_port_of_loopback_alone_does_not_count() -> None:
    """Nobody outside can reach it."""
    watch = Watch()
    watch.listening = (listener("127.0.0.1:80"),)

    assert watch.look(ACTIVE).active == 0


def test_the_accept_backlog_is_told() -> None:
    """Of the ports that count, not of the agent's own."""
    watch = Watch()
    watch.listening = (listener(backlog=3), listener("0.0.0.0:9913", backlog=9))

    assert watch.look().backlog == 3


def test_who_is_there_at_the_first_look_is_not_new() -> None:
    """The first look is the base; who comes later is new, once."""
    watch = Watch()
    other = sock(f"{CLIENT}:4712")

    assert watch.look(sock()).newest is None
    second = watch.look(sock(), other)
    third = watch.look(sock(), other)

    assert (second.newest, second.new) == (second.at, 1)
    assert (third.newest, third.new) == (second.at, 1)


def test_watching_begins_anew_with_a_drain() -> None:
    """Who came while the pod served is not new to its drain."""
    watch = Watch()
    watch.look()
    watch.ledger.watch()

    assert watch.look(sock()).newest is None
    assert watch.look(sock(), sock(f"{CLIENT}:4712")).newest == watch.now


@pytest.mark.parametrize(
    ("before", "after", "new"),
    [
        pytest.param([], [sock(state=TcpState.TIME_WAIT)], True, id="closed-between-two-looks"),
        pytest.param(
            [sock()],
            [sock(state=TcpState.TIME_WAIT, cookie=99)],
            False,
            id="the-end-of-a-known-one",
        ),
        pytest.param(
            [sock(state=TcpState.TIME_WAIT, cookie=99)],
            [sock(state=TcpState.TIME_WAIT, cookie=99)],
            False,
            id="known-as-history",
        ),
        pytest.param(
            [sock(state=TcpState.TIME_WAIT, cookie=99)],
            [sock(state=TcpState.TIME_WAIT, cookie=100)],
            True,
            id="the-same-port-of-the-client-once-more",
        ),
        pytest.param([sock(cookie=7)], [sock(cookie=8)], True, id="reopened-from-the-same-port"),
        pytest.param(
            [sock(state=TcpState.SYN_RECV, cookie=7)],
            [sock(cookie=7)],
            False,
            id="its-handshake-has-been-seen",
        ),
        pytest.param([], [sock(state=TcpState.SYN_RECV)], True, id="a-handshake"),
        pytest.param([], [sock("127.0.0.1:5", local="127.0.0.1:80")], False, id="from-inside"),
        pytest.param(
            [],
            [sock("127.0.0.1:80", TcpState.TIME_WAIT, local="127.0.0.1:50000")],
            False,
            id="the-clients-end-of-one-inside",
        ),
        pytest.param([], [sock(local=f"{POD}:9913")], False, id="to-the-agent"),
        pytest.param(
            [], [sock(state=TcpState.TIME_WAIT, local=f"{POD}:9913")], False, id="was-to-the-agent"
        ),
        pytest.param(
            [],
            [sock("10.9.9.9:443", TcpState.TIME_WAIT, local=f"{POD}:34567")],
            False,
            id="outbound",
        ),
    ],
)
def test_what_is_new(before: list[Socket], after: list[Socket], new: bool) -> None:  # noqa: FBT001 # a column
    """A connection that no earlier look has seen, from outside."""
    watch = Watch()
    watch.look(*before)
    sample = watch.look(*after)

    assert sample.newest == (sample.at if new else None)


def test_nobody_is_new_to_a_pod_that_serves() -> None:
    """Looks are rare then, and nothing waits for quiet."""
    ledger = Ledger(a_config(), inside=within_pod, nodes=[])
    samples = []
    for number, found in enumerate([[], [sock()]]):
        ledger.begin(float(number))
        ledger.listeners([listener()])
        ledger.add(found)
        samples.append(ledger.finish(Counters(number, number * 9), 0))

    assert [(one.newest, one.new, one.idle) for one in samples] == [(None, 0, 0), (None, 0, 1)]


def test_a_look_that_is_not_finished_leaves_no_trace() -> None:
    """The kernel's answer may break off in the middle."""
    watch = Watch()
    watch.look(sock())
    watch.ledger.begin(watch.now + 0.5)
    watch.ledger.listeners(watch.listening)
    watch.ledger.add([sock(f"{CLIENT}:4712")])

    assert watch.look(sock()).newest is None
    assert watch.look(sock(), sock(f"{CLIENT}:4712")).newest == watch.now


@pytest.mark.parametrize(
    ("peer", "port", "client"),
    [
        pytest.param(f"{NODE}:50000", 80, False, id="from-the-node-to-the-probed-port"),
        pytest.param(f"{NODE}:50000", 81, True, id="from-the-node-to-another-port"),
        pytest.param(f"{CLIENT}:50000", 80, True, id="from-elsewhere"),
    ],
)
def test_probes_come_from_the_node_to_their_port(peer: str, port: int, client: bool) -> None:  # noqa: FBT001 # a column
    """Only they may be taken for one."""
    watch = Watch(a_config(probes=(PROBE,)))
    watch.listening = (listener(), listener("0.0.0.0:81"))
    watch.look()
    sample = watch.look(sock(peer, TcpState.TIME_WAIT, local=f"{POD}:{port}"))

    assert (sample.newest is not None) is client


def test_a_probe_counts_while_it_is_open() -> None:
    """Nobody can say that it is not a client behind the node's address."""
    watch = Watch(a_config(probes=(PROBE,)))
    watch.look()
    sample = watch.look(sock(f"{NODE}:50000", info=spoken(9000, 10)))

    assert (sample.active, sample.newest) == (1, None)


def test_whoever_holds_is_the_kubelet() -> None:
    """Some CNIs use another address of the node than any that the agent was told."""
    watch = Watch(a_config(probes=(PROBE,)))
    watch.ledger.know_node(pack("169.254.7.1"))
    watch.look()

    assert watch.look(sock("169.254.7.1:50000", TcpState.TIME_WAIT)).newest is None


def test_connections_that_nobody_saw_are_new() -> None:
    """The kernel has counted three; one was seen, one is the agent's own, one is not accounted."""
    watch = Watch()
    watch.look(counters=Counters(500, 0), accepted=7)
    watch.listening = (listener(),)
    sample = watch.look(sock(state=TcpState.TIME_WAIT), counters=Counters(503, 90), accepted=8)

    assert (sample.newest, sample.new) == (sample.at, 2)


@pytest.mark.parametrize(
    "found",
    [
        pytest.param([sock("127.0.0.1:5", local="127.0.0.1:80")], id="from-inside"),
        pytest.param(
            [sock("127.0.0.1:80", TcpState.TIME_WAIT, local="127.0.0.1:50000")],
            id="closed-first-by-the-client-inside",
        ),
        pytest.param([sock("127.0.0.1:5", local="127.0.0.1:9000")], id="to-a-loopback-port"),
    ],
)
def test_what_happens_inside_is_accounted_for(found: list[Socket]) -> None:
    """The kernel counts connections of loopback too."""
    watch = Watch()
    watch.listening = (listener(), listener("127.0.0.1:9000"))
    watch.look(counters=Counters(500, 0))

    assert watch.look(*found, counters=Counters(501, 90)).newest is None


def test_the_agents_backlog_is_accounted_for() -> None:
    """The kernel has accepted it, the agent has not yet."""
    watch = Watch()
    watch.look(counters=Counters(500, 0))
    watch.listening = (listener(), listener("0.0.0.0:9913", backlog=1))

    assert watch.look(counters=Counters(501, 90)).newest is None


def test_a_handshake_is_accounted_for_when_it_is_done() -> None:
    """Until then the kernel does not count it either."""
    watch = Watch()
    watch.look(counters=Counters(500, 0))
    opening = watch.look(sock(state=TcpState.SYN_RECV, cookie=7), counters=Counters(500, 9))
    sample = watch.look(sock(cookie=7), counters=Counters(501, 18))

    assert sample.newest == opening.at


def test_the_oldest_is_the_one_that_holds_on() -> None:
    """An active one before any idle one, and of these the one seen first."""
    watch = Watch()
    watch.look(sock(f"{CLIENT}:1"))
    watch.look(sock(f"{CLIENT}:1"), sock(f"{CLIENT}:2", info=spoken(9000, 10)))
    sample = watch.look(
        sock(f"{CLIENT}:3", info=spoken(9000, 10)),
        sock(f"{CLIENT}:2", info=spoken(9000, 10)),
        sock(f"{CLIENT}:1"),
    )

    assert sample.oldest == Oldest(f"{CLIENT}:2", 1.0)
    assert watch.look(sock(f"{CLIENT}:1")).oldest == Oldest(f"{CLIENT}:1", 3.0)


@pytest.mark.parametrize(
    ("idle", "oldest"),
    [
        pytest.param(IdleConnections.DISCARD, None, id="discard"),
        pytest.param(IdleConnections.WAIT, Oldest(f"{CLIENT}:4711", 0.0), id="wait"),
    ],
)
def test_a_discarded_connection_holds_nothing(idle: IdleConnections, oldest: Oldest | None) -> None:
    """So it is not named as the one that does."""
    sample = Watch(a_config(idle=idle)).look(sock(info=spoken(61_000, 62_000)))

    assert sample.oldest == oldest


def test_too_many_connections_are_counted_but_not_remembered() -> None:
    """They look new each time: the pod is not quiet, and the memory is bounded."""
    watch = Watch(max_tracks=3)
    crowd = [sock(f"{CLIENT}:{port}") for port in range(1, 6)]
    watch.look(*crowd)
    sample = watch.look(*crowd)

    assert (sample.idle, sample.newest, sample.new) == (5, sample.at, 2)


def test_too_much_history_tells_nothing() -> None:
    """And nothing is concluded from the part that is remembered, until it is all there again."""
    watch = Watch(max_history=3)
    history = [sock(f"{CLIENT}:{port}", TcpState.TIME_WAIT) for port in range(1, 9)]
    watch.look(*history)

    assert watch.look(*reversed(history)).newest is None
    assert watch.look(*history[:2]).newest is None
    assert watch.look(*history[:1], history[7]).newest == watch.now


AGENT_OF_HOST = 20_080
HOST = replace(a_config(ports=(80,), agent_port=AGENT_OF_HOST), host_network=True)
ASKS = 40_001


def on_node() -> Watch:
    """Return the watch of a pod on its node's network, whose agent asks from one port."""
    watch = Watch(
        HOST, inside=within_none, nodes=(NODE, "127.0.0.1"), own=lambda port: port == ASKS
    )
    watch.listening = (listener(), listener(f"0.0.0.0:{AGENT_OF_HOST}"), listener("0.0.0.0:22"))
    return watch


@pytest.mark.parametrize(
    ("found", "active"),
    [
        pytest.param(sock(info=spoken(9000, 10)), 1, id="a client"),
        pytest.param(
            sock(f"{NODE}:5000", local=f"{NODE}:80", info=spoken(9000, 10)), 1, id="its own node"
        ),
        pytest.param(
            sock("127.0.0.1:5000", local="127.0.0.1:80", info=spoken(9000, 10)),
            1,
            id="another pod's proxy, over loopback",
        ),
        pytest.param(
            sock(f"127.0.0.1:{ASKS}", local="127.0.0.1:80", info=spoken(9000, 10)),
            0,
            id="a question of the agent's own",
        ),
        pytest.param(
            sock(f"{CLIENT}:{ASKS}", local=f"{NODE}:80", info=spoken(9000, 10)),
            1,
            id="a client from afar, with the port of a question",
        ),
        pytest.param(
            sock(local=f"{NODE}:22", info=spoken(9000, 10)), 0, id="to another process of the node"
        ),
        pytest.param(
            sock(local=f"{NODE}:{AGENT_OF_HOST}", info=spoken(9000, 10)), 0, id="to the agent"
        ),
    ],
)
def test_whose_connections_count_on_the_nodes_network(found: Socket, active: int) -> None:
    """Those to the pod's ports, loopback ones too, but for the agent's own questions."""
    watch = on_node()
    watch.look()
    sample = watch.look(found)
    assert (sample.active, sample.new) == (active, active)


def test_a_question_stays_one_though_its_port_is_free_again() -> None:
    """What was the agent's own at first sight is not a client later, and its remains neither."""
    own = {ASKS}
    watch = Watch(HOST, inside=within_none, own=own.__contains__)
    question = f"127.0.0.1:{ASKS}"
    local = "127.0.0.1:80"
    watch.look()
    assert watch.look(sock(question, local=local, cookie=7)).inside == 1
    own.clear()
    assert watch.look(sock(question, local=local, cookie=7)).counting(HOST.drain) == 0
    left = sock(question, TcpState.TIME_WAIT, local=local, cookie=8)
    assert watch.look(left).new == 0
    assert watch.look(sock(question, local=local, cookie=9)).new == 1


def test_the_kubelet_probes_over_loopback_on_the_nodes_network() -> None:
    """A probe is no client, from loopback or from the node's address."""
    config = replace(HOST, probes=(PROBE,))
    for address in ("127.0.0.1", NODE):
        watch = Watch(config, inside=within_none, nodes=(NODE, "127.0.0.1"))
        watch.look()
        probe = sock(f"{address}:5000", TcpState.TIME_WAIT, local=f"{address}:80")
        assert watch.look(probe).newest is None
