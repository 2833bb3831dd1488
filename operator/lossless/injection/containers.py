"""What a pod's containers listen on, and how the kubelet probes them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from lossless.injection.patching import Path
from lossless.model.drain.agent_config import Probe
from lossless.model.names import AGENT_CONTAINER

# Defaults of core/v1 Probe; a pod at CREATE has them filled in, a pod in a test may not.
_PERIOD: Final = 10
_TIMEOUT: Final = 1
LOOPBACK: Final = "127.0.0.1"
_LOOPBACKS: Final = frozenset({"localhost", LOOPBACK, "::1"})


@dataclass(frozen=True, slots=True)
class Place:
    """A container that serves, and where it is in the pod."""

    path: Path
    container: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The container's name."""
        return str(self.container.get("name", ""))

    @property
    def native(self) -> bool:
        """Whether it is a native sidecar, which the kubelet stops after the main containers."""
        return self.path[1] == "initContainers"


def serving(pod: Mapping[str, Any]) -> tuple[Place, ...]:
    """Return the main containers and native sidecars, the agent apart.

    Plain init containers have ended before the pod serves. A native sidecar is an init container
    with ``restartPolicy: Always`` (KEP-753).
    """
    return tuple(
        Place(("spec", kind, index), container)
        for kind in ("containers", "initContainers")
        for index, container in enumerate(pod["spec"].get(kind) or ())
        if (kind == "containers" or container.get("restartPolicy") == "Always")
        and container.get("name") != AGENT_CONTAINER
    )


def tcp_ports(place: Place) -> Iterator[tuple[str, int]]:
    """Yield name (or empty) and number of each declared TCP port."""
    for port in place.container.get("ports") or ():
        if (port.get("protocol") or "TCP") == "TCP":
            yield str(port.get("name") or ""), int(port["containerPort"])


def counted_ports(
    wanted: tuple[int | str, ...], places: tuple[Place, ...]
) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Return the ports whose connections count, and the names that no container declares.

    Args:
        wanted: ``spec.ports``; empty means every declared TCP port.
        places: of the containers that serve.

    Returns:
        Sorted numbers, and unknown names. No number at all tells the agent to count every port
        that something listens on: more than was asked for, which is the safe side.
    """
    declared = [port for place in places for port in tcp_ports(place)]
    if not wanted:
        return tuple(sorted({number for _, number in declared})), ()
    known = {name for name, _ in declared if name}
    numbers = {number for name, number in declared if name and name in wanted}
    numbers |= {port for port in wanted if isinstance(port, int)}
    unknown = tuple(port for port in wanted if isinstance(port, str) and port not in known)
    return tuple(sorted(numbers)), unknown


def port_number(place: Place, port: object) -> int | None:
    """Return the number of a handler's port, which may be a name; None if nobody declares it.

    A name is looked up in the handler's own container only, as the kubelet does
    (kubernetes pkg/probe/util.go, ResolveContainerPort).
    """
    if isinstance(port, str):
        return int(port) if port.isdecimal() else dict(tcp_ports(place)).get(port)
    return port if isinstance(port, int) else None


def main_containers(places: tuple[Place, ...], counted: tuple[int, ...]) -> tuple[Place, ...]:
    """Return the containers that serve clients (``model.sidecars`` says which those are).

    Args:
        places: of the containers that serve.
        counted: the ports whose connections count.
    """
    plain = tuple(place for place in places if not place.native)
    found = tuple(
        place for place in plain if any(number in counted for _, number in tcp_ports(place))
    )
    return found or plain[:1]


def readiness_probes(places: tuple[Place, ...], *, host_network: bool = False) -> tuple[Probe, ...]:
    """Return the readiness probes that open connections to the pod, each once, in order."""
    found = (_readiness(place, host_network=host_network) for place in places)
    return tuple(dict.fromkeys(probe for probe in found if probe is not None))


def goes_elsewhere(handler: Mapping[str, Any], *, host_network: bool) -> bool:
    """Return whether the kubelet sends a handler's request to somebody else than the pod.

    On the node's network the kubelet's loopback is the pod's, too.
    """
    host = str(handler.get("host") or "")
    return bool(host) and not (host_network and host in _LOOPBACKS)


def _readiness(place: Place, *, host_network: bool) -> Probe | None:
    probe = place.container.get("readinessProbe") or {}
    for kind in ("httpGet", "tcpSocket", "grpc"):
        handler = probe.get(kind)
        if not handler or goes_elsewhere(handler, host_network=host_network):
            continue
        port = port_number(place, handler.get("port"))
        if port is None:
            return None
        return Probe(
            port=port,
            period=float(probe.get("periodSeconds") or _PERIOD),
            timeout=float(probe.get("timeoutSeconds") or _TIMEOUT),
        )
    return None
