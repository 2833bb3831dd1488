"""Colours for people at a terminal, and nothing for programs that read."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TextIO

_RESET: Final = "\x1b[0m"


def wanted(stream: TextIO, environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether ``stream`` is to be coloured.

    Only a terminal is, and not when ``NO_COLOR`` is set to anything (no-color.org) or the terminal
    says that it is dumb.
    """
    return stream.isatty() and not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"


@dataclass(frozen=True, slots=True)
class Paint:
    """Wraps text in escape sequences if it is on; pad before painting, lengths change."""

    on: bool = False

    def bold(self, text: str) -> str:
        """Return what matters most."""
        return self._in("1", text)

    def dim(self, text: str) -> str:
        """Return what matters least."""
        return self._in("2", text)

    def red(self, text: str) -> str:
        """Return what is wrong."""
        return self._in("31", text)

    def green(self, text: str) -> str:
        """Return what is well."""
        return self._in("32", text)

    def yellow(self, text: str) -> str:
        """Return what asks for a look."""
        return self._in("33", text)

    def blue(self, text: str) -> str:
        """Return what is on its way."""
        return self._in("36", text)

    def _in(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}{_RESET}" if self.on and text else text
