"""Does a container's own preStop hook end the server itself, before its clients have left?

A hook that a shell runs is run at the drain's start, and only then does the container wait. So one
that tells the server to quit ends it at once: whoever is connected is cut, and whoever comes while
load balancers do not know yet is refused. What does it is known by its words, in a shell's script
as well: the programs and signals of the servers that people run, and ``stop`` said to anything.
What a script in a file does is not seen.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from lossless.injection.containers import Place
from lossless.injection.file_hold import own_command
from lossless.injection.shell_commands import simple_commands
from lossless.injection.stopping_programs import QUIT_PATH, ends
from lossless.model.drain.hooks import HttpHook, OwnHook

#: What is wrong with such a hook, and what to do: the same at admission and in ``check``.
ENDS_EARLY: Final = "ends the server when the drain starts, while its clients are still connected"
WITHOUT_IT: Final = (
    "take that out of the hook: SIGTERM follows by itself once the pod has drained, and a server"
    " that wants another signal gets it by STOPSIGNAL of its image"
)
#: What HAProxy's runtime API is told, through a program that talks to sockets.
_ASKED: Final = re.compile(r"\b(shutdown|disable)\s+(sessions|frontend)\b", re.IGNORECASE)
_ASKS_A_SOCKET: Final = re.compile(r"\b(socat|nc|ncat|netcat|telnet)\b")


def ending_of(place: Place, own: OwnHook | None = None) -> str:
    """Return what of a container's preStop hook ends the server; empty if nothing in sight does.

    Args:
        place: the container, its hook as it was written or as the webhook has wrapped it.
        own: what the agent does in the kubelet's place, where the hook is gone from the pod.
    """
    hook: Mapping[str, Any] = (place.container.get("lifecycle") or {}).get("preStop") or {}
    path = str((hook.get("httpGet") or {}).get("path") or "")
    for asked in (path, own.path if isinstance(own, HttpHook) else ""):
        if QUIT_PATH.search(asked):
            return f"GET {asked}"
    about = (place.name, str(place.container.get("image") or "").rpartition("/")[2])
    return ending_in(own_command(hook), *about)


def stopping_problem(place: Place, own: OwnHook | None) -> list[str]:
    """Return the warning about a container's hook with its remedy, if it deserves one."""
    ending = ending_of(place, own)
    if not ending:
        return []
    return [
        f"container {place.name}: its preStop runs {ending!r:.99}, which {ENDS_EARLY}; {WITHOUT_IT}"
    ]


def ending_in(command: Sequence[str], *about: str) -> str:
    """Return what of a command ends the server, as ``ending_of``."""
    server = " ".join(about).lower()
    found = next((words for words in simple_commands(command) if ends(words, server)), None)
    if found is None:
        line = " ".join(command)
        asked = _ASKED.search(line) if _ASKS_A_SOCKET.search(line) else None
        found = [asked[0]] if asked else []
    return " ".join(" ".join(found).split())
