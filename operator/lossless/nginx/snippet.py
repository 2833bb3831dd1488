"""The close-frame configuration, written for given locations."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lossless.model.names import STATUS_FILE

_UPSTREAM: Final = re.compile(r"https?://(unix:[^\s;{}:]+|[^\s;{}/?#]+)")
_WORD: Final = re.compile(r"[^\s;{}\"'$#]+")
_LOCATION: Final = re.compile(r"((=|~|~\*|\^~) )?[^\s;{}\"'@#][^\s;{}\"']*")


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the snippet is to do."""

    upstream: str
    """What the locations pass to: scheme and host or name, without a path."""
    locations: tuple[str, ...] = ("/",)
    """As nginx has them: ``/api/``, ``= /login``, ``~ [.]php$``."""
    status_file: str = STATUS_FILE
    websocket: bool = False
    http2: bool = False
    """Also what HTTP/2 clients are told by."""


def snippet(wishes: Wishes) -> str:
    """Return text for a person to paste.

    Raises:
        ValueError: names the option, its value and the remedy.
    """
    _check(wishes)
    parts = [_HEAD]
    if wishes.websocket:
        parts.append(_MAP)
    if wishes.http2:
        parts.append(_MIN_TIMEOUT)
    parts.append(_SERVER)
    names = _names(wishes.locations)
    for location, name in zip(wishes.locations, names, strict=True):
        parts.append(_pair(wishes, location, name))
    if wishes.http2:
        status = "" if wishes.status_file == STATUS_FILE else f"statusFile: {wishes.status_file}, "
        parts.append(_RELOAD.format(status=status))
    return "\n".join(parts)


def _check(wishes: Wishes) -> None:
    if not _UPSTREAM.fullmatch(wishes.upstream):
        raise ValueError(
            f"--upstream: {wishes.upstream!r}: must be http://HOST or http://NAME without a path; "
            "a named location can have none in proxy_pass"
        )
    if not wishes.status_file.startswith("/") or not _WORD.fullmatch(wishes.status_file):
        raise ValueError(
            f"--status-file: {wishes.status_file!r}: must be an absolute path without spaces or "
            f"characters of nginx's own; the default is {STATUS_FILE}"
        )
    for location in wishes.locations:
        if not _LOCATION.fullmatch(location):
            raise ValueError(
                f"--location: {location!r}: must be a location as nginx has it without quotes and "
                "braces, for example /api/ or '= /login'"
            )
    if len(set(wishes.locations)) != len(wishes.locations):
        raise ValueError(
            "--location: one of them is there twice, which nginx refuses; name it once"
        )


def _names(locations: Sequence[str]) -> list[str]:
    """Return a name for each, from its path where that gives one of its own."""
    names: list[str] = []
    for number, location in enumerate(locations):
        slug = re.sub(r"[^a-z0-9]+", "_", location.lower()).strip("_")
        name = f"@draining_{slug}" if slug else "@draining"
        names.append(f"{name}_{number}" if name in names else name)
    return names


def _pair(wishes: Wishes, location: str, name: str) -> str:
    passed = f"    proxy_pass {wishes.upstream};\n"
    if wishes.websocket:
        passed = (
            "    proxy_http_version 1.1;\n"
            "    proxy_set_header Upgrade $http_upgrade;\n"
            "    proxy_set_header Connection $lossless_connection;\n"
        ) + passed
    return (
        f"location {location} {{\n"
        f"    error_page 418 = {name};   # in this location: its own error_page would hide it\n"
        f"    if (!-f {wishes.status_file}) {{ return 418; }}\n"
        f"{passed}"
        "}\n"
        f"location {name} {{\n"
        "    keepalive_timeout 0;   # nginx answers Connection: close\n"
        f"{passed}"
        "}\n"
    )


_HEAD: Final = """\
# Lossless: once the status file is gone, every HTTP/1.1 answer says Connection: close.
"""
_MAP: Final = """\
# Into http { }: passes Upgrade on only where a client asks for it.
map $http_upgrade $lossless_connection { default upgrade; "" ""; }
"""
_MIN_TIMEOUT: Final = """\
# Into http { }, with nginx 1.27.4 or newer: a reload leaves idle HTTP/1 connections alone.
# keepalive_min_timeout 75s;
"""
_SERVER: Final = """\
# Into server { }. What else a location says goes into both of its pair: headers,
# passwords, rewrites; a named location inherits nothing from where a request
# came from. lossless nginx-check compares the two.
"""
_RELOAD: Final = """\
# HTTP/2: nginx says GOAWAY to all its connections when it is reloaded. Into the LosslessRollout:
#
#   close: [{{nginx: {{{status}http2: {{reload: AfterClientIdleTimeout}}}}}}]
#
# or AfterPropagation, with nginx 1.27.4 or newer and keepalive_min_timeout. The container needs a
# shell; an nginx that is started with -c needs command: [nginx, -c, FILE, -s, reload] as well.
"""
