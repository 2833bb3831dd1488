"""What a kubelet asks an agent for when a container is to stop: the path of its preStop hook.

``/v1/hold/CONTAINER``; on the node's network ``/v1/hold/CONTAINER/KEY/SECONDS``. There a hold goes
to a port of the node, and if its own agent could not have that, another pod's agent may be the one
that listens. The key is known to the pod's own agent only. Any other must neither answer, because
the kubelet takes every answer for "stop now", nor hold for ever, because the kubelet sets no limit:
it answers after so many seconds, by which the drain of the pod that is meant has ended in any case.
"""

from typing import Final, NamedTuple

from lossless.model.names import HOLD_PATH

#: Seconds for which a stranger's hold is held at most, whatever it says: the longest drain, a day,
#: and as long again for what comes after it.
LONGEST: Final = 172_800
_WITH_KEY: Final = 3


class AskedHold(NamedTuple):
    """One hold, as asked for."""

    container: str
    """Empty: of the pod as a whole, as older webhooks asked."""
    key: str = ""
    """Of the pod that is meant; empty: nobody but its agent can be reached by this path."""
    seconds: int = 0
    """For how long any other agent holds it."""


def hold_path(asked: AskedHold) -> str:
    """Return the path that asks for a hold."""
    parts = [HOLD_PATH, asked.container]
    return "/".join([*parts, asked.key, str(asked.seconds)] if asked.key else parts)


def parse_hold_path(path: str) -> AskedHold | None:
    """Return what ``path`` asks for; None if it is not for a hold."""
    if path == HOLD_PATH:
        return AskedHold("")
    if not path.startswith(f"{HOLD_PATH}/"):
        return None
    parts = path.removeprefix(f"{HOLD_PATH}/").split("/")
    if not all(parts):
        return None
    if len(parts) == 1:
        return AskedHold(parts[0])
    if len(parts) != _WITH_KEY or not (parts[2].isascii() and parts[2].isdecimal()):
        return None
    # As long a number as anybody likes: its length is looked at before its value.
    seconds = int(parts[2]) if len(parts[2]) <= len(str(LONGEST)) else LONGEST
    return AskedHold(parts[0], parts[1], min(seconds, LONGEST))
