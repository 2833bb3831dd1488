"""What stories took and counted, gathered from every process that told some."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from e2e.load.report import LoadReport
from e2e.support.seconds import Step
from e2e.support.table import aligned, how


@dataclass(frozen=True, slots=True)
class Count:
    """What the clients of one claim saw."""

    world: str
    requests: int
    kinds: Mapping[str, int]
    """Failures by kind."""


@dataclass(slots=True)
class Story:
    """One story, from its first fixture to the end of its last."""

    name: str
    seconds: float = 0.0
    steps: dict[str, float] = field(default_factory=dict)
    """Seconds by ``Step``; worlds side by side count each, and so may exceed ``seconds``."""
    counts: list[Count] = field(default_factory=list)

    def counted(self, world: str, reports: Iterable[LoadReport]) -> None:
        """Note what clients of a world saw."""
        self.counts += [Count(world, seen.requests, dict(seen.kinds)) for seen in reports]

    def document(self) -> dict[str, Any]:
        """Return it for another process."""
        return asdict(self)

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> "Story":
        """Return what ``document`` has made a document of."""
        counts = [Count(**count) for count in raw["counts"]]
        return cls(raw["name"], raw["seconds"], dict(raw["steps"]), counts)


def seconds_table(stories: Sequence[Story], *, least: float = 1.0) -> str:
    """Return seconds by story and step, the longest story first, and their sums.

    Args:
        stories: of the whole run.
        least: seconds; shorter ones are in the sums only.
    """
    ordered = sorted(stories, key=lambda story: -story.seconds)
    rows = [_seconds(story.name, story) for story in ordered if story.seconds >= least]
    total = Story(f"all {len(stories)}", sum(story.seconds for story in stories))
    for step in Step:
        total.steps[step] = sum(story.steps.get(step, 0.0) for story in stories)
    head = ("story", "seconds", *(step.value for step in Step), "else")
    return aligned(head, [*rows, _seconds(total.name, total)], left=(0,))


def _seconds(name: str, story: Story) -> tuple[str, ...]:
    steps = [story.steps.get(step, 0.0) for step in Step]
    rest = max(0.0, story.seconds - sum(steps))
    return (name, *(f"{seconds:,.0f}" for seconds in (story.seconds, *steps, rest)))


def requests_table(stories: Sequence[Story]) -> str:
    """Return what the clients of each claim saw."""
    rows = [
        (story.name, one.world, f"{one.requests:,}", f"{sum(one.kinds.values()):,}", how(one.kinds))
        for story in stories
        for one in story.counts
    ]
    return aligned(("story", "world", "requests", "failed", "how"), rows, left=(0, 1, 4))
