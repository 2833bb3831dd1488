"""Files of the pod that the agent has to reach: which volume holds them, and where.

The agent gets the same volume at the same place, so that one path means one file to everybody.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lossless.injection.containers import Place
from lossless.model.names import (
    PRIVATE_MOUNT,
    PRIVATE_VOLUME,
    SHARED_MOUNT,
    SHARED_VOLUME,
    TOKEN_MOUNT,
)

#: Kinds of volumes that belong to one pod alone and can be written. On any other, what one pod
#: writes would be seen by the next, or nothing could be written at all.
_OWN_KINDS: Final = frozenset({"emptyDir", "ephemeral"})
#: What the agent itself needs: a volume over, or below, one of these would break it.
_NEEDED: Final = (
    SHARED_MOUNT,
    PRIVATE_MOUNT,
    TOKEN_MOUNT,
    "/bin",
    "/dev",
    "/etc",
    "/lib",
    "/lib64",
    "/proc",
    "/sys",
    "/usr/bin",
    "/usr/lib",
    "/usr/local/bin",
    "/usr/local/lib",
)
_REMEDY: Final = "mount an emptyDir at its directory into that container"


@dataclass(frozen=True, slots=True)
class Found:
    """The volume is there."""

    mount: Mapping[str, Any]
    """What stands in the agent's ``volumeMounts``."""


@dataclass(frozen=True, slots=True)
class Missing:
    """The agent cannot reach the path."""

    reason: str
    remedy: str = _REMEDY


def mount_for(pod: Mapping[str, Any], places: tuple[Place, ...], path: str) -> Found | Missing:
    """Return how the agent gets to the directory of ``path``, to use what is there.

    Args:
        pod: as in an admission request.
        places: of the containers that serve; one of them has the volume mounted.
        path: absolute, of a file or socket.
    """
    mounts = [found for place in places if (found := _mount_in(place, path)) is not None]
    if not mounts:
        return Missing("no container of this pod has a volume mounted there")
    objection = _objection(pod, mounts, path)
    if objection is not None:
        return objection
    mount = mounts[0]
    sub_path = {"subPath": mount["subPath"]} if mount.get("subPath") else {}
    return Found({"name": mount["name"], "mountPath": mount["mountPath"], **sub_path})


def sees(place: Place, path: str) -> bool:
    """Return whether a volume of the pod brings ``path`` to this container."""
    return _mount_in(place, path) is not None


def _objection(
    pod: Mapping[str, Any], mounts: Sequence[Mapping[str, Any]], path: str
) -> Missing | None:
    """Return why these mounts do not lead the agent to the file; None if they do."""
    first = mounts[0]
    where, name = first["mountPath"].rstrip("/"), first["name"]
    kind = _kind_of(pod, name)
    if any(_place_of(mount) != _place_of(first) for mount in mounts):
        return Missing("two containers mount different volumes there", "mount the same into both")
    if where == path:
        return Missing("a volume is mounted at the very file, which cannot go then")
    if first.get("subPathExpr"):
        return Missing(f"volume {name} is mounted with subPathExpr", "use subPath")
    if any(_within(where, needed) or _within(needed, where) for needed in _NEEDED):
        return Missing(
            f"the agent cannot have a volume mounted at {where}", "use another directory"
        )
    if kind not in _OWN_KINDS:
        return Missing(
            f"volume {name} ({kind or 'not defined'}) is not one that only this pod writes to"
        )
    return None


def _mount_in(place: Place, path: str) -> Mapping[str, Any] | None:
    """Return the mount that holds ``path`` in this container: the one with the longest path."""
    holding = [
        mount
        for mount in place.container.get("volumeMounts") or ()
        if mount.get("name") not in (SHARED_VOLUME, PRIVATE_VOLUME)
        and _within(path, str(mount.get("mountPath") or ""))
    ]
    return max(holding, key=lambda mount: len(mount["mountPath"].rstrip("/")), default=None)


def _within(path: str, directory: str) -> bool:
    return f"{path}/".startswith(f"{directory.rstrip('/')}/")


def _place_of(mount: Mapping[str, Any]) -> tuple[Any, ...]:
    keys = ("name", "subPath", "subPathExpr")
    return (mount["mountPath"].rstrip("/"), *(mount.get(key) or "" for key in keys))


def _kind_of(pod: Mapping[str, Any], name: str) -> str:
    for volume in pod["spec"].get("volumes") or ():
        if volume.get("name") == name:
            return next((str(key) for key in volume if key != "name"), "")
    return ""
