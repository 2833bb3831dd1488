"""Looks whether the containers that serve clients are still at work."""

from collections.abc import Callable, Collection
from contextlib import closing

from lossless.agent.addresses import local_address, peer_address
from lossless.agent.sockets import Sockets
from lossless.model.drain.evidence import TcpState
from lossless.model.drain.release_rule import Presence


def look(
    sockets: Sockets,
    ports: Collection[int],
    agent_port: int,
    inside: Callable[[bytes, bytes], bool],
) -> Presence:
    """Return what the sockets say (``model.release_rule`` says why these).

    Args:
        sockets: of the pod's network namespace.
        ports: on which the main containers listen.
        agent_port: the agent's own, on which connections mean nothing.
        inside: tells from local and peer address whether a connection stays in the pod.
    """
    try:
        with closing(sockets.read(ports)) as reading:
            heard = {one.port for one in next(reading)} - {agent_port}
            if not heard.isdisjoint(ports):
                return Presence.HERE
            for batch in reading:
                for one in batch:
                    if (
                        one.state == TcpState.ESTABLISHED
                        and one.port in heard
                        and inside(local_address(one), peer_address(one))
                    ):
                        return Presence.HERE
    except (OSError, ValueError):
        return Presence.UNKNOWN
    return Presence.GONE
