"""The kind provider: nodes are Docker containers, made by the kind program."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from e2e.cluster import binaries, docker
from e2e.cluster.command import run
from e2e.cluster.errors import ClusterError
from e2e.cluster.kubectl import node_statuses
from e2e.cluster.processes import boot_id
from e2e.cluster.record import Record
from e2e.cluster.status import Status
from e2e.cluster.topology import DEFAULT_PROXY_MODE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from e2e.cluster.paths import Paths
    from e2e.cluster.progress import Progress
    from e2e.cluster.provider import Options
    from e2e.cluster.status import NodeStatus

PROVIDER = "kind"
NAME = "lossless"
NETWORK = "kind"
"""The Docker network that kind puts every node on."""

NODE_IMAGE = (
    "kindest/node:v1.34.11@sha256:44e222ee2132dab25ff87301682f89eb82c7880ea3a1bf543bfe9708fd08d67d"
)
"""The 1.34 image of kind v0.33.0's release notes; an image fits the kind it was built for."""

SERVICE_CIDR = "10.96.0.0/16"
"""kind's default."""

DEFAULT_NODES = 2
CREATE_TIMEOUT = 900.0


class Kind:
    """A kind cluster by a name of our own; other kind clusters are never touched."""

    def __init__(self, paths: Paths, progress: Progress) -> None:
        self._paths = paths
        self._progress = progress

    def up(self, options: Options) -> None:
        """Create the cluster unless a complete one is there.

        Raises:
            ClusterError: No Docker engine, another number of nodes is up, or kind failed.
        """
        refuse_without_engine()
        binaries.ensure(binaries.KIND, self._paths, self._progress)
        wanted = DEFAULT_NODES if options.nodes is None else options.nodes
        record = Record.read(self._paths)
        exists = NAME in run([self._kind(), "get", "clusters"]).split()
        if exists and record is not None and record.provider == PROVIDER and record.complete:
            have = record.details["nodes"]
            if options.nodes not in {None, have}:
                raise ClusterError(
                    f"--nodes {wanted} was asked for, but a kind cluster with {have} is up.",
                    "Run `python -m e2e.cluster down` first.",
                )
            run(["docker", "start", *self._containers()])  # harmless for those that run
            return
        if exists:
            with self._progress.step("Deleting the kind cluster of an unfinished run"):
                run(delete_command(self._kind(), self._paths.kubeconfig), timeout=300)
        details = {"nodes": wanted}
        Record(PROVIDER, False, boot_id(), details).write(self._paths)  # noqa: FBT003 - complete: no
        config = self._paths.state / "kind.yaml"
        config.write_text(cluster_config(wanted, options.proxy_mode or DEFAULT_PROXY_MODE))
        with self._progress.step(f"Creating a kind cluster of {wanted} nodes"):
            run(
                create_command(self._kind(), config, self._paths.kubeconfig), timeout=CREATE_TIMEOUT
            )
            if wanted > 1:  # kind itself frees the node of a one-node cluster
                run(untaint_command(self._paths.bin / "kubectl", self._paths.kubeconfig))
        Record(PROVIDER, True, boot_id(), details).write(self._paths)  # noqa: FBT003 - complete: yes

    def down(self) -> None:
        """Delete the cluster."""
        refuse_without_engine()
        with self._progress.step("Deleting the kind cluster"):
            run(delete_command(self._kind(), self._paths.kubeconfig), timeout=300)
        shutil.rmtree(self._paths.state, ignore_errors=True)

    def status(self) -> Status:
        """Its nodes."""
        try:
            nodes = node_statuses(self._paths)
        except ClusterError as error:
            return Status(PROVIDER, self._paths.kubeconfig, (), (), (str(error),))
        return Status(PROVIDER, self._paths.kubeconfig, (), nodes, ())

    def load_image(self, archives: Sequence[Path]) -> None:
        """Import docker archives into every node."""
        for archive in archives:
            with self._progress.step(f"Loading {archive.name} into the kind nodes"):
                run(load_command(self._kind(), archive), timeout=600)

    def client_command(self, argv: Sequence[str], via: str | None) -> list[str]:
        """The command that runs `argv` in a container on the nodes' network.

        Args:
            argv: The program and its arguments.
            via: The node through which Services are entered; None for the first.
        """
        nodes = node_statuses(self._paths)
        gateway = gateway_of(nodes, via)
        pods = pod_routes(self._node_list())
        return client_command(argv, gateway, pods, Path.cwd())

    def logs(self) -> dict[str, Path]:
        """Export the nodes' logs and name the files."""
        folder = self._paths.state / "kind-logs"
        run([self._kind(), "export", "logs", f"--name={NAME}", folder], timeout=300)
        return {
            "-".join(path.relative_to(folder).parts).removesuffix(".log"): path
            for path in sorted(folder.rglob("*.log"))
        }

    def _kind(self) -> Path:
        return self._paths.bin / "kind"

    def _containers(self) -> list[str]:
        return run([self._kind(), "get", "nodes", f"--name={NAME}"]).split()

    def _node_list(self) -> dict[str, Any]:
        argv = [str(self._paths.bin / "kubectl"), f"--kubeconfig={self._paths.kubeconfig}"]
        listing: dict[str, Any] = json.loads(run([*argv, "get", "nodes", "--output=json"]))
        return listing


