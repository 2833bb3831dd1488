"""The plan of a local cluster: names and addresses, decided before anything is made."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from e2e.cluster.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ProxyMode = Literal["iptables", "nftables"]
PROXY_MODES: tuple[ProxyMode, ...] = get_args(ProxyMode)
DEFAULT_PROXY_MODE: ProxyMode = "iptables"

SERVICE_CIDR = "10.96.0.0/16"
API_SERVICE_IP = "10.96.0.1"
DNS_SERVICE_IP = "10.96.0.10"
POD_CIDR = "10.244.0.0/16"
CLUSTER_DOMAIN = "cluster.local"
API_PORT = 6443

MACHINE_SUBNETS = ("10.89.0.0/24", "10.189.0.0/24", "172.30.189.0/24", "192.168.189.0/24")
"""Candidates for the only subnet that the machine itself sees; the first free one is taken."""

MAX_NODES = 8


@dataclass(frozen=True)
class Node:
    """One node.

    Attributes:
        name: Kubernetes' name of the node.
        index: 0 is the node that also holds the control plane.
        address: Where the other nodes, clients and the machine reach it.
        pod_cidr: Its pods' subnet.
    """

    name: str
    index: int
    address: str
    pod_cidr: str

    @property
    def namespace(self) -> str:
        """Its network namespace, as `ip netns` names it."""
        return f"lossless-{self.name}"

    @property
    def cgroup(self) -> str:
        """The cgroup below which the kubelet keeps its pods."""
        return f"/lossless/{self.name}"


@dataclass(frozen=True)
class Client:
    """A host outside the cluster whose packets enter it through one node."""

    name: str
    address: str
    via: Node

    @property
    def namespace(self) -> str:
        """Its network namespace."""
        return f"lossless-{self.name}"


@dataclass(frozen=True)
class Topology:
    """A local cluster.

    Attributes:
        subnet: Nodes, clients and the machine; /24.
        node_count: 1 to `MAX_NODES`.
        proxy_mode: kube-proxy's.
    """

    subnet: str
    node_count: int
    proxy_mode: ProxyMode = DEFAULT_PROXY_MODE

    def __post_init__(self) -> None:
        if not 1 <= self.node_count <= MAX_NODES:
            raise ClusterError(
                f"--nodes {self.node_count} is out of range.", f"Choose 1 to {MAX_NODES}."
            )
        if self.proxy_mode not in PROXY_MODES:
            raise ClusterError(
                f"--proxy-mode {self.proxy_mode!r} is unknown.",
                f"Choose one of {', '.join(PROXY_MODES)}.",
            )

    def _host(self, number: int) -> str:
        return str(ipaddress.ip_network(self.subnet).network_address + number)

    @property
    def machine_address(self) -> str:
        """The address of the machine that runs everything."""
        return self._host(1)

    @property
    def nodes(self) -> tuple[Node, ...]:
        """All nodes; the first one holds the control plane."""
        return tuple(
            Node(f"node{i}", i, self._host(10 + i), f"10.244.{i}.0/24")
            for i in range(self.node_count)
        )

    @property
    def clients(self) -> tuple[Client, ...]:
        """One host outside the cluster per node."""
        return tuple(
            Client(f"client{node.index}", self._host(100 + node.index), node) for node in self.nodes
        )

    @property
    def hosts(self) -> tuple[Node | Client, ...]:
        """Everybody on the subnet but the machine."""
        return (*self.nodes, *self.clients)

    @property
    def control_plane(self) -> Node:
        """The node that holds the control plane."""
        return self.nodes[0]

    @property
    def api_url(self) -> str:
        """The API server as everybody reaches it."""
        return f"https://{self.control_plane.address}:{API_PORT}"

    def as_record(self) -> dict[str, Any]:
        """What `from_record` reads."""
        return {
            "subnet": self.subnet,
            "node_count": self.node_count,
            "proxy_mode": self.proxy_mode,
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Topology:
        """Read what `as_record` wrote."""
        return cls(record["subnet"], record["node_count"], record["proxy_mode"])


def choose_subnet(taken: Iterable[str], candidates: Iterable[str] = MACHINE_SUBNETS) -> str:
    """The first candidate that overlaps none of the machine's routes.

    Args:
        taken: IPv4 networks in CIDR notation; `default` is ignored.
        candidates: In order of preference.

    Raises:
        ClusterError: All are taken.
    """
    networks = [ipaddress.ip_network(cidr, strict=False) for cidr in taken if cidr != "default"]
    tried = list(candidates)
    for candidate in tried:
        if not any(ipaddress.ip_network(candidate).overlaps(network) for network in networks):
            return candidate
    raise ClusterError(
        f"The machine routes all of {', '.join(tried)} already, one of which the cluster needs.",
        "`ip route` shows them; take down what uses one of them.",
    )
