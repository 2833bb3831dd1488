"""Is a controller alive: the freshness of its Lease, judged without trusting anybody's clock."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

#: A Lease cannot claim to be fresh for longer than this, whatever its leaseDurationSeconds.
LONGEST: Final = 60.0


@dataclass(frozen=True, slots=True)
class Lease:
    """``coordination.k8s.io/v1`` Lease, as far as freshness needs it."""

    holder: str
    renewed: str
    """``renewTime`` as text; compared with itself, and parsed only at first sight."""
    duration: float
    """``leaseDurationSeconds``; 0 if it says nothing usable."""


def parse_lease(raw: Mapping[str, Any]) -> Lease:
    """Return the Lease; what is missing or of the wrong kind makes it one that is not fresh."""
    spec = raw.get("spec")
    spec = spec if isinstance(spec, Mapping) else {}
    duration = spec.get("leaseDurationSeconds")
    usable = isinstance(duration, int) and not isinstance(duration, bool) and duration > 0
    return Lease(
        holder=str(spec.get("holderIdentity") or ""),
        renewed=str(spec.get("renewTime") or ""),
        duration=min(float(duration or 0), LONGEST) if usable else 0.0,
    )


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
        return self._clock() - self._changed <= self._lease.duration + self._tolerance

    def _first_sight(self, lease: Lease) -> float | None:
        try:
            age = (self._wall() - datetime.fromisoformat(lease.renewed)).total_seconds()
        except (ValueError, TypeError):
            return None
        if not -self._tolerance <= age <= lease.duration + self._tolerance:
            return None
        return self._clock() - max(0.0, age)
