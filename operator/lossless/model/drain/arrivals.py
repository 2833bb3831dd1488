"""Which new connections are clients, and which are the kubelet's readiness probes.

Readiness probes go on while a pod terminates, and come from an address of the pod's own node.
If they counted as clients, a pod with a probe every second would never be quiet. But an address
proves nothing: kube-proxy puts the node's own address into connections of real clients too
(ClusterIP and NodePort with ``externalTrafficPolicy: Cluster``).

So they are told apart by a budget. A probe of period *p* opens at most ``floor(w/p) + 1``
connections in any window of *w* seconds, to a known port, and each lives for less than its
timeout. Whatever stays within that may be a probe and is not held against the pod's quiet;
whatever goes beyond it, or lives longer, is a client. A client can hide in the budget's slack
only at the rate of the probe itself, less than one connection in *w* seconds for the usual probe
of 10 s and *quiet* of 3 s, and such a client would find the same gap without any budget. Nor
does the budget close anything: while a connection is open, it counts like any other.

Connections too short to be seen have the same budget again. A probe of a proxy makes the proxy open
another connection, to its app, and HAProxy ends that by RST (2.6: three requests, three connections
of which no TIME_WAIT is left): the kernel has counted it, and nothing tells whose it was.
"""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from lossless.model.drain.agent_config import Probe


class Arrival(NamedTuple):
    """A new connection that may have been opened by the kubelet."""

    at: float
    """When it was first seen."""
    port: int | None
    """Local port; None for one too short to be seen, known only from the kernel's counter."""
    last_seen: float
    """When it was last seen open; ``at`` if never."""


@dataclass(frozen=True, slots=True)
class _Allowance:
    connections: int
    lifetime: float


def allowances(probes: Iterable[Probe], window: float) -> dict[int, _Allowance]:
    """Return what the probes of each port may open within ``window`` seconds."""
    allowed: dict[int, _Allowance] = {}
    for probe in probes:
        count = math.floor(window / probe.period) + 1
        known = allowed.get(probe.port, _Allowance(0, 0.0))
        allowed[probe.port] = _Allowance(
            known.connections + count, max(known.lifetime, probe.timeout)
        )
    return allowed


def newest_client(
    arrivals: Iterable[Arrival], probes: Iterable[Probe], window: float, now: float
) -> float | None:
    """Return when the newest connection arrived that cannot have been a probe.

    Args:
        arrivals: those whose origin may be the kubelet, of any age.
        probes: what the kubelet is known to do.
        window: seconds; the drain's ``quiet``.
        now: on the clock of the arrivals.
    """
    allowed = allowances(probes, window)
    recent: Counter[int | None] = Counter()
    newest: dict[int | None, float] = {}
    clients: list[float] = []
    for arrival in arrivals:
        if arrival.port is not None:
            allowance = allowed.get(arrival.port)
            if allowance is None or arrival.last_seen - arrival.at >= allowance.lifetime:
                clients.append(arrival.at)
                continue
        if now - arrival.at < window:
            recent[arrival.port] += 1
            newest[arrival.port] = max(newest.get(arrival.port, arrival.at), arrival.at)
    for port, allowance in allowed.items():
        if recent[port] > allowance.connections:
            clients.append(newest[port])
    if recent[None] > sum(allowance.connections for allowance in allowed.values()):
        clients.append(newest[None])
    return max(clients, default=None)
