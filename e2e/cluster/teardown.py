"""Taking a local cluster away, whatever state it is in."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from e2e.cluster import bridge_netfilter, cgroups, mount_namespaces, mounts, network, processes
from e2e.cluster.errors import ClusterError
from e2e.cluster.record import Record
from e2e.cluster.waiting import wait_until

if TYPE_CHECKING:
    from e2e.cluster.paths import Paths

KUBELET_SYSCTLS = (
    "kernel/keys/root_maxbytes",
    "kernel/keys/root_maxkeys",
    "kernel/panic",
    "kernel/panic_on_oops",
    "vm/overcommit_memory",
    "vm/panic_on_oom",
)
"""What a kubelet changes on its machine; the machine's own values are put back."""


def note_machine() -> dict[str, Any]:
    """What `remove` puts back, noted before anything is changed: a module, folders, sysctls."""
    return {
        "had_bridge_netfilter": bridge_netfilter.is_loaded(),
        "made_folders": [str(folder) for folder in mount_namespaces.missing_folders()],
        "sysctls": {knob: _sysctl(knob).read_text() for knob in KUBELET_SYSCTLS},
    }


def find_processes(paths: Paths) -> list[processes.ProcessId]:
    """Every process of the cluster, its pods' included."""
    names = [network.namespace_file(name) for name in network.existing_namespaces()]
    return processes.find(
        marker=str(paths.state),
        namespaces=[*names, *paths.namespaces.glob("*.mnt")],
        cgroups=cgroups.tops(),
    )


def is_needed(paths: Paths) -> bool:
    """Whether anything of a cluster is there."""
    return bool(
        paths.state.exists()
        or network.existing_namespaces()
        or cgroups.tops()
        or find_processes(paths)
    )


def refuse_foreign(paths: Paths) -> None:
    """Refuse to touch a cluster that somebody with another state folder has up.

    The names of namespaces and cgroups are the machine's: there can be one local cluster on it.

    Raises:
        ClusterError: There is one.
    """
    others = processes.markers() - {str(paths.state)}
    if others:
        other = min(others)
        raise ClusterError(
            f"Another local cluster is up on this machine, with its state in {other}.",
            f"Use that one, or take it down: XDG_STATE_HOME={Path(other).parents[1]} "
            "python -m e2e.cluster down",
        )


def remove(paths: Paths) -> None:
    """Take everything away; harmless when there is nothing.

    Raises:
        ClusterError: Something will not go away; what, and why.
    """
    refuse_foreign(paths)
    record = Record.read(paths)

    def all_killed() -> bool:
        found = find_processes(paths)
        processes.kill(found)
        return not found

    # Asked again and again: a parent may have started a child just before it was killed.
    wait_until(all_killed, what="the cluster's processes to stay away", timeout=60)
    mounts.unmount_below(paths.state)
    network.destroy()
    cgroups.remove()
    left = mounts.below(paths.state)
    if left:
        raise ClusterError(
            f"Still mounted below {paths.state}: {', '.join(left)}.",
            f"`umount {left[0]}`, then run `down` again.",
        )
    if record is not None:
        _restore_machine(record)
    if paths.state.exists():
        shutil.rmtree(paths.state)


def _restore_machine(record: Record) -> None:
    if record.boot == processes.boot_id():
        for knob, value in record.details.get("sysctls", {}).items():
            _sysctl(knob).write_text(value)
        if not record.details.get("had_bridge_netfilter", True):
            bridge_netfilter.unload()
    for name in reversed(record.details.get("made_folders", [])):
        with suppress(OSError):  # not empty, or busy: somebody else has put it to use
            Path(name).rmdir()


def _sysctl(knob: str) -> Path:
    return Path("/proc/sys") / knob
