"""What a client is told, as environment variables: the easiest thing to read in every language.

=============== =============================================================================
``URL``         ``http://host:port``, without a path
``PROTOCOL``    ``h1``, ``h2``, ``grpc`` or ``ws``
``CONNECTIONS`` tasks or threads that send a request, think, and send the next
``THINK``       seconds between an answer and the next request, on the average
``MIX``         ``METHOD:BYTES,…``: what each of them sends in turn
``SLOW``        further tasks, which ask for answers that take
``SLOW_SECONDS`` so long
``SECONDS``     when the client ends by itself
``GRACE``       seconds for what is in flight when it is stopped; 15 unless tests in Python are
                in a hurry
=============== =============================================================================
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

SMALL: Final = 128
LARGE: Final = 300_000


class Protocol(StrEnum):
    """What a client speaks, without TLS."""

    H1 = "h1"
    H2 = "h2"
    GRPC = "grpc"
    WEBSOCKET = "ws"


_HTTP: Final = f"GET:0,PUT:{SMALL},POST:{SMALL},GET:0,PUT:{SMALL},POST:{LARGE}"
#: What is sent in turn. One request in six is large: two cores carry all clients and the cluster.
MIXES: Final = {
    Protocol.H1: _HTTP,
    Protocol.H2: _HTTP,
    Protocol.GRPC: f"UNARY:{SMALL},STREAM:{SMALL},UNARY:{LARGE}",
    Protocol.WEBSOCKET: f"MESSAGE:{SMALL},MESSAGE:{SMALL},MESSAGE:{LARGE}",
}


@dataclass(frozen=True, slots=True)
class Order:
    """What one client is to do."""

    url: str
    protocol: Protocol
    connections: int = 3
    think: float = 0.1
    """Seconds; three connections then send some 25 requests a second."""
    slow: int = 1
    slow_seconds: float = 4.0
    seconds: float = 600.0

    def command(self, argv: Sequence[str]) -> list[str]:
        """Return a command that gives the order to a program, whatever environment starts it."""
        return ["env", *(f"{key}={value}" for key, value in self.environment().items()), *argv]

    def environment(self) -> dict[str, str]:
        """Return the environment variables."""
        return {
            "URL": self.url,
            "PROTOCOL": self.protocol,
            "CONNECTIONS": str(self.connections),
            "THINK": f"{self.think:g}",
            "MIX": MIXES[self.protocol],
            "SLOW": str(self.slow),
            "SLOW_SECONDS": f"{self.slow_seconds:g}",
            "SECONDS": f"{self.seconds:g}",
        }
