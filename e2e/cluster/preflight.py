"""What the machine must have, asked before anything is made."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from e2e.cluster import binaries
from e2e.cluster.components import ADMINISTRATIVE_FOLDERS
from e2e.cluster.errors import ClusterError
from e2e.cluster.system_images import BUSYBOX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from e2e.cluster.paths import Paths

PACKAGE_LIST = Path(__file__).with_name("debian-packages.txt")
"""Every package that is named here, for `make` to install; a test holds the two together."""

NEEDED = {
    "containerd": "containerd",
    "containerd-shim-runc-v2": "containerd",
    "conntrack": "conntrack",
    "ctr": "containerd",
    "etcd": "etcd-server",
    "ip": "iproute2",
    "iptables": "iptables",
    "modprobe": "kmod",
    "mount": "mount",
    "nft": "nftables",
    "nsenter": "util-linux",
    "runc": "runc",
    "taskset": "util-linux",
    "unshare": "util-linux",
}
"""The programs that a local cluster runs, and the Debian package of each."""

NEEDED_FOR_IMAGES = {"buildah": "buildah", "mmdebstrap": "mmdebstrap"}
"""The same for building images without Docker."""

CNI_FOLDERS = (Path("/usr/lib/cni"), Path("/opt/cni/bin"))
CNI_PLUGINS = ("bridge", "host-local", "loopback", "portmap")

GIB = 1024**3
SPACE_TO_RUN = 3 * GIB
"""State of a cluster with a few images on each of two nodes."""
SPACE_TO_BUILD = 8 * GIB
"""Go's module and build caches for Kubernetes, and the binaries."""

CAP_SYS_RESOURCE = 24
"""linux/capability.h"""


def check_root(user: int | None = None) -> None:
    """Refuse anybody but root: namespaces, mounts and cgroups are root's.

    Args:
        user: A user id; None for whoever we are.

    Raises:
        ClusterError: It is somebody else's.
    """
    user = os.geteuid() if user is None else user
    if user != 0:
        raise ClusterError(
            f"The local provider needs root, and this is user id {user}.",
            "Run it with sudo, or use --provider kind with a Docker engine.",
        )


def check_programs(needed: dict[str, str], find: Callable[[str], str | None] | None = None) -> None:
    """Refuse when programs are missing, and name the packages that have them.

    Args:
        needed: Program to Debian package.
        find: Looks a program up; None looks on PATH and in the sbin folders.

    Raises:
        ClusterError: One or more are missing.
    """
    search = f"{os.environ.get('PATH', '')}:{ADMINISTRATIVE_FOLDERS}"
    lookup = find or (lambda name: shutil.which(name, path=search))
    _refuse_missing({name: package for name, package in needed.items() if lookup(name) is None})


def _refuse_missing(missing: dict[str, str]) -> None:
    if missing:
        raise ClusterError(
            f"Not installed: {', '.join(sorted(missing))}.",
            f"apt-get install --no-install-recommends {' '.join(sorted(set(missing.values())))}",
        )


def cni_plugins(folders: Iterable[Path] = CNI_FOLDERS) -> Path:
    """The folder with all CNI plugins that we use.

    Raises:
        ClusterError: There is none.
    """
    for folder in folders:
        if all(os.access(folder / plugin, os.X_OK) for plugin in CNI_PLUGINS):
            return folder
    _refuse_missing({f"CNI plugins ({', '.join(CNI_PLUGINS)})": "containernetworking-plugins"})
    raise AssertionError("unreachable")


def check_space(folder: Path, wanted: int, purpose: str) -> None:
    """Refuse to begin what would fill the disk half way.

    Args:
        folder: May not exist yet.
        wanted: Bytes.
        purpose: What they are for.

    Raises:
        ClusterError: There are fewer.
    """
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    if free < wanted:
        raise ClusterError(
            f"{existing} has {free / GIB:.1f} GiB free; {purpose} needs {wanted / GIB:.0f} GiB.",
            "Free some (`go clean -cache` is good for gigabytes), or point XDG_STATE_HOME and "
            "XDG_CACHE_HOME to a larger disk.",
        )


def has_capability(number: int, status: str | None = None) -> bool:
    """Whether we have an effective capability.

    Args:
        number: Of linux/capability.h.
        status: The text of /proc/self/status; None reads it.
    """
    text = Path("/proc/self/status").read_text() if status is None else status
    mask = next(row.split()[1] for row in text.splitlines() if row.startswith("CapEff:"))
    return bool(int(mask, 16) >> number & 1)


def check_local(paths: Paths) -> None:
    """All that the local provider needs.

    Raises:
        ClusterError: The first thing that is missing.
    """
    check_root()
    check_programs(NEEDED)
    cni_plugins()
    if not BUSYBOX.exists():
        _refuse_missing({str(BUSYBOX): "busybox-static"})
    check_space(paths.state, SPACE_TO_RUN, "a cluster")
    if binaries.missing(binaries.LOCAL, paths):
        check_space(paths.cache, SPACE_TO_BUILD, "building Kubernetes")
