"""Findings that somebody accepts, by their codes."""

import difflib
import re
from collections.abc import Collection, Iterator
from typing import Final

from lossless.checks.finding import Trouble
from lossless.checks.setup import Setup, annotations
from lossless.model.names import ACCEPT_ANNOTATION

_BETWEEN: Final = re.compile(r"[\s,;]+")


def codes_in(text: str) -> tuple[str, ...]:
    """Return the codes of a list, as they are written but for capitals."""
    return tuple(code.upper() for code in _BETWEEN.split(text) if code)


def codes_of(setup: Setup) -> tuple[str, ...]:
    """Return the codes that the LosslessRollout's annotation lists."""
    return codes_in(annotations(setup.rollout).get(ACCEPT_ANNOTATION, ""))


def like(code: str, known: Collection[str]) -> str:
    """Return what to write in place of a code that does not exist."""
    near = difflib.get_close_matches(code, sorted(known), n=1, cutoff=0.8)
    return (
        f"write {near[0]}, or take it out" if near else "take it out; docs/checks.md has them all"
    )


def unknown(setup: Setup, known: Collection[str]) -> Iterator[Trouble]:
    """Ask whether every code that is accepted is one of those that are known."""
    for code in codes_of(setup):
        if code not in known:
            yield Trouble(
                f"{setup.name} annotation {ACCEPT_ANNOTATION}",
                f"{code!r:.40} is no code of a check, so it accepts nothing",
                like(code, known),
            )
