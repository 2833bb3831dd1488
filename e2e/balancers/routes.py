"""How a balancer's connections reach pods: the routes, and the Services that make them."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from e2e.cluster.topology import CLUSTER_DOMAIN
from e2e.sample.manifests import HTTP_PORT, NAME, Manifest, Variant
from e2e.support.eventually import eventually
from e2e.support.world import World
from lossless.model.names import AGENT_PORT, STATUS_FLAG_PATH


class Route(StrEnum):
    """The way from a balancer to a pod."""

    CLUSTER_IP = "ClusterIP"
    """One address; kube-proxy of the node through which it is reached chooses the pod."""
    NODE_PORT = "NodePort, Cluster"
    """Every node's address; kube-proxy chooses among the pods of all nodes."""
    NODE_PORT_LOCAL = "NodePort, Local"
    """The nodes that have a pod, by ``healthCheckNodePort``; kube-proxy stays on the node."""
    POD_FLAG = "pod IP, status flag"
    """Pods' own addresses; a pod comes in by DNS and is out when the agent's status flag fails."""
    POD_DNS = "pod IP, DNS"
    """Pods' own addresses as a headless Service's DNS gives them; nothing is checked."""


#: Routes that a balancer can have that neither looks a name up twice nor checks backends.
FIXED: Final = (Route.CLUSTER_IP, Route.NODE_PORT)


@dataclass(frozen=True, slots=True)
class Backend:
    """What a balancer is configured with for one route."""

    route: Route
    hosts: tuple[str, ...]
    """Addresses; of the pod routes the one DNS name."""
    port: int
    check_port: int = 0
    """Of the health check; 0: there is none."""
    check_path: str = ""

    @property
    def by_dns(self) -> bool:
        """Whether ``hosts`` is a name whose addresses change."""
        return self.route in (Route.POD_FLAG, Route.POD_DNS)

    @property
    def word(self) -> str:
        """A name for configuration files."""
        return self.route.name.lower()


_NODE_PORT: Final = "web-nodeport"
_LOCAL: Final = "web-local"
_HEADLESS: Final = "web-pods"


def services() -> list[Manifest]:
    """Return the Services of all routes; ClusterIP's is the sample's own."""
    specs: dict[str, dict[str, Any]] = {
        _NODE_PORT: {"type": "NodePort"},
        # Only a Service of type LoadBalancer is given a healthCheckNodePort.
        _LOCAL: {"type": "LoadBalancer", "externalTrafficPolicy": "Local"},
        _HEADLESS: {"clusterIP": "None"},
    }
    return [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name},
            "spec": {
                "selector": {"app": NAME},
                "ports": [{"port": 80, "targetPort": HTTP_PORT}],
                **spec,
            },
        }
        for name, spec in specs.items()
    ]


def backends(world: World, variant: Variant) -> tuple[Backend, ...]:
    """Create the Services and return what balancers are to be configured with.

    Args:
        world: with the sample deployed.
        variant: a pod without an agent has no status flag; there the readiness page is checked.
    """
    world.kubectl.apply(services())
    nodes = _addresses_of_nodes(world)
    node_port = _allocated(world, _NODE_PORT)
    local = _allocated(world, _LOCAL)
    own = world.kubectl.get("service", NAME)
    assert own is not None, f"the sample has no Service {NAME}"
    pods = f"{_HEADLESS}.{world.namespace}.svc.{CLUSTER_DOMAIN}"
    flagged = variant is Variant.LOSSLESS
    return (
        Backend(Route.CLUSTER_IP, (own["spec"]["clusterIP"],), 80),
        Backend(Route.NODE_PORT, nodes, node_port["ports"][0]["nodePort"]),
        Backend(
            Route.NODE_PORT_LOCAL,
            nodes,
            local["ports"][0]["nodePort"],
            check_port=local["healthCheckNodePort"],
            check_path="/healthz",
        ),
        Backend(
            Route.POD_FLAG,
            (pods,),
            HTTP_PORT,
            check_port=AGENT_PORT if flagged else HTTP_PORT,
            check_path=STATUS_FLAG_PATH if flagged else "/healthz",
        ),
        Backend(Route.POD_DNS, (pods,), HTTP_PORT),
    )


def _allocated(world: World, service: str) -> dict[str, Any]:
    found = eventually(
        lambda: (world.kubectl.get("service", service) or {}).get("spec", {}),
        lambda spec: spec.get("ports", [{}])[0].get("nodePort"),
        what=f"a node port of Service {service}",
        within=20,
    )
    return dict(found)


def _addresses_of_nodes(world: World) -> tuple[str, ...]:
    nodes: Sequence[dict[str, Any]] = world.testbed.kubectl.list("nodes")
    return tuple(
        next(row["address"] for row in node["status"]["addresses"] if row["type"] == "InternalIP")
        for node in nodes
    )
