"""The table of the paces, and what it proves."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from e2e.sample.manifests import Variant
from e2e.support.table import aligned


class Pace(StrEnum):
    """Who or what paces a rollout; the columns of the table."""

    PLAIN = "plain"
    SLEEP = "preStop: sleep"
    ONE = "maxDraining: 1"
    OWN = "default"

    @property
    def variant(self) -> Variant:
        """How pods stop."""
        match self:
            case Pace.PLAIN:
                return Variant.PLAIN
            case Pace.SLEEP:
                return Variant.SLEEP
            case Pace.ONE | Pace.OWN:
                return Variant.LOSSLESS

    @property
    def pacing(self) -> dict[str, Any]:
        """``spec.pacing`` of the LosslessRollout."""
        return {"maxDraining": 1} if self is Pace.ONE else {}


@dataclass(frozen=True, slots=True)
class Row:
    """One rollout under load."""

    replicas: int
    pace: Pace
    seconds: float
    requests: int
    failed: int
    limit: float | None = None
    """Seconds that its waves take at least: for each the slowest start, and its slowest drain."""


_HEADS: Final = ("replicas", "paced by", "seconds", "waves alone", "requests", "failed")


def table(rows: Sequence[Row]) -> str:
    """Return what each rollout took and lost."""
    cells = [
        (
            str(row.replicas),
            row.pace.value,
            f"{row.seconds:.1f}",
            "" if row.limit is None else f"{row.limit:.1f}",
            f"{row.requests:,}",
            f"{row.failed:,}",
        )
        for row in rows
    ]
    return aligned(_HEADS, cells, left=(1,))


def verdict(rows: Sequence[Row]) -> tuple[bool, str]:
    """Return whether lossless rollouts lost nothing where plain ones lost some, and say so."""
    control = sum(row.failed for row in rows if row.pace is Pace.PLAIN)
    lost = [row for row in rows if row.pace.variant is Variant.LOSSLESS and row.failed]
    if lost:
        named = ", ".join(f"{row.replicas} replicas, {row.pace}" for row in lost)
        return False, f"BROKEN: lossless rollouts lost requests: {named}."
    if not control:
        return False, "Nothing is proved: the plain rollouts lost none either."
    requests = sum(row.requests for row in rows if row.pace.variant is Variant.LOSSLESS)
    return True, f"Plain lost {control}, lossless none of {requests:,}."
