"""How a container's nginx is reloaded, by what its pod template says of its start.

``nginx -s reload`` finds the master by the pid file that the configuration names, so it has to be
told of the same configuration. In return it does not matter which process of its container or of
its pod (``shareProcessNamespace``) the master is. What an image starts by itself is not seen.
"""

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from lossless.injection.admission_pod import ServingContainer
from lossless.model.nginx_image import names_nginx
from lossless.model.nginx_reload import DEFAULT_COMMAND

_PROGRAMS: Final = frozenset({"nginx", "nginx-debug", "openresty"})
#: Options with a value by which nginx finds its configuration and pid file. ``-g`` may set ``pid``.
_TOLD: Final = ("-c", "-p", "-e", "-g")
#: What ends a command in a shell's script.
_ENDS: Final = frozenset({";", "&", "&&", "|", "||", ")"})
#: One signal to process 1.
_KILL: Final = frozenset({"kill", "/bin/kill", "/usr/bin/kill"})


@dataclass(frozen=True, slots=True)
class UnknownCommand:
    """Why nobody can tell from a pod template what reloads its nginx."""

    reason: str
    remedy: str


def reload_command(container: ServingContainer) -> tuple[str, ...] | UnknownCommand:
    """Return what reloads the container's nginx."""
    start = _start(container)
    if not start:
        return DEFAULT_COMMAND
    options = list(_options(start[1:]))
    if any("$" in word for word in (start[0], *options)):
        return UnknownCommand(
            f"it starts nginx by {shlex.join([start[0], *options])}, and a hook does not know its"
            " variables",
            "name the command with their values in command",
        )
    return (start[0], *options, "-s", "reload")


def runs_nginx(container: ServingContainer) -> bool:
    """Return whether its command or its image says that nginx runs in the container."""
    return bool(_start(container)) or names_nginx(container.image)


def signals_process_1(command: Sequence[str]) -> bool:
    """Return whether a command sends its signal to the first process there is."""
    return bool(command) and command[0] in _KILL and command[-1] == "1"


def is_behind_a_shell(container: ServingContainer) -> bool:
    """Return whether a shell is process 1 for as long as the container's nginx runs.

    One that is given a single command lets that take its place, as do most.
    """
    script = _script([*container.command, *container.args])
    return bool(re.search(r"[;&|\n]", script)) and not re.search(r"\bexec\b", script)


def _start(container: ServingContainer) -> list[str]:
    """Return nginx's program and its arguments; empty if it is not seen."""
    words = [*container.command, *container.args]
    script = _script(words)
    if script:
        try:
            lexer = shlex.shlex(script, posix=True, punctuation_chars=True)
            lexer.whitespace_split = True
            words = list(lexer)
        except ValueError:
            return []
    elif _is_entry_point(container, words):
        return ["nginx", *words]
    for index, word in enumerate(words):
        if word.rpartition("/")[2] in _PROGRAMS:
            found = words[index:]
            end = next((at for at, one in enumerate(found) if one in _ENDS), len(found))
            return found[:end]
    return []


def _is_entry_point(container: ServingContainer, words: list[str]) -> bool:
    """Return whether these are arguments for an image of nginx that begins with it."""
    options = not container.command and bool(words) and words[0].startswith("-")
    return options and names_nginx(container.image)


def _script(words: list[str]) -> str:
    """Return what a shell is told to run; empty if it is none."""
    name = words[0].rpartition("/")[2] if words else ""
    if not name.endswith("sh") or "." in name:
        return ""
    at = next((index for index, word in enumerate(words) if word.endswith("c")), None)
    return words[at + 1] if at is not None and at + 1 < len(words) else ""


def _options(words: list[str]) -> Iterator[str]:
    """Yield those options that say where nginx's files are, each with its value."""
    following = iter(words)
    for word in following:
        if word in _TOLD:
            yield word
            yield next(following, "")
        elif word[:2] in _TOLD:
            yield word
