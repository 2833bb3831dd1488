"""br_netfilter, the kernel module that takes bridged packets through iptables.

Its switches are of each network namespace and begin as 1 in all of them, the machine's own included
(Linux 5.3, net/bridge/br_netfilter_hooks.c): there a firewall that drops what it does not know
would stop the bridged packets of virtual machines and containers. So the machine's are switched off
where the module was not loaded before us; the nodes' namespaces have theirs.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from e2e.cluster.command import succeeds

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MODULE = "br_netfilter"
SWITCHES = Path("/proc/sys/net/bridge")
"""There while the module is, or where it is built in."""
MACHINE_SWITCHES = (
    "bridge-nf-call-iptables",
    "bridge-nf-call-ip6tables",
    "bridge-nf-call-arptables",
)


def is_loaded(switches: Path = SWITCHES) -> bool:
    """Whether the kernel has it now."""
    return switches.is_dir()


def load(switches: Path = SWITCHES, succeeds: Callable[[Sequence[str]], bool] = succeeds) -> None:
    """Load it; the machine's own bridges go on as they did.

    Args:
        switches: The folder with the machine's.
        succeeds: Runs a command.
    """
    if is_loaded(switches):
        return
    if succeeds(["modprobe", MODULE]):
        for name in MACHINE_SWITCHES:
            (switches / name).write_text("0")


def unload(switches: Path = SWITCHES, succeeds: Callable[[Sequence[str]], bool] = succeeds) -> None:
    """Unload what `load` has loaded, unless somebody has switched it on since; may fail.

    Not `modprobe -r`: that takes unused dependencies along, and the module bridge counts none of
    the machine's bridges as a user, but deletes them when it goes.

    Args:
        switches: The folder with the machine's.
        succeeds: Runs a command.
    """
    values = [switches / name for name in MACHINE_SWITCHES]
    if is_loaded(switches) and all(value.read_text().strip() == "0" for value in values):
        succeeds(["rmmod", MODULE])
