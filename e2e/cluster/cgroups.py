"""The cgroups below which each kubelet keeps its pods.

Two kubelets with one root would remove each other's pods, so every node has a root of its own:
`/lossless/NODE`, in every hierarchy of cgroup v1 and in the only one of v2.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from e2e.cluster.errors import ClusterError
from e2e.cluster.mounts import mounts
from e2e.cluster.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Sequence

TOP = "lossless"
UNIFIED = Path("/sys/fs/cgroup")
LEAF = "lossless-host"
"""v2 only: where the machine's own processes go if the root cgroup is not allowed to hold any."""

WANTED_CONTROLLERS = ("cpuset", "cpu", "io", "memory", "hugetlb", "pids")


def hierarchies(mounted: Sequence[tuple[str, str]]) -> tuple[list[Path], Path | None]:
    """The v1 hierarchies, or the v2 root if v2 is in charge.

    On a hybrid machine v2 is mounted elsewhere (`/sys/fs/cgroup/unified`), holds no controller and
    does not matter.

    Args:
        mounted: (mount point, file system type) rows.

    Raises:
        ClusterError: Neither version is mounted.
    """
    legacy = [Path(point) for point, kind in mounted if kind == "cgroup"]
    if legacy:
        return legacy, None
    if (str(UNIFIED), "cgroup2") in mounted:
        return [], UNIFIED
    raise ClusterError(
        "No cgroup hierarchy is mounted at /sys/fs/cgroup, so no kubelet can run.",
        "Mount one: `mount -t cgroup2 cgroup2 /sys/fs/cgroup`.",
    )


def enable_order(available: str, enabled: str) -> str:
    """What to write to cgroup.subtree_control: the wanted controllers that are not enabled yet."""
    have, done = available.split(), enabled.split()
    return " ".join(f"+{name}" for name in WANTED_CONTROLLERS if name in have and name not in done)


def _delegate(cgroup: Path) -> None:
    order = enable_order(
        (cgroup / "cgroup.controllers").read_text(), (cgroup / "cgroup.subtree_control").read_text()
    )
    if order:
        (cgroup / "cgroup.subtree_control").write_text(order)


def _vacate(root: Path) -> None:
    """Move the root's processes into a leaf, or v2 refuses to delegate controllers from it.

    Only the machine's true root is exempt from "no internal processes"; in a container the root
    that we see is an ordinary cgroup, and has a cgroup.type.
    """
    if not (root / "cgroup.type").exists():
        return
    leaf = root / LEAF
    leaf.mkdir(exist_ok=True)
    for pid in (root / "cgroup.procs").read_text().split():
        try:
            (leaf / "cgroup.procs").write_text(pid)
        except OSError:  # it ended meanwhile, or is a kernel thread
            continue


def create(name: str) -> None:
    """Make the root cgroup `/lossless/NAME` of a node; harmless when it exists.

    Raises:
        ClusterError: The kernel refuses.
    """
    try:
        _create(name)
    except OSError as error:
        raise ClusterError(
            f"The cgroup /{TOP}/{name} cannot be made: {error}.",
            "In a container, make it a privileged one whose /sys/fs/cgroup can be written to.",
        ) from error


def _create(name: str) -> None:
    legacy, unified = hierarchies(mounts())
    for hierarchy in legacy:
        cgroup = hierarchy
        for part in (TOP, name):
            parent, cgroup = cgroup, cgroup / part
            cgroup.mkdir(exist_ok=True)
            for knob in ("cpuset.cpus", "cpuset.mems"):
                # v1 starts a cpuset empty, and no process may enter an empty one.
                if (parent / knob).exists() and not (cgroup / knob).read_text().strip():
                    (cgroup / knob).write_text((parent / knob).read_text())
    if unified is not None:
        _vacate(unified)
        _delegate(unified)
        (unified / TOP).mkdir(exist_ok=True)
        _delegate(unified / TOP)
        (unified / TOP / name).mkdir(exist_ok=True)


def tops() -> list[Path]:
    """Our topmost cgroup in every hierarchy that has one."""
    legacy, unified = hierarchies(mounts())
    roots = [*legacy, *([unified] if unified else [])]
    return [root / TOP for root in roots if (root / TOP).is_dir()]


def members(name: str, leaf: str) -> set[int]:
    """The pids in every cgroup called `leaf` below a node's: a container's, by its id."""
    found: set[int] = set()
    for top in tops():
        for procs in (top / name).rglob(f"{leaf}/cgroup.procs"):
            found.update(int(pid) for pid in procs.read_text().split())
    return found


def remove() -> None:
    """Remove all our cgroups; their processes must have ended.

    The kernel keeps a cgroup busy for a moment after its last process has gone.
    """
    for top in tops():
        wait_until(
            partial(_remove_tree, top),
            what=f"the cgroups below {top} to become empty",
            timeout=10,
            remedy=f"`cat {top}/**/cgroup.procs` shows who is still in them.",
        )
    legacy, unified = hierarchies(mounts())
    if unified is not None and not legacy:
        _move_back(unified)


def _move_back(root: Path) -> None:
    """Undo `_vacate`, as far as v2 allows: the root can hold processes only without delegation."""
    leaf = root / LEAF
    if not leaf.is_dir():
        return
    enabled = (root / "cgroup.subtree_control").read_text().split()
    try:
        (root / "cgroup.subtree_control").write_text(" ".join(f"-{name}" for name in enabled))
        for pid in (leaf / "cgroup.procs").read_text().split():
            (root / "cgroup.procs").write_text(pid)
        leaf.rmdir()
    except OSError:  # somebody else delegates from this root by now: then the leaf has to stay
        return


def _remove_tree(top: Path) -> bool:
    try:
        for folder in sorted(top.rglob("*/"), reverse=True):
            folder.rmdir()
        top.rmdir()
    except FileNotFoundError:
        return not top.exists()
    except OSError:
        return False
    return True
