"""Who answers a client, and what is in effect there: servers, locations, inheritance."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from lossless.nginx.directives import Directive

#: Directives that pass a request on.
PASSES: Final = (
    "proxy_pass",
    "fastcgi_pass",
    "grpc_pass",
    "uwsgi_pass",
    "scgi_pass",
    "memcached_pass",
)


@dataclass(frozen=True, slots=True)
class BlockPath:
    """A location, or a server that answers by itself."""

    path: tuple[Directive, ...]
    """From ``http`` to itself."""

    @property
    def here(self) -> Directive:
        """Itself."""
        return self.path[-1]

    @property
    def server(self) -> Directive:
        """The server it is in."""
        return next(one for one in self.path if one.name == "server")

    def in_effect(self, name: str) -> tuple[Directive, ...]:
        """Return the directives of a name that hold here.

        nginx inherits from the level above only where a level has none of its own.
        """
        for level in reversed(self.path):
            if own := tuple(level.all(name)):
                return own
        return ()

    def __str__(self) -> str:
        return str(self.here) if self.here.name == "location" else "a server without locations"


def servers(root: Directive) -> Iterator[tuple[Directive, Directive]]:
    """Yield each ``http`` with each of its servers."""
    # A file of conf.d/ by itself begins with its servers.
    for http in (root, *root.all("http")):
        for server in http.all("server"):
            yield http, server


def locations(path: tuple[Directive, ...]) -> Iterator[BlockPath]:
    """Yield every location below the last of ``path``, nested ones too."""
    for location in path[-1].all("location"):
        place = (*path, location)
        yield BlockPath(place)
        yield from locations(place)


def is_named(place: BlockPath) -> bool:
    """Return whether only an internal redirect gets there."""
    return place.here.arguments[-1:] != () and place.here.arguments[-1].startswith("@")


def answers_clients(place: BlockPath) -> bool:
    """Return whether a client's own request can end there."""
    return not is_named(place) and place.here.last("internal") is None


def passes(place: BlockPath) -> Directive | None:
    """Return the directive by which a request is passed on, also from within an ``if``."""
    for block in (place.here, *place.here.all("if", "limit_except")):
        for one in block.all(*PASSES):
            return one
    return None


_SECONDS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def seconds(text: str) -> float | None:
    """Return a time of nginx's (``65``, ``1m30s``), or None if it is none."""
    if re.fullmatch(r"\d{1,12}", text):
        return float(text)
    if not re.fullmatch(r"(\d{1,12}(ms|[smhdw]))+", text):
        return None
    parts = re.findall(r"(\d+)(ms|[smhdw])", text)
    return float(sum(int(number) * _SECONDS[unit] for number, unit in parts))


def closes(place: BlockPath) -> bool:
    """Return whether every answer of a location says close."""
    keep = place.in_effect("keepalive_timeout")[-1:]
    return bool(keep and keep[0].arguments) and seconds(keep[0].arguments[0]) == 0
