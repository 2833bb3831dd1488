"""The command lines for kind and Docker."""

import subprocess
from pathlib import Path

import pytest
import yaml

from e2e.cluster import kind
from e2e.cluster.errors import ClusterError
from e2e.cluster.status import NodeStatus

PROGRAM, CONFIG = Path("/bin/kind"), Path("/state/kubeconfig")
NODES = (
    NodeStatus("lossless-control-plane", "172.18.0.2", ready=True),
    NodeStatus("lossless-worker", "172.18.0.3", ready=True),
)


def test_the_cluster_has_one_control_plane_and_the_rest_workers() -> None:
    """All of the pinned image, by digest."""
    config = yaml.safe_load(kind.cluster_config(3, "nftables"))

    assert [node["role"] for node in config["nodes"]] == ["control-plane", "worker", "worker"]
    assert {node["image"] for node in config["nodes"]} == {kind.NODE_IMAGE}
    assert kind.NODE_IMAGE.startswith("kindest/node:v1.34.")
    assert "@sha256:" in kind.NODE_IMAGE
    assert config["networking"] == {"kubeProxyMode": "nftables"}


def test_only_our_own_cluster_and_kubeconfig_are_touched() -> None:
    """Other kind clusters, and ~/.kube/config, are somebody else's."""
    create = kind.create_command(PROGRAM, Path("/state/kind.yaml"), CONFIG)
    delete = kind.delete_command(PROGRAM, CONFIG)

    for command in (create, delete):
        assert "--name=lossless" in command
        assert "--kubeconfig=/state/kubeconfig" in command


def test_archives_are_loaded_by_name_of_the_cluster() -> None:
    """Onto every node, which is what kind does without --nodes."""
    assert kind.load_command(PROGRAM, Path("x.tar")) == [
        "/bin/kind",
        "load",
        "image-archive",
        "x.tar",
        "--name=lossless",
    ]


@pytest.mark.parametrize(
    ("via", "address"), [(None, "172.18.0.2"), ("lossless-worker", "172.18.0.3")]
)
def test_a_client_enters_through_the_node_that_is_named(via: str | None, address: str) -> None:
    """The first one where none is."""
    assert kind.gateway_of(NODES, via) == address


def test_an_unknown_node_is_refused_with_the_known_ones() -> None:
    """The message names what may be chosen."""
    with pytest.raises(ClusterError, match=r"(?s)--via node1.*lossless-worker"):
        kind.gateway_of(NODES, "node1")


def test_pod_routes_come_from_the_nodes() -> None:
    """A node without a pod subnet yet has none."""
    addresses = [{"type": "InternalIP", "address": "172.18.0.2"}]
    items = [
        {"spec": {"podCIDR": "10.244.0.0/24"}, "status": {"addresses": addresses}},
        {"spec": {}, "status": {"addresses": addresses}},
    ]

    assert kind.pod_routes({"items": items}) == [("10.244.0.0/24", "172.18.0.2")]


def test_a_client_is_a_program_of_this_machine_on_the_nodes_network() -> None:
    """Its routes are set first; then it runs here, as us, in the folder where we are."""
    command = kind.client_command(
        ["curl", "-s", "http://10.96.0.9/a b"],
        "172.18.0.2",
        [("10.244.0.0/24", "172.18.0.2")],
        Path("/here"),
    )
    script = command[command.index("-ec") + 1]

    assert command[:4] == ["docker", "run", "--rm", "--interactive"]
    assert command[command.index("--network") + 1] == "kind"
    assert script.splitlines()[:2] == [
        "ip route add 10.96.0.0/16 via 172.18.0.2",
        "ip route add 10.244.0.0/24 via 172.18.0.2",
    ]
    assert command[-4:] == ["/here", "curl", "-s", "http://10.96.0.9/a b"]


def test_the_clients_script_passes_words_on_as_they_are() -> None:
    """The shell that runs in the container splits nothing; chroot is shown instead of run."""
    command = kind.client_command(["printf", "%s|", "a b", "$c"], "192.0.2.1", [], Path("/here"))
    script = command[command.index("-ec") + 1].replace("ip route add", ": ")
    arguments = command[command.index("-ec") + 2 :]
    shown = script.replace("exec chroot", "printf '<%s>'")

    done = subprocess.run(  # noqa: S603 - our own script
        ["/bin/bash", "-ec", shown, *arguments], check=True, capture_output=True, text=True
    )

    assert done.stdout.endswith("</machine><env><--chdir=/here><printf><%s|><a b><$c>")
