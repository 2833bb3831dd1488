"""Where a verb writes: text for people, documents for programs."""

import json
import shutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, TextIO

import yaml

from lossless.plugin.paint import Paint, wanted


def _width() -> int:
    return shutil.get_terminal_size((80, 24)).columns


@dataclass(frozen=True, slots=True)
class Terminal:
    """Standard output and error of one command."""

    out: TextIO = field(default_factory=lambda: sys.stdout)
    err: TextIO = field(default_factory=lambda: sys.stderr)
    width: int = field(default_factory=_width)
    """Columns; 80 where nobody says."""

    @property
    def paint(self) -> Paint:
        """Colours, if people look at it."""
        return Paint(wanted(self.out))

    @property
    def live(self) -> bool:
        """Whether text that was written can be written over."""
        return self.out.isatty()

    def say(self, lines: Iterable[str]) -> None:
        """Write lines."""
        self.out.write("".join(f"{line}\n" for line in lines))
        self.out.flush()

    def redraw(self, lines: Iterable[str]) -> None:
        """Write lines over what stands there, from the top left; no flicker, no history lost."""
        self.out.write("\x1b[H" + "".join(f"{line}\x1b[K\n" for line in lines) + "\x1b[J")
        self.out.flush()

    def clear(self) -> None:
        """Make room for ``redraw``."""
        self.out.write("\x1b[2J")

    def document(self, kind: str, document: Any) -> None:
        """Write a document as ``json`` or ``yaml``."""
        if kind == "json":
            self.out.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
        else:
            self.out.write(yaml.safe_dump(document, sort_keys=False, allow_unicode=True))
        self.out.flush()

    def note(self, text: str) -> None:
        """Say on standard error what is not part of the output."""
        self.err.write(f"{text}\n")
        self.err.flush()
