"""A gauge on a page in the Prometheus text format (0.0.4) or OpenMetrics, parsed. No I/O."""

import math
import re
from collections.abc import Iterator
from typing import Final

from lossless.agent.quantities import Quantity
from lossless.model.counters import Prometheus

_LABEL: Final = re.compile(r'[ ,]*([a-zA-Z_][a-zA-Z0-9_]*) *= *"((?:[^"\\]|\\.)*)"', re.ASCII)
_ESCAPE: Final = re.compile(r"\\(.)")
#: Types that hold one number which may go down again; a page need not tell the type.
_GAUGES: Final = frozenset({"gauge", "untyped", "unknown"})


def parse_gauge(page: str, wanted: Prometheus) -> Quantity:
    """Return the sum of the series of ``wanted`` that have its labels.

    Raises:
        ValueError: no such series is there, the metric is no gauge, or a value is no count.
    """
    total, found, others = 0.0, 0, 0
    # Not line by line: of a page of a megabyte, a few lines are of interest.
    lines = re.compile(rf"^(?:# TYPE )?{wanted.metric}[ \t{{].*$", re.ASCII | re.MULTILINE)
    for line in lines.finditer(page):
        text = line.group()
        if text.startswith("#"):
            kind = text.split()[3:4]
            if kind and kind[0] not in _GAUGES:
                raise ValueError(f"{wanted.metric} is a {kind[0]:.20}, not a gauge")
            continue
        labels, value = _series(text[len(wanted.metric) :])
        if any(labels.get(name) != text for name, text in wanted.labels):
            others += 1
            continue
        if not 0 <= value < math.inf:
            raise ValueError(f"{wanted.metric} is {value}, which is no count")
        total += value
        found += 1
    if not found:
        if others:
            raise ValueError(f"no series of {wanted.metric} has the labels {dict(wanted.labels)}")
        raise ValueError(f"{wanted.metric} is not on the page")
    return Quantity(total, f"series: {found}")


def _series(text: str) -> tuple[dict[str, str], float]:
    """Return labels and value of what follows a metric's name."""
    labels: dict[str, str] = {}
    rest = text.lstrip(" \t")
    if rest.startswith("{"):
        at = 1
        for label in _labels(rest):
            labels[label[1]] = _ESCAPE.sub(_unescaped, label[2])
            at = label.end()
        tail = rest[at:].lstrip(" ,")
        if not tail.startswith("}"):
            raise ValueError(f"not a line of a Prometheus page: {text!r:.80}")
        rest = tail[1:]
    fields = rest.split()
    try:
        return labels, float(fields[0])
    except (IndexError, ValueError) as error:
        raise ValueError(f"not a line of a Prometheus page: {text!r:.80}") from error


def _labels(text: str) -> Iterator[re.Match[str]]:
    at = 1
    while label := _LABEL.match(text, at):
        yield label
        at = label.end()


def _unescaped(found: re.Match[str]) -> str:
    return "\n" if found[1] == "n" else found[1]
