"""``python -m tools.phase_diagram``: puts the agent's state machine into docs/concepts.md."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from lossless.model.phases import ENDED, TRANSITIONS, Event, Phase

PAGE: Final = Path(__file__).parent.parent / "docs" / "concepts.md"
_BETWEEN: Final = re.compile(
    r"(?<=<!-- begin: python -m tools.phase_diagram -->\n).*?(?=<!-- end -->)", re.DOTALL
)


def diagram(transitions: Mapping[Phase, Mapping[Event, Phase]] = TRANSITIONS) -> str:
    """Return the table as a Mermaid state diagram, which GitHub and the site draw."""
    steps = [
        f"    {phase} --> {after}: {event}"
        for phase, row in transitions.items()
        for event, after in row.items()
        if phase is not after
    ]
    last = [f"    {phase} --> [*]" for phase in transitions if phase in ENDED]
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {next(iter(transitions))}"]
    return "\n".join([*lines, *steps, *last, "```", ""])


def with_diagram(page: str) -> str:
    """Return a page with the diagram between its two marks.

    Raises:
        ValueError: there is no such place in it.
    """
    text, times = _BETWEEN.subn(diagram().replace("\\", "\\\\"), page)
    if times != 1:
        raise ValueError("the page has no place for the diagram, or several")
    return text


if __name__ == "__main__":
    PAGE.write_text(with_diagram(PAGE.read_text()))
