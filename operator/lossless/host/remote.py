"""Hosts on which commands are run from elsewhere: how they are named, and what may go wrong."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

_LINE: Final = re.compile(r"(?:([^\s@]+)@)?(\[[0-9A-Fa-f:.]+\]|[^\s@:\[\]]+)(?::(\d{1,5}))?")
_HIGHEST_PORT: Final = 65535


@dataclass(frozen=True, slots=True)
class RemoteHost:
    """One host as SSH knows it."""

    host: str
    port: int | None = None
    """None: as the user's SSH configuration says, or 22."""
    user: str | None = None

    @property
    def name(self) -> str:
        """What people are told of it by."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host + (f":{self.port}" if self.port else "")


class Remote(Protocol):
    """Runs a command on a host."""

    async def run(self, target: RemoteHost, command: str, tell: Callable[[str], None]) -> int:
        """Run ``command`` and return its exit code.

        Raises:
            RemoteFailed: the host cannot be reached, or the connection broke.
        """
        ...


class RemoteFailed(Exception):  # noqa: N818 # reads as the thing that happened
    """A host could not be reached, or the connection to it broke; the text says why."""


def parse_hosts(document: str) -> tuple[RemoteHost, ...]:
    """Return the hosts that ``document`` lists, one a line; ``#`` begins a comment.

    Raises:
        ValueError: names the line and what is wrong with it.
    """
    found: dict[str, RemoteHost] = {}
    for number, line in enumerate(document.splitlines(), 1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        match = _LINE.fullmatch(text)
        port = int(match[3]) if match and match[3] else None
        if match is None or (port is not None and not 0 < port <= _HIGHEST_PORT):
            raise ValueError(f"line {number}: {text!r} is not a host; write [user@]host[:port]")
        target = RemoteHost(match[2].strip("[]"), port, match[1])
        if target.name in found:
            raise ValueError(f"line {number}: {text!r} is there twice; remove one")
        found[target.name] = target
    if not found:
        raise ValueError("names no host; write one [user@]host[:port] a line")
    return tuple(found.values())
