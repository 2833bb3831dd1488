"""Starting a local cluster's components in the order that they need."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from e2e.cluster import cgroups, components, health, network, node_images, runtime, system_images
from e2e.cluster.api import Api
from e2e.cluster.command import run
from e2e.cluster.errors import ClusterError
from e2e.cluster.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from e2e.cluster.components import Component
    from e2e.cluster.paths import Paths
    from e2e.cluster.topology import Node, Topology

TIMEOUT = 120.0
"""Seconds for any one thing to become ready; each takes a few on an idle machine."""

COREDNS = Path(__file__).with_name("manifests") / "coredns.yaml"


class Startup:
    """One start; what runs already is left alone, so that it mends as well."""

    def __init__(self, topology: Topology, paths: Paths) -> None:
        self._topology = topology
        self._paths = paths
        self._api = Api(paths.kubeconfig)
        self._control_plane = components.control_plane(topology, paths)
        self._nodes = {node: components.node_components(node, paths) for node in topology.nodes}

    def run(self) -> None:
        """Start everything and wait until the cluster can be used.

        Raises:
            ClusterError: A component ended, or something did not become ready in time.
        """
        parts = [*self._control_plane, *(part for row in self._nodes.values() for part in row)]
        for part in parts:
            part.thaw()
            if part.process() is None:
                part.pid_file.unlink(missing_ok=True)  # or it would look as if it had just died
        for node in self._topology.nodes:
            network.set_connected(node, connected=True)
        archives = [system_images.pause(self._paths), system_images.coredns(self._paths)]
        in_parallel(
            [
                self._start_control_plane,
                *(partial(self._start_node, node, archives) for node in self._topology.nodes),
            ]
        )
        self._settle(parts)

    def _start_control_plane(self) -> None:
        etcd, apiserver, *rest = self._control_plane
        etcd.start()
        apiserver.start()
        self._wait_for_api()
        # Only now has RBAC been bootstrapped; started earlier they are refused, and exit.
        for part in rest:
            part.start()
        self._apply_coredns()

    def _start_node(self, node: Node, archives: Sequence[Path]) -> None:
        containerd, kubelet, kube_proxy = self._nodes[node]
        cgroups.create(node.name)
        containerd.start()
        self._wait(
            lambda: runtime.answers(node, self._paths),
            [containerd],
            what=f"containerd on {node.name}",
        )
        for archive in archives:
            node_images.load(node, self._paths, archive)
        self._wait_for_api()
        kubelet.start()
        kube_proxy.start()

    def _wait_for_api(self) -> None:
        etcd, apiserver, *_ = self._control_plane
        self._wait(self._api.is_ready, [etcd, apiserver], what="the API server")

    def _apply_coredns(self) -> None:
        manifest = Template(COREDNS.read_text()).substitute(
            IMAGE=system_images.coredns_tag(self._paths),
            REPLICAS=min(2, self._topology.node_count),
        )
        kubectl = [str(self._paths.bin / "kubectl"), f"--kubeconfig={self._paths.kubeconfig}"]
        apply = ["apply", "--server-side", "--force-conflicts", "--filename=-"]
        run([*kubectl, *apply], stdin=manifest)

    def _settle(self, parts: Sequence[Component]) -> None:
        for node in self._topology.nodes:
            path = f"/api/v1/nodes/{node.name}"
            self._wait(
                partial(health.exists, self._api, path), parts, what=f"{node.name} to register"
            )
            self._api.patch(path, {"spec": {"podCIDR": node.pod_cidr, "podCIDRs": [node.pod_cidr]}})
        role = {"metadata": {"labels": {"node-role.kubernetes.io/control-plane": ""}}}
        self._api.patch(f"/api/v1/nodes/{self._topology.control_plane.name}", role)
        found: list[str] = []

        def is_healthy() -> bool:
            found[:] = health.problems(self._api, self._topology)
            return not found

        try:
            self._wait(is_healthy, parts, what="all nodes and DNS")
        except ClusterError as error:
            raise ClusterError(" ".join([error.problem, *found]), error.remedy) from None

    def _wait(self, holds: Callable[[], bool], parts: Sequence[Component], *, what: str) -> None:
        def holds_or_dead() -> bool:
            if holds():
                return True
            health.raise_if_dead(parts)
            return False

        wait_until(
            holds_or_dead,
            what=what,
            timeout=TIMEOUT,
            interval=0.2,
            remedy=f"The components' logs are in {self._paths.logs}.",
        )


def in_parallel(jobs: Sequence[Callable[[], object]]) -> None:
    """Run jobs at once; the first error is raised when all have ended."""
    with ThreadPoolExecutor(max_workers=max(1, len(jobs))) as pool:
        for future in [pool.submit(job) for job in jobs]:
            future.result()
