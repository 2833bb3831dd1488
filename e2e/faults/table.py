"""The table fault by fault, and whether it keeps the promise."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from e2e.support.table import aligned

#: Fewer requests than this prove nothing.
AT_LEAST: Final = 500
_HEADS: Final = (
    "fault",
    "moment",
    "requests",
    "failed",
    "ended in",
    "kept from starting",
    "right after",
)


@dataclass(frozen=True, slots=True)
class Loss:
    """What may be lost under a fault."""

    because: str
    """Why no product of this kind can help it."""
    at_most: int
    """Requests; more are the product's doing, whatever the fault."""


@dataclass(frozen=True, slots=True)
class Row:
    """What came of one rollout."""

    fault: str
    moment: str
    requests: int
    kinds: Mapping[str, int]
    """Failures by kind."""
    seconds: float
    """From the change of the version until no old pod was left."""
    kept: int = 0
    """Pods that did not start within a minute, or were refused."""
    state: str = ""
    """What status says when all is over; empty: there is none."""
    seen: str = ""
    """What was measured of the fault itself."""
    loses: Loss | None = None
    """What may be lost; None: nothing."""

    @property
    def failed(self) -> int:
        """Requests that failed."""
        return sum(self.kinds.values())

    @property
    def after(self) -> str:
        """What was seen of rollout and fault, in words."""
        return "; ".join(filter(None, (self.state, self.seen)))

    def __str__(self) -> str:
        """Return what came of it, for those who watch the run."""
        return (
            f"{self.failed} of {self.requests:,} requests lost in {self.seconds:.0f} s,"
            f" {self.kept} pods kept from starting; {self.after}"
        )

    @property
    def breaks(self) -> str:
        """What in this row breaks the promise, or proves nothing; empty: nothing."""
        if self.kept:
            return f"{self.kept} pods were kept from starting"
        if self.requests < AT_LEAST:
            return f"only {self.requests} requests"
        if self.loses is None:
            return f"{self.failed} requests were lost" if self.failed else ""
        if self.failed > self.loses.at_most:
            return f"{self.failed} requests were lost, more than {self.loses.at_most}"
        return ""


def table(control: Row, rows: Sequence[Row]) -> str:
    """Return the table, the control first, and the reasons for losses below it."""
    shown = aligned(_HEADS, [_cells(row) for row in (control, *rows)], left=(0, 1, 6))
    reasons = {row.loses.because: row.fault for row in reversed(rows) if row.failed and row.loses}
    notes = [f"{fault}: {reason}." for reason, fault in reversed(reasons.items())]
    return "\n".join([shown, *(["", "Lost because:", *notes] if notes else [])])


def verdict(control: Row, rows: Sequence[Row]) -> tuple[bool, str]:
    """Return whether every promise was kept where the control lost some, and say so."""
    broken = [f"{row.fault} {row.moment}: {words}" for row in rows if (words := row.breaks)]
    if broken:
        return False, f"BROKEN: {'; '.join(broken)}."
    if not control.failed:
        return False, "Nothing is proved: the plain rollout lost none either."
    if not rows:
        return False, "Nothing is proved: no fault was shown."
    promised = [row for row in rows if row.loses is None]
    others = [row for row in rows if row.loses is not None]
    told = [f"Plain lost {control.failed} without any fault"]
    if promised:
        told.append(f"under {len(promised)} faults lossless lost none of {_requests(promised):,}")
    if others:
        lost = sum(row.failed for row in others)
        told.append(
            f"under {len(others)} that may cost some it lost {lost} of {_requests(others):,}"
        )
    return True, f"{'; '.join(told)}."


def _requests(rows: Sequence[Row]) -> int:
    return sum(row.requests for row in rows)


def _cells(row: Row) -> tuple[str, ...]:
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(row.kinds.items()))
    return (
        row.fault,
        row.moment,
        f"{row.requests:,}",
        f"{row.failed} ({kinds})" if row.failed else "0",
        f"{row.seconds:.0f} s",
        str(row.kept) if row.state else "",
        row.after,
    )
