"""Reading mountinfo."""

from pathlib import Path

import pytest

from e2e.cluster import mounts

LINES = r"""
22 27 0:21 / /proc rw,relatime shared:5 - proc proc rw
31 23 0:28 / /sys/fs/cgroup ro,nosuid - tmpfs tmpfs ro,mode=755
36 35 98:0 /mnt1 /mnt\040with\134odd rw,noatime master:1 propagate_from:2 - ext3 /dev/root rw
""".strip()


def test_mountinfo_is_read_with_any_number_of_optional_fields() -> None:
    """The type stands after a lone hyphen; paths carry octal escapes (proc(5))."""
    assert mounts.parse_mountinfo(LINES) == [
        ("/proc", "proc"),
        ("/sys/fs/cgroup", "tmpfs"),
        (r"/mnt with\odd", "ext3"),
    ]


def test_the_machines_own_mounts_can_be_read() -> None:
    """The root is mounted wherever this runs."""
    assert "/" in [point for point, _ in mounts.mounts()]
    assert mounts.is_mounted(Path("/"))


@pytest.mark.parametrize("folder", ["/no/such/folder", "/pro"])
def test_what_only_begins_alike_is_not_below(folder: str) -> None:
    """/pro is not /proc's parent."""
    assert mounts.below(Path(folder)) == []
