"""A node's own view of the file system.

The kubelet, containerd and CNI insist on some paths (`/run/containerd`, `/run/netns`,
`/run/xtables.lock`, `/var/lib/kubelet/device-plugins`, `/var/log/containers`), and two nodes on one
machine would meet there. So each node has a mount namespace: `/run` is a fresh tmpfs, the folders
in `PRIVATE_FOLDERS` are its own. It also makes an end easy: all overlays and volumes of all pods
vanish with the namespace.
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from e2e.cluster import mounts
from e2e.cluster.command import run, succeeds
from e2e.cluster.components import mount_namespace

if TYPE_CHECKING:
    from e2e.cluster.paths import Paths
    from e2e.cluster.topology import Node, Topology

PRIVATE_FOLDERS = (
    Path("/var/lib/kubelet"),
    Path("/var/lib/cni"),
    Path("/var/log/pods"),
    Path("/var/log/containers"),
)


def missing_folders() -> list[Path]:
    """The private folders that the machine lacks, parents first; a mount needs a mount point."""
    wanted = {folder for path in PRIVATE_FOLDERS for folder in (path, path.parent)}
    return sorted(folder for folder in wanted if not folder.exists())


def script(node: Node, paths: Paths) -> str:
    """The shell script that arranges a node's mounts, run inside its new namespace.

    First a slave of the machine's mounts, so that an unmounted disk is unmounted here too and
    nothing mounted here is seen there; then shared among its own children, as the kubelet demands
    of its root directory for `mountPropagation`.
    """
    lines = [
        "mount --make-rslave /",
        "mount --make-rshared /",
        "mount -t tmpfs -o mode=755 tmpfs /run",
        "mkdir /run/netns /run/containerd /run/lock",
    ]
    for folder in PRIVATE_FOLDERS:
        source = shlex.quote(str(private_folder(node, paths, folder)))
        lines += [f"mkdir -p {source}", f"mount --bind {source} {folder}"]
    return "\n".join(lines)


def private_folder(node: Node, paths: Paths, folder: Path) -> Path:
    """Where a private folder's content is seen from the machine."""
    return paths.node(node.name) / "-".join(folder.parts[1:])


def create(topology: Topology, paths: Paths) -> None:
    """Make every node's mount namespace; none may exist yet."""
    for folder in missing_folders():
        folder.mkdir()
    paths.namespaces.mkdir(parents=True, exist_ok=True)
    # A mount namespace can only be bound on a mount that does not propagate into itself.
    run(["mount", "--bind", paths.namespaces, paths.namespaces])
    run(["mount", "--make-private", paths.namespaces])
    for node in topology.nodes:
        namespace = mount_namespace(node, paths)
        namespace.touch()
        _bind(namespace)
        run(
            ["nsenter", f"--mount={namespace}", "--", "sh", "-e"],
            stdin=script(node, paths),
        )


def _bind(namespace: Path) -> None:
    """Make a mount namespace that outlives its makers, bound on a file.

    The kernel refuses to bind an older namespace inside a younger one, which could make a loop, and
    tells age by a number. Newer kernels (seen: 6.18) deal these out in a batch per CPU, so a fresh
    namespace can look older than ours, with EINVAL; one made on the CPU that made ours never does.
    """
    unshare = ["unshare", f"--mount={namespace}", "--propagation=slave", "true"]
    cpus = sorted(os.sched_getaffinity(0))
    for attempt in ([], *(["taskset", "--cpu-list", f"{cpu}"] for cpu in cpus[:-1])):
        if succeeds([*attempt, *unshare]):
            return
    run(["taskset", "--cpu-list", f"{cpus[-1]}", *unshare])


def exist(topology: Topology, paths: Paths) -> bool:
    """Whether every node has its mount namespace."""
    bound = {point for point, kind in mounts.mounts() if kind == "nsfs"}
    return all(str(mount_namespace(node, paths)) in bound for node in topology.nodes)
