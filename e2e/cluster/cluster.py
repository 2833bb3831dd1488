"""The Python interface for tests that break things: nodes and components by name.

    cluster = Cluster.current()
    cluster.node("node1").kubelet.kill()
    cluster.node("node1").kubelet.start()
    cluster.control_plane.apiserver.freeze()
    cluster.node("node1").disconnect()

Starting a component returns when it is a process; wait for what the test needs, not for that.
`python -m e2e.cluster up` starts whatever a test left dead, and waits until all is well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from e2e.cluster import cgroups, components, network, processes, runtime
from e2e.cluster.command import run
from e2e.cluster.errors import ClusterError
from e2e.cluster.local import PROVIDER, Local
from e2e.cluster.paths import Paths
from e2e.cluster.progress import Progress
from e2e.cluster.record import Record

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from e2e.cluster.components import Component
    from e2e.cluster.processes import ProcessId
    from e2e.cluster.topology import Node, Topology


@dataclass(frozen=True)
class ControlPlane:
    """The components of the control plane."""

    etcd: Component
    apiserver: Component
    controller_manager: Component
    scheduler: Component


@dataclass(frozen=True)
class ClusterNode:
    """A node's components, and its network cable."""

    node: Node
    containerd: Component
    kubelet: Component
    kube_proxy: Component

    def disconnect(self) -> None:
        """Cut the node off from everybody; the node of the control plane takes that with it."""
        network.set_connected(self.node, connected=False)

    def connect(self) -> None:
        """Undo `disconnect`."""
        network.set_connected(self.node, connected=True)

    def run(self, argv: Sequence[str]) -> str:
        """Run a program on the node, and give what it printed."""
        return run([*components.enter(self.node, self.kubelet.paths), *argv])

    def sandbox_of(self, uid: str) -> list[ProcessId]:
        """The processes of a pod's sandboxes, by the pod's uid."""
        ids = runtime.sandboxes_of(self.node, self.kubelet.paths, uid)
        return [process for each in ids for process in self.processes_of(each)]

    def processes_of(self, container: str) -> list[ProcessId]:
        """The processes of a container, by the id that the runtime gave it."""
        found = map(processes.identify, sorted(cgroups.members(self.node.name, container)))
        return [process for process in found if process is not None]


class Cluster:
    """A local cluster that is up."""

    def __init__(self, topology: Topology, paths: Paths) -> None:
        self.topology = topology
        self._paths = paths
        self.control_plane = ControlPlane(*components.control_plane(topology, paths))
        self.nodes = {
            node.name: ClusterNode(node, *components.node_components(node, paths))
            for node in topology.nodes
        }

    @classmethod
    def current(cls, paths: Paths | None = None) -> Cluster:
        """The cluster that is up.

        Raises:
            ClusterError: None is, or another provider's, whose components we did not start.
        """
        paths = paths or Paths.of_user()
        record = Record.read(paths)
        if record is not None and record.provider != PROVIDER:
            raise ClusterError(
                f"A cluster of provider {record.provider} has no components that we could break.",
                "Use --provider local.",
            )
        return cls(Local(paths, Progress()).topology(), paths)

    @property
    def kubeconfig(self) -> Path:
        """The administrator's."""
        return self._paths.kubeconfig

    def node(self, name: str) -> ClusterNode:
        """A node by name.

        Raises:
            ClusterError: There is none of that name.
        """
        try:
            return self.nodes[name]
        except KeyError:
            raise ClusterError(
                f"There is no node {name!r}.", f"Choose one of {', '.join(self.nodes)}."
            ) from None
