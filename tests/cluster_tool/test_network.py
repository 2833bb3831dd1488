"""The ip commands that make the network."""

import pytest

from e2e.cluster import network
from e2e.cluster.topology import Client, Node, Topology

TWO = Topology("10.89.0.0/24", 2)


def test_the_machine_gets_one_link_and_no_bridge() -> None:
    """The bridge is made in the hub, where no firewall of the machine's sees its packets."""
    assert [line for line in network.hub_commands(TWO) if line.startswith("link add")] == [
        "link add lossless0 type veth peer name machine netns lossless-hub"
    ]
    assert "link add br0 type bridge" in network.bridge_commands(TWO)


def test_every_host_is_plugged_into_the_bridge() -> None:
    """Nodes and clients alike."""
    plugged = [line.split()[2] for line in network.bridge_commands(TWO) if " master br0 " in line]

    assert plugged == ["machine", "node0", "node1", "client0", "client1"]


def test_a_node_routes_to_the_other_nodes_pods_only() -> None:
    """Its own pods are behind its own bridge."""
    routes = [line for line in network.host_commands(TWO, TWO.nodes[1]) if "route" in line]

    assert routes == [
        "route add default dev eth0",
        "route add 10.244.0.0/24 via 10.89.0.10",
    ]


def test_a_client_enters_services_through_its_node_and_pods_through_theirs() -> None:
    """client1 is the host that sees the cluster through node1."""
    routes = [line for line in network.host_commands(TWO, TWO.clients[1]) if "route" in line]

    assert routes == [
        "route add default dev eth0",
        "route add 10.244.0.0/24 via 10.89.0.10",
        "route add 10.244.1.0/24 via 10.89.0.11",
        "route add 10.96.0.0/16 via 10.89.0.11",
    ]


@pytest.mark.parametrize("host", TWO.hosts, ids=lambda host: host.name)
def test_no_host_sends_anything_on_by_way_of_the_machine(host: Node | Client) -> None:
    """One that forwards would let it out by its uplink, also to a ClusterIP that is gone."""
    commands = network.host_commands(TWO, host)

    assert [line for line in commands if TWO.machine_address in line.split()] == []


def test_interface_names_fit_the_kernels_limit() -> None:
    """IFNAMSIZ is 16, its last byte a zero."""
    eight = Topology("10.89.0.0/24", 8)

    assert all(len(host.name) <= 15 for host in eight.hosts)
    assert len(network.MACHINE_LINK) <= 15
