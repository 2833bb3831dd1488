"""br_netfilter is loaded for the nodes, and the machine's own bridges do not notice."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from e2e.cluster import bridge_netfilter
from e2e.cluster.bridge_netfilter import MACHINE_SWITCHES


class Kernel:
    """One that has the module or can load it; its switches are files."""

    def __init__(self, folder: Path, *, can_load: bool = True) -> None:
        self.switches = folder / "bridge"
        self.asked: list[Sequence[str]] = []
        self._can_load = can_load

    def has_it(self, value: str = "1") -> None:
        """Load it, all switches at a value; the kernel's own is 1."""
        self.switches.mkdir()
        for name in MACHINE_SWITCHES:
            (self.switches / name).write_text(f"{value}\n")

    def values(self) -> set[str]:
        """Return what the machine's switches say, each value once."""
        return {(self.switches / name).read_text().strip() for name in MACHINE_SWITCHES}

    def succeeds(self, argv: Sequence[str]) -> bool:
        """Run modprobe or rmmod."""
        self.asked.append(argv)
        if argv[0] == "modprobe" and self._can_load:
            self.has_it()
        return self._can_load


def test_what_it_loads_leaves_the_machines_bridges_alone(tmp_path: Path) -> None:
    """The kernel switches it on in the machine's own namespace as well."""
    kernel = Kernel(tmp_path)

    bridge_netfilter.load(kernel.switches, kernel.succeeds)

    assert kernel.asked == [["modprobe", "br_netfilter"]]
    assert kernel.values() == {"0"}


def test_what_was_loaded_before_stays_as_it_is(tmp_path: Path) -> None:
    """Docker's own rules need it switched on."""
    kernel = Kernel(tmp_path)
    kernel.has_it()

    bridge_netfilter.load(kernel.switches, kernel.succeeds)

    assert (kernel.asked, kernel.values()) == ([], {"1"})


def test_a_kernel_without_it_is_no_error_here(tmp_path: Path) -> None:
    """The first node that lacks its switch says what to install."""
    kernel = Kernel(tmp_path, can_load=False)

    bridge_netfilter.load(kernel.switches, kernel.succeeds)

    assert not bridge_netfilter.is_loaded(kernel.switches)


@pytest.mark.parametrize(
    ("value", "asked"),
    [
        pytest.param("0", [["rmmod", "br_netfilter"]], id="ours-alone"),
        pytest.param("1", [], id="somebody-has-switched-it-on-since"),
        pytest.param(None, [], id="gone-already"),
    ],
)
def test_it_is_unloaded_only_while_nobody_else_wants_it(
    value: str | None, asked: list[list[str]], tmp_path: Path
) -> None:
    """Nor are the modules it depends on: with the module bridge the machine's bridges would go."""
    kernel = Kernel(tmp_path, can_load=False)
    if value is not None:
        kernel.has_it(value)

    bridge_netfilter.unload(kernel.switches, kernel.succeeds)

    assert kernel.asked == asked
