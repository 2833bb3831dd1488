"""An axis of time: seconds to the units of a drawing."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import Element

from lossless.model.durations import format_duration
from lossless.plugin.pages.element import add

#: Seconds between two ticks; beyond the last, its multiples by ten.
_STEPS: Final = (1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)
_MOST: Final = 10


@dataclass(frozen=True, slots=True)
class Axis:
    """From ``first`` to ``last`` (seconds), drawn from ``left`` to ``right``."""

    first: float
    last: float
    left: float
    right: float

    def at(self, seconds: float) -> float:
        """Return where a moment is drawn; at the edge if it is outside."""
        span = max(self.last - self.first, 1e-9)
        share = min(max((seconds - self.first) / span, 0.0), 1.0)
        return self.left + share * (self.right - self.left)

    def holds(self, seconds: float) -> bool:
        """Whether a moment is within."""
        return self.first <= seconds <= self.last

    @property
    def ticks(self) -> tuple[float, ...]:
        """Moments to name, at most eleven: multiples of a step that people count in."""
        step = next(step for step in _steps() if self.last - self.first <= step * _MOST)
        number = -(-self.first // step)
        return tuple(
            itertools.takewhile(
                lambda tick: tick <= self.last, (step * n for n in itertools.count(int(number)))
            )
        )

    def draw(self, svg: Element, top: float, bottom: float) -> None:
        """Draw the grid from ``top`` to ``bottom``, and the ticks' names below."""
        for tick in self.ticks:
            x = self.at(tick)
            add(svg, "line", x1=x, x2=x, y1=top, y2=bottom, class_="grid")
            sign = "-" if tick < 0 else ""
            text = f"{sign}{format_duration(abs(tick))}"
            add(svg, "text", text, x=x, y=bottom + 17, text_anchor="middle", class_="quiet")


def _steps() -> Iterator[float]:
    yield from _STEPS
    step = _STEPS[-1]
    while True:
        step *= 10
        yield step
