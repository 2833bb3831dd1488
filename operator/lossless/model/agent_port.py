"""On which port a pod's agent listens.

In a network namespace of its own that is always the same port. On the node's network
(``hostNetwork``) all pods share the ports, so each agent gets one that follows from a port of its
pod's own. Such a port is the pod's alone: whatever a ``hostNetwork`` pod declares is a host port,
and the scheduler puts no two pods with the same one on a node (native sidecars' ports since
https://github.com/kubernetes/kubernetes/pull/132040, Kubernetes 1.34). Two pods that share nothing
but the last four digits of that port are told apart by an annotation.

A port that follows from the pod, not a random one, can be written into a firewall's rule and a load
balancer's health check.
"""

from collections.abc import Collection, Mapping
from typing import Final

from lossless.model.fields import InvalidSpec
from lossless.model.names import AGENT_PORT, AGENT_PORT_ANNOTATION

#: On the node's network agents listen within this range: below the default node ports
#: (30000-32767, kube-apiserver --service-node-port-range) and below the ports that Linux gives to
#: clients (32768-60999, net.ipv4.ip_local_port_range).
HOST_FIRST: Final = 20_000
HOST_PORTS: Final = 10_000
#: The agent has no capability, so it cannot listen below.
_LOWEST: Final = 1024
_HIGHEST: Final = 65_535


def agent_port_of(
    annotations: Mapping[str, str],
    *,
    host_network: bool,
    counted: Collection[int],
    declared: Collection[int],
) -> int:
    """Return the port of the agent of a pod.

    Args:
        annotations: of the pod; one of them may name the port.
        host_network: whether the pod is on its node's network.
        counted: the ports whose connections count; at least one on the node's network.
        declared: all TCP ports that the pod's containers declare.

    Raises:
        InvalidSpec: the annotation names no port that an agent can have.
    """
    named = annotations.get(AGENT_PORT_ANNOTATION)
    if named is not None:
        number = int(named) if named.isascii() and named.isdecimal() and len(named) < 6 else 0  # noqa: PLR2004 # digits of the highest port
        if not _LOWEST <= number <= _HIGHEST:
            remedy = f"must be a port from {_LOWEST} to {_HIGHEST}"
            raise InvalidSpec(f"annotation {AGENT_PORT_ANNOTATION}", named, remedy)
        return number
    if not host_network:
        return AGENT_PORT
    start = min(counted)
    return next(
        port
        for port in (HOST_FIRST + (start + step) % HOST_PORTS for step in range(HOST_PORTS))
        if port not in declared
    )
