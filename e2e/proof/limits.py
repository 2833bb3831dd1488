"""What no server can make good: clients that lose requests by themselves, each with its reason.

A limit explains a cell only if every single failure in it is of the kinds that it names, and if
they are few.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from e2e.clients.order import Protocol
from e2e.clients.report import ClientReport


@dataclass(frozen=True, slots=True)
class Limit:
    """One known weakness of one client."""

    client: str
    protocol: Protocol
    proxies: tuple[str, ...]
    kinds: tuple[str, ...]
    """Names of the failures, without their method."""
    reason: str
    """One line, for the user who sees it happen."""
    followers: tuple[str, ...] = ()
    """Failures that come of the others, so they explain nothing unless those are more."""
    at_most: float = 0.05
    """Share of the client's requests. A client has four in flight on each of three pods that
    drain, so 12 of the 700 that even a plain rollout gives it time for; seen: 4 of 2,463."""

    def explains(self, report: ClientReport) -> bool:
        """Whether every failure is of this limit's kinds, and they are no more than it allows."""
        if report.failed > self.at_most * report.requests:
            return False
        counted: Counter[str] = Counter()
        for kind, count in report.kinds.items():
            counted[kind.partition(" ")[2]] += count
        causes = sum(counted[kind] for kind in self.kinds)
        after = sum(counted[kind] for kind in self.followers)
        return causes > after and causes + after == counted.total()


_HTTPX: Final = (
    "drops its streams in flight when it reads a GOAWAY, whoever sent it (encode/httpcore#46,"
    " #1054), and now and then one without any"
)
LIMITS: Final = (
    Limit(
        client="httpx",
        protocol=Protocol.H2,
        proxies=("envoy",),
        kinds=("GoawayError", "ProtocolError", "StreamClosedError"),
        # One stream's task has read, and thrown away, the frames of another, which then sees the
        # connection end ("Server disconnected", seen once in nine losses), or nothing any more
        # until its own ReadTimeout of 5 s (seen once: it began 5 s before, within the 21 ms in
        # which two others of its connection were told "state ConnectionState.CLOSED").
        followers=("RemoteProtocolError", "CancelledError"),
        reason=_HTTPX,
    ),
    Limit(
        client="httpx",
        protocol=Protocol.H2,
        proxies=("nginx-h2", "nginx-reload"),
        kinds=("GoawayError", "StreamClosedError"),
        reason=_HTTPX,
    ),
    Limit(
        client="Node http2",
        protocol=Protocol.H2,
        # By Envoy once, one of 833 requests of a rollout: "refused unprocessed".
        proxies=("nginx-h2", "nginx-reload", "envoy"),
        kinds=("REFUSED_STREAM",),
        reason="leaves it to the program to send again what a GOAWAY has refused unprocessed (RFC"
        " 9113 section 8.7)",
    ),
)


def explanation(proxy: str, report: ClientReport, limits: Sequence[Limit] = LIMITS) -> Limit | None:
    """Return the limit that explains every failure of a client, or None."""
    for limit in limits:
        about = (limit.client, limit.protocol) == (report.client, report.protocol)
        if about and proxy in limit.proxies and limit.explains(report):
            return limit
    return None
