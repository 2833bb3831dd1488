"""Whether those that serve clients are still at work, as their sockets show it."""

import pytest

from lossless.agent.addresses import within_pod
from lossless.agent.main_containers import look
from lossless.model.drain.evidence import Socket, TcpState
from lossless.model.drain.release_rule import Presence
from tests.agent.builders import POD, ScriptedSockets, listener, sock

SQL = listener("127.0.0.1:5432")
AGENT = listener(":::9913")


@pytest.mark.parametrize(
    ("listening", "open_now", "presence"),
    [
        pytest.param([listener(), SQL], [], Presence.HERE, id="listens"),
        pytest.param([listener(":::80")], [], Presence.HERE, id="listens-on-ipv6"),
        pytest.param([SQL, AGENT], [], Presence.GONE, id="gone"),
        pytest.param([], [], Presence.GONE, id="nobody-at-all"),
        pytest.param(
            [SQL],
            [sock("127.0.0.1:40000", local="127.0.0.1:5432")],
            Presence.HERE,
            id="works-with-its-sidecar",
        ),
        pytest.param(
            [listener("0.0.0.0:5432")],
            [sock(f"{POD}:40000", local=f"{POD}:5432")],
            Presence.HERE,
            id="by-the-pods-own-address",
        ),
        pytest.param(
            [SQL],
            [sock("127.0.0.1:40000", TcpState.FIN_WAIT2, local="127.0.0.1:5432")],
            Presence.GONE,
            id="has-closed-it",
        ),
        pytest.param(
            [listener("0.0.0.0:5432")],
            [sock(local=f"{POD}:5432")],
            Presence.GONE,
            id="somebody-elses-connection",
        ),
        pytest.param(
            [AGENT],
            [sock("127.0.0.1:40000", local="127.0.0.1:9913")],
            Presence.GONE,
            id="a-connection-to-the-agent",
        ),
        pytest.param(
            [SQL],
            [sock("127.0.0.1:5432", local="127.0.0.1:40000")],
            Presence.GONE,
            id="only-the-clients-end-of-one",
        ),
    ],
)
def test_the_main_containers(
    listening: list[Socket], open_now: list[Socket], presence: Presence
) -> None:
    """They are here as long as they listen, or somebody works with a sidecar."""
    sockets = ScriptedSockets(*open_now)
    sockets.listening = listening

    assert look(sockets, (80,), 9913, within_pod) is presence


@pytest.mark.parametrize("failure", [OSError("no such protocol"), ValueError("not a dump")])
def test_what_cannot_be_read_is_not_gone(failure: Exception) -> None:
    """Unknown is never the same as nothing being there."""
    sockets = ScriptedSockets()
    sockets.failure = failure

    assert look(sockets, (80,), 9913, within_pod) is Presence.UNKNOWN
