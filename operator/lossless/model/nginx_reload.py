"""The reload by which nginx tells its HTTP/2 clients to leave: ``close[].nginx.http2``.

nginx says GOAWAY to all its connections when it is reloaded, and at no other time that a drain
could use (docs/nginx.md has the measurements). Nobody outside its container can reload it, so the
container's preStop hook does.
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
    """In which it runs; empty: the one named nginx, or else the only one that serves clients."""
    command: tuple[str, ...] = DEFAULT_COMMAND


def parse_reload(raw: object, at: str) -> Reload:
    """Return the reload that stands ``at``.

    Raises:
        InvalidSpec: it is none.
    """
    if not isinstance(raw, Mapping):
        raise InvalidSpec(at, raw, "must be an object, for example {reload: AfterPropagation}")
    container = ""
    if "container" in raw:
        container = matching(
            raw, (at, "container"), CONTAINER, LONGEST_CONTAINER, "must be the name of a container"
        )
    return Reload(
        time=choice(raw, at, "reload", ReloadTime.AFTER_CLIENT_IDLE_TIMEOUT),
        container=container,
        command=_command(raw.get("command", list(DEFAULT_COMMAND)), f"{at}.command"),
    )


def reload_document(reload: Reload) -> dict[str, Any]:
    """Return ``reload`` as it stands in a spec, every default written out."""
    container = {"container": reload.container} if reload.container else {}
    return {"reload": reload.time.value, "command": list(reload.command), **container}


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
