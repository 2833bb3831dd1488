"""The reloads by which nginx tells its clients to leave: ``close[].nginx.reload`` and ``.http2``.

When nginx is reloaded, it says GOAWAY to all its HTTP/2 connections, and ``Connection: close`` with
the next answer of every HTTP/1 connection, if ``keepalive_min_timeout`` lets idle ones wait for it
(docs/nginx.md has the measurements). Nobody outside its container can reload it, so the container's
preStop hook does.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from lossless.model.fields import InvalidSpec, choice, matching

DEFAULT_COMMAND: Final = ("nginx", "-s", "reload")
MAX_WORDS: Final = 16
#: One argument of a command: no control character.
WORD: Final = r"^[^\x00-\x1f\x7f]+$"
LONGEST_WORD: Final = 1024
#: A container's name (RFC 1123 label).
CONTAINER: Final = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"
LONGEST_CONTAINER: Final = 63


class ReloadTime(StrEnum):
    """When nginx is reloaded, from the drain's start on."""

    AFTER_CLIENT_IDLE_TIMEOUT = "AfterClientIdleTimeout"
    """Safe with any nginx: what a reload closes has been idle for longer than clients keep it."""
    AFTER_PROPAGATION = "AfterPropagation"
    """For an nginx that keeps idle HTTP/1 connections in a reload (``keepalive_min_timeout``)."""


@dataclass(frozen=True, slots=True)
class Reload:
    """How and when nginx is reloaded in a drain."""

    time: ReloadTime = ReloadTime.AFTER_CLIENT_IDLE_TIMEOUT
    container: str = ""
    """In which it runs; empty: the one named nginx, or else the only one that looks like it."""
    command: tuple[str, ...] = DEFAULT_COMMAND


@dataclass(frozen=True, slots=True)
class ReloadClose:
    """nginx is reloaded when a drain starts, and again for those who come after that.

    In a spec, an object whose presence is the choice, like every driver and ``http2`` (Kubernetes
    API conventions, "Unions"): a ``mode`` beside it would be a second thing to set, and without
    ``{}`` there would be no place for what belongs to it alone.
    """

    container: str = ""
    """As in ``Reload``."""
    command: tuple[str, ...] = ()
    """Empty: made of how the pod template starts nginx; where it does not say, the default."""


def parse_reload(raw: object, at: str) -> Reload:
    """Return the reload that stands ``at``.

    Raises:
        InvalidSpec: it is none.
    """
    if not isinstance(raw, Mapping):
        raise InvalidSpec(at, raw, "must be an object, for example {reload: AfterPropagation}")
    return Reload(
        time=choice(raw, at, "reload", ReloadTime.AFTER_CLIENT_IDLE_TIMEOUT),
        container=_container(raw, at),
        command=_command(raw.get("command", list(DEFAULT_COMMAND)), f"{at}.command"),
    )


def parse_reload_close(raw: object, at: str) -> ReloadClose:
    """Return the driver by reloads that stands ``at``.

    Raises:
        InvalidSpec: it is none.
    """
    if not isinstance(raw, Mapping):
        raise InvalidSpec(at, raw, "must be an object, for example {} or {container: web}")
    command = _command(raw["command"], f"{at}.command") if "command" in raw else ()
    return ReloadClose(_container(raw, at), command)


def reload_document(reload: Reload) -> dict[str, Any]:
    """Return ``reload`` as it stands in a spec, every default written out."""
    container = {"container": reload.container} if reload.container else {}
    return {"reload": reload.time.value, "command": list(reload.command), **container}


def reload_close_document(driver: ReloadClose) -> dict[str, Any]:
    """Return ``driver`` as it stands in a spec."""
    container = {"container": driver.container} if driver.container else {}
    return container | ({"command": list(driver.command)} if driver.command else {})


def _container(raw: Mapping[str, Any], at: str) -> str:
    if "container" not in raw:
        return ""
    return matching(
        raw, (at, "container"), CONTAINER, LONGEST_CONTAINER, "must be the name of a container"
    )


def _command(raw: object, at: str) -> tuple[str, ...]:
    if not isinstance(raw, list) or not 1 <= len(raw) <= MAX_WORDS:
        remedy = f"must be a list of 1 to {MAX_WORDS} words, for example [nginx, -s, reload]"
        raise InvalidSpec(at, raw, remedy)
    for index, word in enumerate(raw):
        if (
            not isinstance(word, str)
            or len(word) > LONGEST_WORD
            or not re.fullmatch(WORD, word, re.ASCII)
        ):
            remedy = f"must be a text without control characters, at most {LONGEST_WORD} long"
            raise InvalidSpec(f"{at}[{index}]", word, remedy)
    return tuple(raw)
