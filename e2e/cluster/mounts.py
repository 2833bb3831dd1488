"""The machine's mounts below our own folders."""

from __future__ import annotations

import re
from pathlib import Path

from e2e.cluster.command import run, succeeds


def parse_mountinfo(text: str) -> list[tuple[str, str]]:
    """(mount point, file system type) per line of /proc/self/mountinfo, in the kernel's order.

    Spaces and backslashes in a path are octal escapes there (proc(5)).
    """
    rows = []
    for row in text.splitlines():
        left, _, right = row.partition(" - ")
        point = re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), left.split()[4])
        rows.append((point, right.split()[0]))
    return rows


def mounts() -> list[tuple[str, str]]:
    """(mount point, file system type) of everything mounted now."""
    return parse_mountinfo(Path("/proc/self/mountinfo").read_text())


def is_mounted(folder: Path) -> bool:
    """Whether something is mounted on a folder.

    Path.is_mount() does not see a folder that is mounted on itself: device and parent are the same.
    """
    return any(point == str(folder) for point, _ in mounts())


def below(folder: Path) -> list[str]:
    """Mount points in and under a folder, the last mounted first."""
    root = str(folder)
    return [
        point for point, _ in reversed(mounts()) if point == root or point.startswith(root + "/")
    ]


def unmount_below(folder: Path) -> None:
    """Unmount everything in and under a folder; lazily, because a dying process may hold a file."""
    for point in below(folder):
        run(["umount", "--lazy", point])


def overlay_works(folder: Path) -> bool:
    """Whether the file system of `folder` can carry an overlay mount.

    It cannot where the folder is on an overlay itself, as in most containers.
    """
    trial = folder / "overlay-trial"
    for part in ("lower", "upper", "work", "merged"):
        (trial / part).mkdir(parents=True, exist_ok=True)
    options = f"lowerdir={trial}/lower,upperdir={trial}/upper,workdir={trial}/work"
    works = succeeds(["mount", "-t", "overlay", "overlay", "-o", options, trial / "merged"])
    if works:
        run(["umount", trial / "merged"])
    for part in ("merged", "work/work", "work", "upper", "lower", ""):
        path = trial / part
        if path.exists():
            path.rmdir()
    return works
