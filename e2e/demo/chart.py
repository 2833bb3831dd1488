"""The demo's charts: requests, failures and connections over time, all on one scale. Pure."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import Element

from e2e.demo.story import Result
from e2e.load.course import STEP
from e2e.load.report import LoadReport
from e2e.support.table import how
from lossless.plugin.pages.axis import Axis
from lossless.plugin.pages.element import add, drawing

_WIDTH: Final = 1000.0
_LEFT: Final = 120.0
_RIGHT: Final = 935.0
#: Seconds shown before the rollout begins, or more if requests were lost before.
_BEFORE: Final = 3.0
#: Seconds of one bar, the shortest of which no more than ``_BARS`` are needed: there is room for a
#: number of two digits above each.
_BINS: Final = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
_BARS: Final = 48
_RATE_HEIGHT: Final = 120.0
_LOST_HEIGHT: Final = 60.0
_LANE: Final = 34.0
_GAP: Final = 34.0
#: What of a pod's life is marked, by how the timeline's words begin; the mark, and its name.
MARKS: Final[Mapping[str, tuple[str, str]]] = {
    "ready": ("▲", "ready"),
    "asked to stop": ("▼", "asked to stop"),
    "gone": ("✕", "gone"),
}


@dataclass(frozen=True, slots=True)
class Bin:
    """One bar's time, in seconds since the rollout began, and what was counted in it."""

    first: float
    last: float
    answered: int
    failed: int

    @property
    def rate(self) -> float:
        """Answers per second."""
        return self.answered / (self.last - self.first)


@dataclass(frozen=True, slots=True)
class View:
    """The scale that all rollouts share."""

    axis: Axis
    width: float
    """Seconds of one bar."""
    rate: float
    """Most answers per second."""
    lost: int
    """Most failures of one bar."""
    open: int
    """Most connections of one pod."""

    @classmethod
    def of(cls, results: Sequence[Result]) -> "View":
        """Return the scale on which all of these fit."""
        last = max((_end(result) for result in results), default=1.0)
        lost = (failure.at - one.began for one in results for failure in one.own.failures)
        first = min(-_BEFORE, min(lost, default=0.0) - STEP)
        axis = Axis(first, last, _LEFT, _RIGHT)
        span = last - first
        width = next((one for one in _BINS if span / one <= _BARS), _BINS[-1])
        bins = [one for result in results for one in bins_of(result, axis, width)]
        rows = [row for result in results for row in result.own.course.connections.values()]
        return cls(
            axis=axis,
            width=width,
            rate=max((one.rate for one in bins), default=0.0) or 1.0,
            lost=max((one.failed for one in bins), default=0) or 1,
            open=max((max(row, default=0) for row in rows), default=0) or 1,
        )


def _end(result: Result) -> float:
    return result.own.started + result.own.seconds - result.began


def bins_of(result: Result, axis: Axis, width: float) -> list[Bin]:
    """Return the bars of a rollout from the axis's begin on; one begins with the rollout.

    The first and the last may be shorter than ``width``, and every step of the client's is in one.
    """
    course = result.own.course
    offset = result.own.started - result.began
    per = round(width / STEP)
    zero = math.floor(-offset / STEP)
    first = max(zero + math.ceil(axis.first / STEP), 0)
    aligned = first + (zero - first) % per
    edges = sorted({first, *range(aligned, len(course.answered), per), len(course.answered)})
    return [
        Bin(
            offset + begun * STEP,
            offset + ended * STEP,
            sum(course.answered[begun:ended]),
            sum(course.failed[begun:ended]),
        )
        for begun, ended in itertools.pairwise(edges)
    ]


