"""Which programs run, and where."""

from pathlib import Path

import pytest

from e2e.cluster import components, network
from e2e.cluster.paths import Paths
from e2e.cluster.topology import Topology

TWO = Topology("10.89.0.0/24", 2)
PATHS = Paths(cache=Path("/cache"), state=Path("/state"))


def arguments(name: str) -> dict[str, str]:
    """Return the arguments of a component of the control plane."""
    parts = {part.name: part for part in components.control_plane(TWO, PATHS)}
    return dict(word.split("=", 1) for word in parts[name].argv[1:])


def test_the_control_plane_starts_in_the_order_of_its_needs() -> None:
    """Etcd first, and nobody before the API server who is refused by it."""
    assert [part.name for part in components.control_plane(TWO, PATHS)] == [
        "etcd",
        "kube-apiserver",
        "kube-controller-manager",
        "kube-scheduler",
    ]


def test_every_component_has_a_label_a_log_and_a_pid_file_of_its_own() -> None:
    """No two components of a cluster write to one file."""
    parts = [
        *components.control_plane(TWO, PATHS),
        *(part for node in TWO.nodes for part in components.node_components(node, PATHS)),
    ]

    assert len({part.label for part in parts}) == len(parts) == 10
    assert len({part.log for part in parts}) == len({part.pid_file for part in parts}) == 10


def test_the_api_server_runs_where_kube_proxy_has_its_rules() -> None:
    """It calls webhooks by ClusterIP, which only a node's namespace translates."""
    part = components.control_plane(TWO, PATHS)[1]
    node = TWO.nodes[0]

    assert part.node == node
    assert f"--net={network.namespace_file(node.namespace)}" in components.enter(node, PATHS)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        pytest.param("--authorization-mode", "Node,RBAC", id="authorization"),
        pytest.param("--enable-admission-plugins", "NodeRestriction", id="admission"),
        pytest.param("--service-cluster-ip-range", "10.96.0.0/16", id="services"),
        pytest.param("--advertise-address", "10.89.0.10", id="address"),
    ],
)
def test_the_api_server_is_configured_as_a_real_one(option: str, value: str) -> None:
    """What e2e relies on is switched on."""
    assert arguments("kube-apiserver")[option] == value


def test_a_component_that_was_never_started_does_not_run(tmp_path: Path) -> None:
    """Stopping, killing and freezing it are harmless."""
    paths = Paths(cache=tmp_path, state=tmp_path / "state")
    part = components.control_plane(TWO, paths)[0]

    part.stop()
    part.kill()
    part.freeze()
    part.thaw()

    assert part.process() is None
