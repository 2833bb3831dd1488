"""How a run of load went, step by step: what a chart of it needs."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, Final

#: Seconds of one step.
STEP: Final = 0.1


@dataclass(frozen=True, slots=True)
class Course:
    """One number for each step since the run began; all rows are of the same length."""

    answered: Sequence[int] = ()
    """Requests answered within the step."""
    failed: Sequence[int] = ()
    """Requests lost within the step."""
    connections: Mapping[str, Sequence[int]] = field(default_factory=dict)
    """By pod: the client's connections to it that are open when the step ends. A connection
    belongs to a pod from the first answer on it."""

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> "Course":
        """Return what JSON has made of a course.

        Raises:
            KeyError: a row is missing.
        """
        connections = {pod: tuple(counts) for pod, counts in raw["connections"].items()}
        return cls(tuple(raw["answered"]), tuple(raw["failed"]), connections)


@dataclass(slots=True)
class CourseTally:
    """Counts as things happen; times are seconds since the run began."""

    _answered: Counter[int] = field(default_factory=Counter)
    _failed: Counter[int] = field(default_factory=Counter)
    _changes: defaultdict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))

    def answered(self, at: float) -> None:
        """Count an answer."""
        self._answered[_step(at)] += 1

    def failed(self, at: float) -> None:
        """Count a request that was lost."""
        self._failed[_step(at)] += 1

    def opened(self, pod: str, at: float) -> None:
        """Count a connection as one of a pod's."""
        self._changes[pod][_step(at)] += 1

    def closed(self, pod: str, at: float) -> None:
        """Count it no longer, whoever has closed it."""
        self._changes[pod][_step(at)] -= 1

    def course(self, seconds: float) -> Course:
        """Return the course of a run that has taken so long."""
        steps = range(_step(seconds) + 1)
        return Course(
            answered=_row(self._answered, steps),
            failed=_row(self._failed, steps),
            connections={
                pod: tuple(accumulate(_row(changes, steps)))
                for pod, changes in self._changes.items()
            },
        )


def _step(at: float) -> int:
    return max(int(at / STEP), 0)


def _row(counts: Mapping[int, int], steps: Iterable[int]) -> tuple[int, ...]:
    return tuple(counts.get(step, 0) for step in steps)
