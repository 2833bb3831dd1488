"""Tables as text, and the before/after table."""

import textwrap
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from e2e.load.report import LoadReport
from e2e.support.load import FortioReport

WIDTH: Final = 100
HEADS: Final = (
    "rollout",
    "client",
    "requests",
    "failed",
    "rollout s",
    "p50 ms",
    "p99 ms",
    "max ms",
)
LAST: Final = "how they failed"
_GAP: Final = "  "
#: No-break space: a count must not part from its kind at the end of a line.
_JOIN: Final = "\N{NO-BREAK SPACE}"


@dataclass(frozen=True, slots=True)
class Row:
    """One client's view of one rollout."""

    rollout: str
    client: str
    requests: int
    kinds: Mapping[str, int]
    """Failures by kind."""
    rollout_seconds: float
    p50: float
    """Seconds, like the next two."""
    p99: float
    max: float

    @property
    def failed(self) -> int:
        """Requests that failed."""
        return sum(self.kinds.values())


def own_row(rollout: str, rollout_seconds: float, report: LoadReport) -> Row:
    """Return what our client saw."""
    return Row(
        rollout=rollout,
        client="own",
        requests=report.requests,
        kinds=report.kinds,
        rollout_seconds=rollout_seconds,
        p50=report.latency.p50,
        p99=report.latency.p99,
        max=report.latency.max,
    )


def fortio_row(rollout: str, rollout_seconds: float, report: FortioReport) -> Row:
    """Return what fortio saw."""
    named = {"-1": "no answer"}
    return Row(
        rollout=rollout,
        client="fortio",
        requests=report.requests,
        kinds={
            named.get(code, f"HTTP {code}"): count
            for code, count in report.codes.items()
            if code != "200" and count
        },
        rollout_seconds=rollout_seconds,
        p50=report.p50,
        p99=report.p99,
        max=report.max,
    )


def render(rows: Sequence[Row]) -> str:
    """Return the table, at most ``WIDTH`` columns wide; failures wrap within their column."""
    body = [cells(row) for row in rows]
    widths = [max(len(line[column]) for line in (HEADS, *body)) for column in range(len(HEADS))]
    indent = sum(widths) + len(_GAP) * len(widths)
    lines = [_line(HEADS, widths) + _GAP + LAST]
    lines.append(_GAP.join("-" * width for width in widths) + _GAP + "-" * (WIDTH - indent))
    for row, line in zip(rows, body, strict=True):
        first, *more = textwrap.wrap(how(row.kinds), WIDTH - indent) or [""]
        lines.append(f"{_line(line, widths)}{_GAP}{first}".rstrip())
        lines += [" " * indent + text for text in more]
    return "\n".join(lines).replace(_JOIN, " ")


def aligned(head: Sequence[str], rows: Sequence[Sequence[str]], *, left: Collection[int]) -> str:
    """Return a table as wide as it has to be.

    Args:
        head: of each column.
        rows: as many cells each.
        left: columns of words, from 0; all others are of figures.
    """
    body = (head, *rows)
    widths = [max(len(row[column]) for row in body) for column in range(len(head))]
    lines = [
        _GAP.join(
            cell.ljust(width) if column in left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in body
    ]
    return "\n".join([lines[0], _GAP.join("-" * width for width in widths), *lines[1:]])


def cells(row: Row) -> tuple[str, ...]:
    """Return what stands under ``HEADS``."""
    return (
        row.rollout,
        row.client,
        f"{row.requests:,}",
        f"{row.failed:,}",
        f"{row.rollout_seconds:.0f}",
        *(f"{seconds * 1000:.1f}" for seconds in (row.p50, row.p99, row.max)),
    )


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return _GAP.join(
        cell.ljust(width) if column < 2 else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )


def how(kinds: Mapping[str, int]) -> str:
    """Return how requests failed, the commonest first."""
    ordered = sorted(kinds.items(), key=lambda item: -item[1])
    return ", ".join(f"{count:,} {kind}".replace(" ", _JOIN) for kind, count in ordered)
