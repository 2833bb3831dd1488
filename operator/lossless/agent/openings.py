"""Connections that nobody saw: the kernel's count of accepted ones against those looked at.

A connection shorter than the time between two looks leaves a trace in TIME_WAIT only if our side
closed first; most clients without keep-alive close first themselves. But ``PassiveOpens`` in
``/proc/net/snmp`` counts each of them. What it counted and no look has seen was opened either
from outside or from within the pod (a health check on loopback, closed by RST). From within, if
no packets came in on another interface: a handshake takes two.
"""

from collections import deque
from typing import Final, NamedTuple

#: SYN, and the acknowledgement that ends the handshake.
HANDSHAKE_PACKETS: Final = 2


class Counters(NamedTuple):
    """What the network namespace has counted since it exists."""

    passive_opens: int
    """Connections accepted, however short they were."""
    packets: int
    """Packets received on all interfaces but loopback."""


class Openings:
    """Compares the kernel's counter with what was seen, look by look."""

    def __init__(self) -> None:
        """Start without a base: the first comparison sets it."""
        self._base: int | None = None
        self._most = 0
        self._packets: deque[int] = deque(maxlen=2)

    def restart(self) -> None:
        """Forget; the next comparison is the base of those that follow."""
        self._base = None
        self._most = 0
        self._packets.clear()

    def unseen(self, counters: Counters, seen: int) -> int:
        """Return how many connections from outside may have come and gone since the last look.

        The counter must be read before the sockets are. Then a connection opened in between is
        seen too early, never too late: the difference can only lag behind the truth, by one
        look, and its highest value so far is the number of those never seen.

        Args:
            counters: now.
            seen: connections seen to have been accepted, ever.
        """
        difference = counters.passive_opens - seen
        if self._base is None:
            self._base = difference
            self._packets.append(counters.packets)
            return 0
        more = difference - self._base - self._most
        # Two looks back, because of the lag.
        packets = counters.packets - self._packets[0]
        self._packets.append(counters.packets)
        if more <= 0:
            return 0
        self._most += more
        return min(more, packets // HANDSHAKE_PACKETS)
