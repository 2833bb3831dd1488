"""Files of the pod that the agent has to reach: which volume holds them, and where.

The agent gets the same volume at the same place, so that one path means one file to everybody.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from lossless.injection.admission_pod import AdmissionPod, VolumeMount
from lossless.model.names import PRIVATE_MOUNT, SHARED_MOUNT, TOKEN_MOUNT

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
class FoundMount:
    """The volume is there."""

    mount: Mapping[str, Any]
    """What stands in the agent's ``volumeMounts``."""


@dataclass(frozen=True, slots=True)
class MissingMount:
    """The agent cannot reach the path."""

    reason: str
    remedy: str = _REMEDY


def mount_for(pod: AdmissionPod, path: str) -> FoundMount | MissingMount:
    """Return how the agent gets to the directory of ``path``, to use what is there.

    Args:
        pod: one of its containers has the volume mounted.
        path: absolute, of a file or socket.
    """
    mounts = [
        mount for container in pod.containers if (mount := container.mount_of(path)) is not None
    ]
    if not mounts:
        return MissingMount("no container of this pod has a volume mounted there")
    return _objection(pod, mounts, path) or FoundMount(mounts[0].document())


def _objection(pod: AdmissionPod, mounts: Sequence[VolumeMount], path: str) -> MissingMount | None:
    """Return why these mounts do not lead the agent to the file; None if they do."""
    first = mounts[0]
    where, name = first.directory, first.name
    kind = next((volume.kind for volume in pod.volumes if volume.name == name), "")
    if any(replace(mount, path=mount.directory) != replace(first, path=where) for mount in mounts):
        return MissingMount(
            "two containers mount different volumes there", "mount the same into both"
        )
    if where == path:
        return MissingMount("a volume is mounted at the very file, which cannot go then")
    if first.sub_path_expr:
        return MissingMount(f"volume {name} is mounted with subPathExpr", "use subPath")
    if any(first.holds(needed) or _within(where, needed) for needed in _NEEDED):
        return MissingMount(
            f"the agent cannot have a volume mounted at {where}", "use another directory"
        )
    if kind not in _OWN_KINDS:
        return MissingMount(
            f"volume {name} ({kind or 'not defined'}) is not one that only this pod writes to"
        )
    return None


def _within(path: str, directory: str) -> bool:
    return f"{path}/".startswith(f"{directory}/")
