"""Where the Services of a set-up lead: each of their TCP ports, and the port of the pods."""

from collections.abc import Iterator
from dataclasses import dataclass

from lossless.checks.setup import Raw, Setup, annotations, named

#: What ``publishNotReadyAddresses`` was before it was a field.
_TOLERATE: str = "service.alpha.kubernetes.io/tolerate-unready-endpoints"


@dataclass(frozen=True, slots=True)
class ServicePort:
    """A TCP port of a Service that leads to a port of the pods."""

    service: Raw
    name: str
    """Empty if it has none."""
    shown: str
    """As people name it."""
    number: int
    """In the pods."""

    @property
    def at(self) -> str:
        """As findings name it."""
        return f"{named(self.service)} {self.shown}"


def tcp_targets(service: Raw) -> Iterator[tuple[str, str, int | str]]:
    """Yield name of each TCP port of a Service, how people name it, and where it leads."""
    for port in (service.get("spec") or {}).get("ports") or ():
        if (port.get("protocol") or "TCP") == "TCP":
            target = port.get("targetPort") or port.get("port")
            name = str(port.get("name") or "")
            shown = f"port {port.get('port')}" + (f" ({name})" if name else "")
            yield name, shown, int(target) if str(target).isdecimal() else str(target)


def declared_ports(setup: Setup) -> dict[str, int]:
    """Return the number of each named TCP port that a container declares."""
    return {port.name: port.number for one in setup.containers for port in one.ports if port.name}


def service_ports(setup: Setup) -> Iterator[ServicePort]:
    """Yield the ports that lead somewhere, in all Services."""
    numbers = declared_ports(setup)
    for service in setup.services:
        for name, shown, target in tcp_targets(service):
            number = numbers.get(target) if isinstance(target, str) else target
            if number is not None:
                yield ServicePort(service, name, shown, number)


def is_headless(service: Raw) -> bool:
    """Return whether clients resolve the pods themselves."""
    return (service.get("spec") or {}).get("clusterIP") == "None"


def publishes_not_ready(service: Raw) -> bool:
    """Return whether a Service leads to pods that are not ready, too."""
    said = (service.get("spec") or {}).get("publishNotReadyAddresses")
    return bool(said) or annotations(service).get(_TOLERATE) == "true"


def is_for_peers(setup: Setup, service: Raw) -> bool:
    """Return whether a Service is for the pods among themselves, beside another for clients."""
    return (
        is_headless(service)
        and publishes_not_ready(service)
        and any(not publishes_not_ready(other) for other in setup.services)
    )
