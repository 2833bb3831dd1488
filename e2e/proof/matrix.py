"""The matrix: what each client saw of each rollout, what that proves, and how it is printed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from e2e.clients.report import ClientReport
from e2e.proof.limits import Limit, explanation

_HEADS: Final = ("proxy", "protocol", "client", "requests", "lost", "requests", "lost")
_GAP: Final = "  "
_LEFT_ALIGNED: Final = 3


class Mark(StrEnum):
    """What a cell says."""

    GOOD = "good"
    """The lossless rollout lost nothing."""
    EXPLAINED = "explained"
    """It lost a few, and all of them for a known limit of the client."""
    NOT_RUN = "not run"
    """This machine lacks what the client needs."""
    BROKEN = "broken"
    """It lost something that nothing explains, or sent too little to mean anything."""


@dataclass(frozen=True, slots=True)
class Row:
    """One client with one protocol through one proxy, in two rollouts."""

    proxy: str
    protocol: str
    client: str
    plain: ClientReport | None
    """None: not run."""
    lossless: ClientReport | None
    why_not: str = ""
    """Why it was not run."""

    def mark(self, *, at_least: int) -> Mark:
        """Judge the lossless rollout.

        Args:
            at_least: fewer requests than this prove nothing.
        """
        if self.lossless is None:
            return Mark.NOT_RUN
        if self.lossless.requests < at_least:
            return Mark.BROKEN
        if not self.lossless.failed:
            return Mark.GOOD
        return Mark.EXPLAINED if self.limit is not None else Mark.BROKEN

    @property
    def limit(self) -> Limit | None:
        """The known limit that explains what the lossless rollout lost."""
        return explanation(self.proxy, self.lossless) if self.lossless is not None else None


def verdict(rows: Sequence[Row], *, at_least: int, required: bool) -> tuple[bool, list[str]]:
    """Return whether the rows prove the promise, and what speaks against it.

    Args:
        rows: of all proxies.
        at_least: requests that a client must have sent in the lossless rollout.
        required: whether a client that was not run is a failure.
    """
    against = [] if rows else ["Nothing was run."]
    for row in rows:
        name = f"{row.client} ({row.protocol}) through {row.proxy}"
        match row.mark(at_least=at_least):
            case Mark.GOOD | Mark.EXPLAINED:
                pass
            case Mark.NOT_RUN:
                if required:
                    against.append(f"{name}: {row.why_not}")
            case Mark.BROKEN:
                assert row.lossless is not None  # NOT_RUN otherwise
                seen = f"{row.lossless.requests} requests, lost {_how(row.lossless) or 'none'}"
                against.append("\n    ".join([f"{name}: {seen}", *row.lossless.examples]))
    for proxy in sorted({row.proxy for row in rows}):
        controls = [row.plain for row in rows if row.proxy == proxy and row.plain is not None]
        if not any(control.failed for control in controls):
            against.append(f"The plain rollout of {proxy} lost nothing, so this load cannot tell.")
    return not against, against


def render(rows: Sequence[Row]) -> str:
    """Return the table, with the limits that explain a cell under it."""
    limits: list[Limit] = []
    for row in rows:
        if row.limit is not None and row.limit not in limits:
            limits.append(row.limit)
    body = [_cells(row, limits) for row in rows]
    widths = [max(len(cells[column]) for cells in (_HEADS, *body)) for column in range(len(_HEADS))]
    start = sum(widths[:_LEFT_ALIGNED]) + _LEFT_ALIGNED * len(_GAP)
    plain = sum(widths[3:5]) + len(_GAP)
    lines = [
        " " * start + "plain".center(plain) + _GAP + "lossless".center(sum(widths[5:]) + len(_GAP)),
        _line(_HEADS, widths) + _GAP + "how the plain rollout lost them",
        _GAP.join("-" * width for width in widths) + _GAP + "-" * 31,
    ]
    lines = [line.rstrip() for line in lines]
    for row, cells in zip(rows, body, strict=True):
        told = row.why_not or (_how(row.plain) if row.plain is not None else "")
        lines.append(f"{_line(cells, widths)}{_GAP}{told}".rstrip())
    lines += list(_totals(rows))
    lines += [
        f"[{number}] {limit.client}: {limit.reason}" for number, limit in enumerate(limits, 1)
    ]
    return "\n".join(lines)


def _totals(rows: Sequence[Row]) -> Iterator[str]:
    for title in ("plain", "lossless"):
        reports = [row.plain if title == "plain" else row.lossless for row in rows]
        seen = [report for report in reports if report is not None]
        requests, lost = sum(r.requests for r in seen), sum(r.failed for r in seen)
        yield f"{title} in all: {requests:,} requests, {lost:,} lost"


def _cells(row: Row, limits: Sequence[Limit]) -> tuple[str, ...]:
    note = f" [{limits.index(row.limit) + 1}]" if row.limit is not None else ""
    return (
        *(row.proxy, row.protocol, row.client),
        *_counts(row.plain),
        *_counts(row.lossless, note),
    )


def _counts(report: ClientReport | None, note: str = "") -> tuple[str, str]:
    if report is None:
        return "-", "-"
    return f"{report.requests:,}", f"{report.failed:,}{note}"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return _GAP.join(
        cell.ljust(width) if column < _LEFT_ALIGNED else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )


def _how(report: ClientReport) -> str:
    """Return the failures by kind, the methods taken together, the commonest first."""
    kinds: dict[str, int] = {}
    for kind, count in report.kinds.items():
        name = kind.partition(" ")[2] if kind.partition(" ")[0].isupper() else kind
        kinds[name] = kinds.get(name, 0) + count
    ordered = sorted(kinds.items(), key=lambda item: -item[1])
    return ", ".join(f"{count} {kind}" for kind, count in ordered)
