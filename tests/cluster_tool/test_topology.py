"""Names and addresses of a local cluster."""

import ipaddress

import pytest

from e2e.cluster.errors import ClusterError
from e2e.cluster.topology import MACHINE_SUBNETS, POD_CIDR, Topology, choose_subnet


def test_every_address_is_in_the_subnet_and_taken_once() -> None:
    """Nodes, clients and the machine never share an address."""
    topology = Topology("10.89.0.0/24", 8)
    addresses = [topology.machine_address, *(host.address for host in topology.hosts)]

    assert len(set(addresses)) == 17
    assert all(
        ipaddress.ip_address(address) in ipaddress.ip_network("10.89.0.0/24")
        for address in addresses
    )


def test_pod_subnets_are_apart_and_within_the_clusters() -> None:
    """kube-proxy tells pods from strangers by the cluster's pod network."""
    subnets = [ipaddress.ip_network(node.pod_cidr) for node in Topology("10.89.0.0/24", 8).nodes]

    assert all(subnet.subnet_of(ipaddress.ip_network(POD_CIDR)) for subnet in subnets)  # type: ignore[arg-type]
    assert not any(a.overlaps(b) for a in subnets for b in subnets if a != b)


def test_a_record_gives_the_topology_back() -> None:
    """A later run sees the cluster as the first one planned it."""
    topology = Topology("10.189.0.0/24", 3, "nftables")

    assert Topology.from_record(topology.as_record()) == topology


@pytest.mark.parametrize("count", [0, -1, 9])
def test_a_number_of_nodes_out_of_range_is_refused_with_the_range(count: int) -> None:
    """The message names the option, the value and what is allowed."""
    with pytest.raises(ClusterError, match=rf"--nodes {count} is out of range.\n.*1 to 8"):
        Topology("10.89.0.0/24", count)


@pytest.mark.parametrize(
    ("taken", "chosen"),
    [
        pytest.param([], "10.89.0.0/24", id="nothing is taken"),
        pytest.param(["default", "192.0.2.0/24"], "10.89.0.0/24", id="the default route is no one"),
        pytest.param(["10.89.0.5"], "10.189.0.0/24", id="one host of the first"),
        pytest.param(["10.0.0.0/8"], "172.30.189.0/24", id="a network around the first two"),
        pytest.param(["10.0.0.0/8", "172.16.0.0/12"], "192.168.189.0/24", id="only the last"),
    ],
)
def test_the_first_free_subnet_is_taken(taken: list[str], chosen: str) -> None:
    """The machine's own routes are never shadowed."""
    assert choose_subnet(taken) == chosen


def test_no_free_subnet_is_an_error_that_names_them() -> None:
    """Nothing is guessed when every candidate is in use."""
    with pytest.raises(ClusterError, match=r"(?s)10\.89\.0\.0/24.*ip route"):
        choose_subnet(MACHINE_SUBNETS)
