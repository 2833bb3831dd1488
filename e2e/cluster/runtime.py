"""A node's container runtime, containerd, by its own command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from e2e.cluster.command import run, succeeds
from e2e.cluster.components import enter

if TYPE_CHECKING:
    from pathlib import Path

    from e2e.cluster.paths import Paths
    from e2e.cluster.topology import Node


def ctr(
    node: Node, paths: Paths, *arguments: str, stdin: str | Path = "", timeout: float = 30
) -> str:
    """Run ``ctr`` among what the kubelet uses, and give what it printed.

    Raises:
        ClusterError: It failed or did not end within ``timeout`` seconds.
    """
    argv = [*enter(node, paths), "ctr", "--namespace=k8s.io", *arguments]
    return run(argv, stdin=stdin, timeout=timeout)


def answers(node: Node, paths: Paths) -> bool:
    """Whether containerd serves its socket."""
    return succeeds([*enter(node, paths), "ctr", "version"], timeout=5)


def sandboxes_of(node: Node, paths: Paths, uid: str) -> list[str]:
    """The ids of a pod's sandboxes, by the pod's uid; the one before may still be there."""
    wanted = f'labels."io.kubernetes.pod.uid"=={uid},labels."io.cri-containerd.kind"==sandbox'
    return ctr(node, paths, "containers", "list", "--quiet", wanted).split()
