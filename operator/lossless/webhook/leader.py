"""Is a controller alive: the freshness of its Lease, judged without trusting anybody's clock."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from lossless.cluster.lease import Lease

#: A Lease cannot claim to be fresh for longer than this, whatever its leaseDurationSeconds.
LONGEST: Final = 60.0


class LeaderSign:
    """Remembers when the Lease was last *seen to change*, as client-go's elections do.

    Only at first sight is there nothing to compare with; then the renewTime must be recent by our
    wall clock. With a skewed clock that costs some seconds without a gate, until the next renewal.
    """

    def __init__(
        self,
        tolerance: float,
        clock: Callable[[], float],
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Begin with no leader.

        Args:
            tolerance: seconds that a renewal may be late on its way to us.
            clock: monotonic seconds.
            wall: the time of day, with its zone.
        """
        self._tolerance = tolerance
        self._clock = clock
        self._wall = wall
        self._lease: Lease | None = None
        self._changed: float | None = None

    def observe(self, lease: Lease | None) -> None:
        """Take note of the Lease as it is now; None if it does not exist."""
        before, self._lease = self._lease, lease
        if lease is None or not lease.holder:
            self._changed = None
        elif before is None:
            self._changed = self._first_sight(lease)
        elif (before.holder, before.renewed) != (lease.holder, lease.renewed):
            self._changed = self._clock()

    def fresh(self) -> bool:
        """Return whether a controller holds the Lease and has renewed it in time."""
        if self._lease is None or self._changed is None or not self._lease.duration:
            return False
        return self._clock() - self._changed <= self._longest(self._lease)

    def _first_sight(self, lease: Lease) -> float | None:
        try:
            age = (self._wall() - datetime.fromisoformat(lease.renewed)).total_seconds()
        except (ValueError, TypeError):
            return None
        if not -self._tolerance <= age <= self._longest(lease):
            return None
        return self._clock() - max(0.0, age)

    def _longest(self, lease: Lease) -> float:
        return min(lease.duration, LONGEST) + self._tolerance
