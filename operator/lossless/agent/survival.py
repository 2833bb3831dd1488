"""What an agent that has just been started does with the drain of an agent before it.

The kubelet stops a pod's containers, with their hooks, also where the pod lives on with its
volumes: when the sandbox is made anew (its process was killed, its network is gone), when all
containers are restarted in place, and, the agent's alone, when its container's definition has
changed (``kubectl set image pod/…``, an upgrade of the kubelet in place). Such a pod must serve
again, and drain again when its end comes.

In a pod that stops, no agent is started again, so whoever is started there belongs to one that
lives. KEP-4438 would start a sidecar again that ends by itself in a pod that stops; so an agent
that died in the middle of a drain joins it, unless something else tells that the pod lives on.
Attempts of one process to run (``__main__``) are no new start, and the host mode forgets markers
by itself.
"""

import _socket
import contextlib
import os
from typing import Final

from lossless.agent import files
from lossless.agent.settings import Settings
from lossless.model.close_drivers import (
    FileAction,
    FileClose,
    MiddlewareClose,
    NginxClose,
)
from lossless.model.phases import ENDED
from lossless.model.report import parse_report

#: ``include/uapi/asm-generic/socket.h``, since Linux 5.14; Python has no name for it.
_SO_NETNS_COOKIE: Final = 71
_COOKIE_BYTES: Final = 8


def sandbox_id() -> str:
    """Return what tells this pod sandbox from one before it on this boot; empty if nothing does.

    The cookie of the network namespace, which is never given twice. The inode of
    ``/proc/self/ns/net`` is: the next namespace gets the number of the last that has gone. On the
    node's network it is the node's, and so the same for all sandboxes.
    """
    try:
        with contextlib.closing(_socket.socket(_socket.AF_INET, _socket.SOCK_DGRAM)) as asked:
            raw = asked.getsockopt(_socket.SOL_SOCKET, _SO_NETNS_COOKIE, _COOKIE_BYTES)
    except OSError:
        return ""
    return raw.hex()


def proof_of_survival(marker: files.Marker, uid: str, sandbox: str) -> str:
    """Return why the pod has survived the drain of a marker; empty: it may still be under way.

    Args:
        marker: left by the agent before.
        uid: of the pod.
        sandbox: that the agent runs in, or empty.
    """
    with contextlib.suppress(ValueError):
        if parse_report(marker.report, uid=uid).phase in ENDED:
            return "its drain had ended"
    if marker.stopped:
        return "the agent was told to end in the middle of its drain"
    if sandbox and marker.sandbox and sandbox != marker.sandbox:
        return "its sandbox is a new one"
    return ""


def undo_drain(settings: Settings) -> tuple[str, ...]:
    """Take the drain's files away, the marker last; return what went wrong.

    Status files are not put back: whoever finds no marker shows them.
    """
    paths = settings.paths
    asked = (path for base in (paths.released, paths.reload) for path in _beginning_with(base))
    problems = [files.hide_status(path) for path in asked]
    for driver in settings.config.close:
        if isinstance(driver, FileClose) and driver.path not in settings.config.out_of_reach:
            back = files.show_status if driver.action is FileAction.REMOVE else files.hide_status
            problems.append(back(paths.prefix + driver.path))
    problems += [files.hide_status(paths.draining), files.hide_status(paths.marker)]
    return tuple(filter(None, problems))


def left_as_they_are(settings: Settings) -> tuple[str, ...]:
    """Return the close drivers that only the programs themselves could take back, by name."""
    by_files = (NginxClose, MiddlewareClose, FileClose)
    return tuple(one.name for one in settings.config.close if not isinstance(one, by_files))


def _beginning_with(path: str) -> list[str]:
    """Return the files whose names are that of ``path``, a dot and something."""
    directory, base = os.path.split(path)
    try:
        found = [name for name in os.listdir(directory) if name.startswith(f"{base}.")]  # noqa: PTH208 # pathlib costs memory in every pod
    except OSError:
        # Without the directory there is no file in it.
        found = []
    return [os.path.join(directory, name) for name in found]  # noqa: PTH118 # the same
