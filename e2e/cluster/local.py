"""The local provider: a cluster out of this machine's own processes."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from e2e.cluster import (
    binaries,
    components,
    configuration,
    credentials,
    health,
    mount_namespaces,
    mounts,
    network,
    node_images,
    preflight,
    processes,
    teardown,
)
from e2e.cluster.api import Api, ApiError
from e2e.cluster.errors import ClusterError
from e2e.cluster.record import Record
from e2e.cluster.startup import Startup, in_parallel
from e2e.cluster.status import ComponentStatus, Status
from e2e.cluster.topology import DEFAULT_PROXY_MODE, Topology, choose_subnet

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from e2e.cluster.components import Component
    from e2e.cluster.paths import Paths
    from e2e.cluster.progress import Progress
    from e2e.cluster.provider import Options
    from e2e.cluster.topology import Client

PROVIDER = "local"
DEFAULT_NODES = 2


class Local:
    """The local cluster of one user: makes it, mends it, asks it, takes it away."""

    def __init__(self, paths: Paths, progress: Progress) -> None:
        self._paths = paths
        self._progress = progress

    def up(self, options: Options) -> None:
        """Bring the cluster up; what runs already is left alone.

        Raises:
            ClusterError: The machine lacks something, or a part did not start.
        """
        preflight.check_local(self._paths)
        teardown.refuse_foreign(self._paths)
        up = standing(Record.read(self._paths), self._paths)
        if up is not None:
            refuse_other_shape(up, options)
        topology = _plan(options) if up is None else with_proxy_mode(up, options)
        binaries.ensure(binaries.LOCAL, self._paths, self._progress)
        if up is None:
            if teardown.is_needed(self._paths):
                with self._progress.step("Cleaning up after an earlier run"):
                    teardown.remove(self._paths)
            with self._progress.step("Making networks, certificates and node folders"):
                self._create(topology)
        elif topology != up:
            with self._progress.step(f"Changing kube-proxy's mode to {topology.proxy_mode}"):
                self._change_proxies(topology)
        version = binaries.kubernetes_version()
        with self._progress.step(f"Starting Kubernetes {version} on {topology.node_count} nodes"):
            Startup(topology, self._paths).run()
        replace(self._record(), complete=True).write(self._paths)

    def down(self) -> None:
        """Take everything away that `up` has made, also after it was killed half way."""
        preflight.check_root()
        if not teardown.is_needed(self._paths):
            self._progress.say("No cluster is up.")
            return
        with self._progress.step("Taking the cluster down"):
            teardown.remove(self._paths)

    def status(self) -> Status:
        """What runs and what does not."""
        topology = self.topology()
        parts = tuple(
            ComponentStatus(part.label, process.pid if process else None)
            for part in self.components()
            for process in [part.process()]
        )
        try:
            api = Api(self._paths.kubeconfig)
            problems = health.problems(api, topology)
            nodes = health.nodes(api, topology)
        except (ApiError, FileNotFoundError) as error:
            return Status(PROVIDER, self._paths.kubeconfig, parts, (), (str(error),))
        return Status(PROVIDER, self._paths.kubeconfig, parts, nodes, tuple(problems))

    def load_image(self, archives: Sequence[Path]) -> None:
        """Import docker archives into every node; what a node has already is skipped."""
        topology = self.topology()
        for archive in archives:
            with self._progress.step(f"Loading {archive.name} onto {topology.node_count} nodes"):
                in_parallel(
                    [
                        partial(node_images.load, node, self._paths, archive)
                        for node in topology.nodes
                    ]
                )

    def client_command(self, argv: Sequence[str], via: str | None) -> list[str]:
        """The command that runs `argv` on a host outside the cluster.

        Args:
            argv: The program and its arguments.
            via: The node through which the host's packets reach Services; None for the first.
        """
        client = self._client(via)
        if not network.namespace_file(client.namespace).exists():
            raise ClusterError(
                f"The client's network namespace {client.namespace} is gone.",
                "Run `python -m e2e.cluster up` again.",
            )
        return [*network.in_namespace(client.namespace), *argv]

    def logs(self) -> dict[str, Path]:
        """The log file of every component."""
        return {part.label: part.log for part in self.components()}

    def topology(self) -> Topology:
        """The plan of the cluster that is up.

        Raises:
            ClusterError: None is.
        """
        return Topology.from_record(self._record().details["topology"])

    def components(self) -> tuple[Component, ...]:
        """Every component of the cluster."""
        topology = self.topology()
        return (
            *components.control_plane(topology, self._paths),
            *(
                part
                for node in topology.nodes
                for part in components.node_components(node, self._paths)
            ),
        )

    def _record(self) -> Record:
        record = Record.read(self._paths)
        if record is None or record.provider != PROVIDER:
            raise ClusterError("No local cluster is up.", "Run `python -m e2e.cluster up`.")
        return record

    def _client(self, via: str | None) -> Client:
        topology = self.topology()
        for client in topology.clients:
            if via in {None, client.via.name}:
                return client
        raise ClusterError(
            f"--via {via}: there is no such node.",
            f"Choose one of {', '.join(node.name for node in topology.nodes)}.",
        )

    def _create(self, topology: Topology) -> None:
        paths = self._paths
        paths.state.mkdir(parents=True, mode=0o700)
        machine = teardown.note_machine()
        details = {"topology": topology.as_record(), **machine}
        Record(PROVIDER, complete=False, boot=processes.boot_id(), details=details).write(paths)
        credentials.write(topology, paths)
        configuration.write(
            topology,
            paths,
            configuration.Machine(
                cni_bin=preflight.cni_plugins(),
                snapshotter="overlayfs" if mounts.overlay_works(paths.state) else "native",
                restrict_oom_score=not preflight.has_capability(preflight.CAP_SYS_RESOURCE),
            ),
        )
        network.create(topology)
        mount_namespaces.create(topology, paths)

    def _change_proxies(self, topology: Topology) -> None:
        """Stop every kube-proxy; started anew, it removes what its other mode has left.

        The rules stay until then (kubernetes cmd/kube-proxy, `platformCleanup`), so Services work
        meanwhile, but do not follow their endpoints.
        """
        record = self._record()
        for node in topology.nodes:
            components.node_components(node, self._paths)[-1].stop()
        configuration.write_proxies(topology, self._paths)
        details = {**record.details, "topology": topology.as_record()}
        replace(record, details=details).write(self._paths)


def _plan(options: Options) -> Topology:
    return Topology(
        subnet=choose_subnet(network.machine_routes()),
        node_count=DEFAULT_NODES if options.nodes is None else options.nodes,
        proxy_mode=options.proxy_mode or DEFAULT_PROXY_MODE,
    )


def standing(record: Record | None, paths: Paths) -> Topology | None:
    """The topology of a cluster that was complete once and whose namespaces still stand."""
    if (
        record is None
        or record.provider != PROVIDER
        or not record.complete
        or record.boot != processes.boot_id()
    ):
        return None
    topology = Topology.from_record(record.details["topology"])
    namespaces = {network.HUB, *(host.namespace for host in topology.hosts)}
    stands = namespaces <= set(network.existing_namespaces())
    return topology if stands and mount_namespaces.exist(topology, paths) else None


def refuse_other_shape(topology: Topology, options: Options) -> None:
    """Refuse to turn the cluster that is up into another one.

    Raises:
        ClusterError: Another shape was asked for.
    """
    if options.nodes not in {None, topology.node_count}:
        raise ClusterError(
            f"--nodes {options.nodes} was asked for, "
            f"but a cluster with --nodes {topology.node_count} is up.",
            "Run `python -m e2e.cluster down` first.",
        )


def with_proxy_mode(topology: Topology, options: Options) -> Topology:
    """The cluster that is up, with the mode that is asked for: kube-proxy can change it."""
    return replace(topology, proxy_mode=options.proxy_mode or topology.proxy_mode)
