"""Text in a given width: tables, paragraphs, progress bars. Pure."""

import textwrap
from collections.abc import Callable, Sequence

from lossless.model.durations import format_duration


def cut(text: str, width: int) -> str:
    """Return ``text`` in at most ``width`` columns, marked if something is missing."""
    return text if len(text) <= width else text[: max(0, width - 1)] + "…"


def paragraph(text: str, width: int, indent: str = "") -> list[str]:
    """Return ``text`` as lines of at most ``width`` columns, each with ``indent``.

    A word that is longer than a line, such as a command, stays whole: it is there to be copied.
    """
    return textwrap.wrap(
        text,
        max(width, len(indent) + 20),
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def bar(share: float, width: int) -> str:
    """Return a progress bar for a share of 0 to 1; only what is full is drawn as full."""
    full = int(max(0.0, min(1.0, share)) * width)
    return "█" * full + "░" * (width - full)


def ago(seconds: float) -> str:
    """Return a length of time as people read it: whole seconds, none of them below zero."""
    return format_duration(max(0, int(seconds)))


def table(
    rows: Sequence[Sequence[str]], *, indent: str = "", paint: Callable[[str], str] | None = None
) -> list[str]:
    """Return rows in columns as wide as their widest cell, two spaces apart.

    Args:
        rows: of equal length; the first is the heading.
        indent: before each line.
        paint: colours the heading.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        indent + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    ]
    lines = [line.rstrip() for line in lines]
    return [paint(lines[0]) if paint else lines[0], *lines[1:]]
