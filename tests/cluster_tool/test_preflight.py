"""Refusals before anything is made."""

from pathlib import Path

import pytest

from e2e.cluster import preflight
from e2e.cluster.errors import ClusterError

STATUS = "Name:\tpython\nCapInh:\t0000000000000000\nCapEff:\t{mask}\n"


def test_missing_programs_are_named_with_their_packages() -> None:
    """One line to copy installs all of them, each once."""
    found = {"ip", "runc"}
    with pytest.raises(ClusterError) as refusal:
        preflight.check_programs(preflight.NEEDED, lambda name: name if name in found else None)

    assert refusal.value.problem.startswith("Not installed: conntrack, containerd, ")
    assert refusal.value.remedy.startswith("apt-get install --no-install-recommends conntrack ")
    assert refusal.value.remedy.count(" containerd") == 1
    assert "runc" not in refusal.value.remedy


def test_nothing_is_said_when_all_is_there() -> None:
    """The common case."""
    preflight.check_programs(preflight.NEEDED, lambda name: name)


def test_every_needed_package_is_on_the_list_that_gets_installed() -> None:
    """`make` installs debian-packages.txt; a program from elsewhere would stay missing."""
    rows = preflight.PACKAGE_LIST.read_text().splitlines()
    listed = {row.partition("#")[0].strip() for row in rows}
    needed = {*preflight.NEEDED.values(), *preflight.NEEDED_FOR_IMAGES.values()}

    assert needed <= listed
    assert {"busybox-static", "containernetworking-plugins"} <= listed


def test_cni_plugins_are_taken_from_the_first_complete_folder(tmp_path: Path) -> None:
    """Half an installation does not count."""
    half, whole = tmp_path / "half", tmp_path / "whole"
    for folder, plugins in ((half, ["bridge"]), (whole, preflight.CNI_PLUGINS)):
        folder.mkdir()
        for plugin in plugins:
            (folder / plugin).touch(mode=0o755)

    assert preflight.cni_plugins([half, whole]) == whole
    with pytest.raises(ClusterError, match="containernetworking-plugins"):
        preflight.cni_plugins([half])


def test_a_full_disk_is_refused_with_both_numbers(tmp_path: Path) -> None:
    """Also for a folder that does not exist yet."""
    with pytest.raises(ClusterError, match=r"GiB free; a cluster needs 1048576 GiB"):
        preflight.check_space(tmp_path / "not" / "yet", preflight.GIB * 1024 * 1024, "a cluster")

    preflight.check_space(tmp_path / "not" / "yet", 1, "a cluster")


@pytest.mark.parametrize(
    ("mask", "has"),
    [
        pytest.param("000001ffffffffff", True, id="all"),
        pytest.param("000001fffeffffff", False, id="all but this one"),
        pytest.param("0000000000000000", False, id="none"),
    ],
)
def test_a_capability_is_read_from_the_effective_set(mask: str, has: bool) -> None:  # noqa: FBT001 - a table's column
    """Bit 24 is CAP_SYS_RESOURCE (linux/capability.h)."""
    status = STATUS.format(mask=mask)

    assert preflight.has_capability(preflight.CAP_SYS_RESOURCE, status) is has


def test_an_ordinary_user_is_told_about_root_and_kind() -> None:
    """Both ways out are named."""
    with pytest.raises(ClusterError, match=r"(?s)needs root.*--provider kind"):
        preflight.check_root(1000)

    preflight.check_root(0)
