"""New connections of a draining pod: clients at once, or perhaps the kubelet's probes."""

from collections import deque
from collections.abc import Collection, Iterable
from typing import Final

from lossless.model.drain.agent_config import Probe
from lossless.model.drain.arrivals import Arrival, newest_client

#: New connections that may be probes are held one by one up to this number; more are clients.
MAX_SUSPECTS: Final = 1_000
#: The same for those that nobody saw, in one look: more than any kubelet opens in that time.
MAX_UNSEEN: Final = 50


class Newcomers:
    """Who has come within the last ``window`` seconds, and when the last client did."""

    def __init__(self, probes: Collection[Probe], window: float) -> None:
        """Take the probes the kubelet makes, and the drain's ``quiet`` in seconds."""
        self._probes = probes
        self._window = window
        self._clients: deque[tuple[float, int]] = deque()
        self._suspects: dict[bytes, Arrival] = {}
        self._unseen: deque[tuple[float, int]] = deque()
        self._newest: float | None = None

    def restart(self) -> None:
        """Forget everybody."""
        self._clients.clear()
        self._suspects.clear()
        self._unseen.clear()
        self._newest = None

    def add(
        self,
        now: float,
        *,
        clients: int,
        suspects: Iterable[tuple[bytes, int]],
        unseen: int,
        still_open: Collection[bytes],
    ) -> None:
        """Take what one look has found.

        Args:
            now: when it began.
            clients: new connections that cannot come from the kubelet.
            suspects: name and local port of those that can.
            unseen: connections that have come and gone.
            still_open: names of all connections that are open.
        """
        for name, arrival in list(self._suspects.items()):
            if name in still_open:
                self._suspects[name] = arrival._replace(last_seen=now)
            elif now - arrival.at >= self._window:
                del self._suspects[name]
        for name, port in suspects:
            if len(self._suspects) < MAX_SUSPECTS:
                self._suspects[name] = Arrival(now, port, now)
            else:
                clients += 1
        _add(self._clients, now, clients, self._window)
        _add(self._unseen, now, min(unseen, MAX_UNSEEN), self._window)
        if clients:
            self._newest = now

    def summary(self, now: float) -> tuple[float | None, int]:
        """Return when the last client came, and how many have within the window.

        Probes are not among them, as long as everything that may be one stays in their budget.
        """
        _drop(self._clients, now, self._window)
        _drop(self._unseen, now, self._window)
        suspects = list(self._suspects.values())
        for at, count in self._unseen:
            suspects += [Arrival(at, None, at)] * count
        recent = sum(count for _, count in self._clients)
        newest = newest_client(suspects, self._probes, self._window, now)
        if newest is not None:
            recent += sum(1 for one in suspects if now - one.at < self._window)
            if self._newest is None or newest > self._newest:
                self._newest = newest
        return self._newest, recent


def _add(entries: deque[tuple[float, int]], now: float, count: int, window: float) -> None:
    _drop(entries, now, window)
    if count:
        entries.append((now, count))


def _drop(entries: deque[tuple[float, int]], now: float, window: float) -> None:
    while entries and now - entries[0][0] >= window:
        entries.popleft()
