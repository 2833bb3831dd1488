"""Which containers serve clients, and which of their ports count."""

from lossless.injection.admission_pod import ServingContainer


def counted_ports(
    wanted: tuple[int | str, ...], containers: tuple[ServingContainer, ...]
) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Return the ports whose connections count, and the names that no container declares.

    Args:
        wanted: ``spec.ports``; empty means every declared TCP port.
        containers: of the pod.

    Returns:
        Sorted numbers, and unknown names. No number at all tells the agent to count every port
        that something listens on: more than was asked for, which is the safe side.
    """
    declared = [port for container in containers for port in container.ports]
    if not wanted:
        return tuple(sorted({port.number for port in declared})), ()
    known = {port.name for port in declared if port.name}
    numbers = {port.number for port in declared if port.name and port.name in wanted}
    numbers |= {port for port in wanted if isinstance(port, int)}
    unknown = tuple(port for port in wanted if isinstance(port, str) and port not in known)
    return tuple(sorted(numbers)), unknown


def main_containers(
    containers: tuple[ServingContainer, ...], counted: tuple[int, ...]
) -> tuple[ServingContainer, ...]:
    """Return the containers that serve clients (``model.sidecars`` says which those are).

    Args:
        containers: of the pod.
        counted: the ports whose connections count.
    """
    plain = tuple(container for container in containers if not container.native)
    found = tuple(
        container for container in plain if any(port.number in counted for port in container.ports)
    )
    return found or plain[:1]