def refuse_without_engine() -> None:
    """Refuse where kind cannot work.

    Raises:
        ClusterError: No Docker engine answers.
    """
    if not docker.engine_answers():
        raise ClusterError(
            "--provider kind needs a Docker engine, and `docker version` names no server.",
            "Start Docker, or use --provider local (as root).",
        )


def cluster_config(nodes: int, proxy_mode: str) -> str:
    """Kind's configuration file."""
    roles = ["control-plane", *["worker"] * (nodes - 1)]
    return yaml.safe_dump(
        {
            "kind": "Cluster",
            "apiVersion": "kind.x-k8s.io/v1alpha4",
            "networking": {"kubeProxyMode": proxy_mode},
            "nodes": [{"role": role, "image": NODE_IMAGE} for role in roles],
        },
        sort_keys=False,
    )


def create_command(kind: Path, config: Path, kubeconfig: Path) -> list[str]:
    """The command that creates the cluster and waits until it is ready."""
    return [
        str(kind),
        "create",
        "cluster",
        f"--name={NAME}",
        f"--config={config}",
        f"--kubeconfig={kubeconfig}",
        "--wait=300s",
    ]


def untaint_command(kubectl: Path, kubeconfig: Path) -> list[str]:
    """The command that lets pods run on the control plane's node, as in the local provider."""
    label = "node-role.kubernetes.io/control-plane"
    taint = f"{label}:NoSchedule-"
    return [str(kubectl), f"--kubeconfig={kubeconfig}", "taint", "nodes", f"-l{label}", taint]


def delete_command(kind: Path, kubeconfig: Path) -> list[str]:
    """The command that deletes the cluster; harmless when there is none."""
    return [str(kind), "delete", "cluster", f"--name={NAME}", f"--kubeconfig={kubeconfig}"]


def load_command(kind: Path, archive: Path) -> list[str]:
    """The command that loads a docker archive onto every node."""
    return [str(kind), "load", "image-archive", str(archive), f"--name={NAME}"]


def gateway_of(nodes: Sequence[NodeStatus], via: str | None) -> str:
    """The address of the node through which a client enters.

    Raises:
        ClusterError: There is no such node.
    """
    for node in nodes:
        if via in {None, node.name}:
            return node.address
    raise ClusterError(
        f"--via {via}: there is no such node.",
        f"Choose one of {', '.join(node.name for node in nodes)}.",
    )


def pod_routes(listing: dict[str, Any]) -> list[tuple[str, str]]:
    """(pod subnet, node address) rows of a NodeList."""
    return [
        (item["spec"]["podCIDR"], address["address"])
        for item in listing["items"]
        for address in item["status"]["addresses"]
        if address["type"] == "InternalIP" and "podCIDR" in item["spec"]
    ]


def client_command(
    argv: Sequence[str], gateway: str, pods: Sequence[tuple[str, str]], folder: Path
) -> list[str]:
    """The command that runs a program of this machine in the nodes' network.

    A container on the network sets its routes, with the node image's `ip`, and then changes its
    root to the machine's, so that the client is the same program as with the local provider.

    Args:
        argv: The program and its arguments.
        gateway: The address of the node through which Services are entered.
        pods: (pod subnet, node address) rows.
        folder: Where on this machine to run it.
    """
    routes = [(SERVICE_CIDR, gateway), *pods]
    script = [*(f"ip route add {subnet} via {address}" for subnet, address in routes)]
    script.append('exec chroot --userspec="$1" /machine env --chdir="$2" "${@:3}"')
    user = f"{os.getuid()}:{os.getgid()}"
    terminal = ["--tty"] if sys.stdin.isatty() and sys.stdout.isatty() else []
    return [
        *("docker", "run", "--rm", "--interactive", *terminal),
        *("--network", NETWORK, "--cap-add", "NET_ADMIN", "--volume", "/:/machine"),
        *("--entrypoint", "/bin/bash", NODE_IMAGE),
        *("-ec", "\n".join(script), "client", user, str(folder), *argv),
    ]
