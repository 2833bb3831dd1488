"""Whether a local cluster is well, as its API server tells."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from e2e.cluster import network
from e2e.cluster.api import Api, ApiError, condition
from e2e.cluster.command import succeeds
from e2e.cluster.errors import ClusterError
from e2e.cluster.status import NodeStatus
from e2e.cluster.system_images import BUSYBOX
from e2e.cluster.topology import CLUSTER_DOMAIN, DNS_SERVICE_IP

if TYPE_CHECKING:
    from collections.abc import Iterable

    from e2e.cluster.components import Component
    from e2e.cluster.topology import Topology

LAST_WORDS = 2000
"""Bytes of a dead component's log that an error shows."""


def raise_if_dead(parts: Iterable[Component]) -> None:
    """Raise when a component has ended, so that nobody waits for it in vain.

    Raises:
        ClusterError: With the last words of its log.
    """
    for part in parts:
        if part.pid_file.exists() and part.process() is None:
            with part.log.open("rb") as log:
                log.seek(max(0, os.fstat(log.fileno()).st_size - LAST_WORDS))
                last_words = log.read().decode(errors="replace").strip()
            raise ClusterError(
                f"{part.label} has ended: …{last_words}", f"The whole log: {part.log}"
            )


def exists(api: Api, path: str) -> bool:
    """Whether the API server has an object."""
    try:
        api.get(path)
    except ApiError:
        return False
    return True


def nodes(api: Api, topology: Topology) -> tuple[NodeStatus, ...]:
    """The registered nodes.

    Raises:
        ApiError: The API server does not answer.
    """
    addresses = {node.name: node.address for node in topology.nodes}
    return tuple(
        NodeStatus(
            name=item["metadata"]["name"],
            address=addresses.get(item["metadata"]["name"], ""),
            ready=condition(item, "Ready") == "True",
        )
        for item in api.get("/api/v1/nodes")["items"]
    )


def dns_answers(topology: Topology) -> bool:
    """Whether a host outside the cluster can look up a name in it.

    A look at CoreDNS's Deployment would not do: after a crash of the kubelets the API server tells
    what was true before it.
    """
    client = topology.clients[0]
    name = f"kubernetes.default.svc.{CLUSTER_DOMAIN}"
    argv = [str(BUSYBOX), "nslookup", "-type=a", name, DNS_SERVICE_IP]
    return succeeds([*network.in_namespace(client.namespace), *argv], timeout=2)


def problems(api: Api, topology: Topology) -> list[str]:
    """What keeps a cluster from being used, one sentence each."""
    if not api.is_ready():
        return [f"The API server at {topology.api_url} is not ready."]
    found = []
    try:
        registered = nodes(api, topology)
    except ApiError as error:
        return [str(error)]
    if len(registered) != topology.node_count:
        found.append(f"{len(registered)} of {topology.node_count} nodes are registered.")
    found += [f"{node.name} is not Ready." for node in registered if not node.ready]
    if not dns_answers(topology):
        found.append("CoreDNS does not answer.")
    if not exists(api, "/api/v1/namespaces/default/serviceaccounts/default"):
        found.append("The controller manager has not made the default service account.")
    return found
