"""Telling the two versions of cgroups apart."""

from pathlib import Path

import pytest

from e2e.cluster import cgroups
from e2e.cluster.errors import ClusterError

V1 = [("/sys/fs/cgroup", "tmpfs"), ("/sys/fs/cgroup/cpu,cpuacct", "cgroup")]
UNIFIED = ("/sys/fs/cgroup/unified", "cgroup2")


@pytest.mark.parametrize(
    ("mounted", "legacy", "unified"),
    [
        pytest.param(V1, [Path("/sys/fs/cgroup/cpu,cpuacct")], None, id="v1"),
        pytest.param([*V1, UNIFIED], [Path("/sys/fs/cgroup/cpu,cpuacct")], None, id="hybrid"),
        pytest.param([("/sys/fs/cgroup", "cgroup2")], [], Path("/sys/fs/cgroup"), id="v2"),
    ],
)
def test_the_version_in_charge_is_recognized(
    mounted: list[tuple[str, str]], legacy: list[Path], unified: Path | None
) -> None:
    """On a hybrid machine v2 has no controllers, so v1 counts."""
    assert cgroups.hierarchies(mounted) == (legacy, unified)


@pytest.mark.parametrize(
    "mounted", [pytest.param([], id="none"), pytest.param([UNIFIED], id="v2 at another place")]
)
def test_a_machine_without_cgroups_is_refused(mounted: list[tuple[str, str]]) -> None:
    """The kubelet could not start; say it before it tries."""
    with pytest.raises(ClusterError, match="No cgroup hierarchy"):
        cgroups.hierarchies(mounted)


@pytest.mark.parametrize(
    ("available", "enabled", "order"),
    [
        pytest.param(
            "cpuset cpu io memory pids rdma", "cpu memory", "+cpuset +io +pids", id="some"
        ),
        pytest.param("cpu memory", "cpu memory", "", id="all are enabled"),
        pytest.param("misc rdma", "", "", id="nothing that we want"),
    ],
)
def test_only_wanted_and_missing_controllers_are_enabled(
    available: str, enabled: str, order: str
) -> None:
    """A kubelet needs them in its root; others are the machine's business."""
    assert cgroups.enable_order(available, enabled) == order