def chart(figure: Element, result: Result, view: View, words: str) -> None:
    """Append the chart of one rollout; ``words`` say how it went."""
    pods = pods_of(result)
    lanes = _RATE_HEIGHT + _GAP + _LOST_HEIGHT + _GAP
    bottom = lanes + _LANE * len(pods)
    svg = drawing(
        figure,
        name=result.variant,
        title=f"{result.variant}: requests, failures and connections over time",
        words=f"{words} The same numbers stand in the table below.",
        width=_WIDTH,
        height=bottom + 26,
    )
    axis = view.axis
    axis.draw(svg, 16, bottom)
    for at, text in ((0.0, "rollout begins"), (result.seconds, "last old pod gone")):
        add(svg, "line", x1=axis.at(at), x2=axis.at(at), y1=14, y2=bottom, class_="moment")
        add(svg, "text", text, x=axis.at(at) + 4, y=11, class_="quiet")
    _scale(svg, "answers/s", f"{view.rate:,.0f}", 16, _RATE_HEIGHT)
    top = _RATE_HEIGHT + _GAP
    _scale(svg, "lost", f"{view.lost:,}", top, top + _LOST_HEIGHT)
    for one in bins_of(result, axis, view.width):
        left, right = axis.at(one.first), axis.at(one.last)
        width = max(right - left - 1, 1)
        height = (_RATE_HEIGHT - 16) * one.rate / view.rate
        when = f"{one.first:.1f} to {one.last:.1f} s"
        bar = add(
            svg, "rect", x=left, y=_RATE_HEIGHT - height, width=width, height=height, class_="bar"
        )
        add(bar, "title", f"{when}: {one.answered:,} answered")
        if one.failed:
            height = max(_LOST_HEIGHT * one.failed / view.lost, 4)
            y = top + _LOST_HEIGHT - height
            bar = add(svg, "rect", x=left, y=y, width=max(width, 4), height=height, class_="cut")
            add(bar, "title", f"{when}: {one.failed:,} lost{_kinds(result.own, one, result.began)}")
            middle = left + width / 2
            add(svg, "text", f"{one.failed}", x=middle, y=y - 4, text_anchor="middle", class_="bad")
    for number, pod in enumerate(pods):
        _lane(svg, result, view, pod, lanes + _LANE * number)


def _scale(svg: Element, name: str, most: str, top: float, bottom: float) -> None:
    add(svg, "line", x1=_LEFT, x2=_RIGHT, y1=bottom, y2=bottom, class_="line")
    add(svg, "text", name, x=0, y=bottom, class_="plain")
    add(svg, "text", most, x=_LEFT - 8, y=top + 10, text_anchor="end", class_="quiet")
    add(svg, "text", "0", x=_LEFT - 8, y=bottom, text_anchor="end", class_="quiet")


def _kinds(report: LoadReport, one: Bin, began: float) -> str:
    """Return how the requests of a bar were lost, as far as the client has described them."""
    kinds: dict[str, int] = {}
    for failure in report.failures:
        if one.first <= failure.at - began < one.last:
            kinds[failure.kind] = kinds.get(failure.kind, 0) + 1
    return f": {how(kinds)}" if kinds else ""


def pods_of(result: Result) -> list[str]:
    """Return the pods in the order in which they came."""
    came = dict.fromkeys(step.pod for step in result.steps if step.pod)
    return list(came | dict.fromkeys(result.own.course.connections))


def _lane(svg: Element, result: Result, view: View, pod: str, top: float) -> None:
    axis, bottom = view.axis, top + _LANE - 8
    seen = result.own.pods.get(pod)
    label = f"{pod.rpartition('-')[2][-8:]} {seen.version[:6] if seen else ''}".rstrip()
    name = add(svg, "text", label, x=0, y=bottom - 4)
    add(name, "title", pod)
    add(svg, "line", x1=_LEFT, x2=_RIGHT, y1=bottom, y2=bottom, class_="line")
    row = result.own.course.connections.get(pod, ())
    since = result.own.started - result.began
    most = max(row, default=0)
    if most:
        points = _outline(row, since, axis, bottom, (_LANE - 14) / view.open)
        area = add(svg, "polygon", points=points, class_="bar")
        add(area, "title", f"{pod}: at most {most:,} connections")
    add(svg, "text", f"max {most:,}", x=_RIGHT + 8, y=bottom - 4, class_="quiet")
    for step in result.steps:
        at = step.at - result.began
        marked = next((m for start, m in MARKS.items() if step.what.startswith(start)), None)
        if step.pod == pod and marked is not None and axis.holds(at):
            mark, _ = marked
            x = axis.at(at)
            add(svg, "line", x1=x, x2=x, y1=top, y2=bottom, class_="moment")
            text = add(svg, "text", mark, x=x, y=bottom + 5, text_anchor="middle", class_="mark")
            add(text, "title", f"{pod}, {at:.1f} s: {step.what}")


def _outline(row: Sequence[int], since: float, axis: Axis, bottom: float, unit: float) -> str:
    """Return a polygon's points: a step down or up where the count changes."""
    begun = axis.at(since)
    points, height = [(begun, bottom)], bottom
    for number, count in enumerate(row):
        at, now = since + number * STEP, bottom - count * unit
        if now != height:
            points += [(axis.at(at), height), (axis.at(at), now)]
            height = now
    end = axis.at(since + len(row) * STEP)
    points += [(end, height), (end, bottom)]
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
