"""The hosts' network: a bridge in a namespace of its own, and nothing on the machine itself."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from e2e.cluster import processes
from e2e.cluster.command import run
from e2e.cluster.network import NETNS_DIR, in_namespace, namespace_file

PREFIX: Final = "llh-"
HUB: Final = f"{PREFIX}hub"
_BRIDGE: Final = "br0"
_NETWORK: Final = "10.88.0"
#: Environment variable's value by which no process is found: the namespaces find all of them.
_NO_MARKER: Final = "no-such-cluster"


@dataclass(frozen=True, slots=True)
class Place:
    """One network namespace with one address."""

    name: str
    number: int

    @property
    def namespace(self) -> str:
        """Name of its network namespace."""
        return f"{PREFIX}{self.name}"

    @property
    def address(self) -> str:
        """Its address."""
        return f"{_NETWORK}.{self.number}"

    def command(self, argv: list[str]) -> list[str]:
        """Return the command that runs ``argv`` there."""
        return [*in_namespace(self.namespace), *argv]

    def client_command(self, argv: list[str], via: str | None = None) -> list[str]:
        """Return the same, as ``e2e.support.load`` wants it; there are no nodes to go ``via``."""
        del via
        return self.command(argv)


BALANCER: Final = Place("lb", 2)
CLIENT: Final = Place("client", 3)
HOSTS: Final = (Place("host1", 11), Place("host2", 12), Place("host3", 13))
_PLACES: Final = (BALANCER, CLIENT, *HOSTS)


def create() -> None:
    """Make the network; nothing of it may exist yet."""
    _batch([f"netns add {name}" for name in (HUB, *(place.namespace for place in _PLACES))])
    plugs = [
        line
        for place in _PLACES
        for line in (
            f"link add {place.name} type veth peer name eth0 netns {place.namespace}",
            f"link set {place.name} master {_BRIDGE} up",
        )
    ]
    _batch(
        ["link set lo up", f"link add {_BRIDGE} type bridge", f"link set {_BRIDGE} up", *plugs], HUB
    )
    for place in _PLACES:
        _batch(
            [
                "link set lo up",
                f"addr add {place.address}/24 dev eth0",
                "link set eth0 up",
            ],
            place.namespace,
        )


def destroy() -> None:
    """End every process in our namespaces, then delete them; harmless when there is none."""
    names = _existing()
    files = [namespace_file(name) for name in names]
    processes.kill(processes.find(marker=_NO_MARKER, namespaces=files, cgroups=[]))
    for name in names:
        run(["ip", "netns", "delete", name])


def _existing() -> list[str]:
    if not NETNS_DIR.is_dir():
        return []
    return sorted(path.name for path in Path(NETNS_DIR).iterdir() if path.name.startswith(PREFIX))


def _batch(commands: list[str], namespace: str | None = None) -> None:
    within = ["-n", namespace] if namespace else []
    run(["ip", *within, "-batch", "-"], stdin="\n".join(commands) + "\n")
