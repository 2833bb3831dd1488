"""Every program of a local cluster: what it is called, where it runs and with which arguments."""

from __future__ import annotations

import os
import resource
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

from e2e.cluster import network, processes
from e2e.cluster.topology import API_PORT, POD_CIDR, SERVICE_CIDR

if TYPE_CHECKING:
    from pathlib import Path

    from e2e.cluster.paths import Paths
    from e2e.cluster.processes import ProcessId
    from e2e.cluster.topology import Node, Topology

GRACE = 5.0
"""Seconds between SIGTERM and SIGKILL for a component that is stopped."""

ADMINISTRATIVE_FOLDERS = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where Debian keeps runc, iptables and modprobe; an ordinary PATH may lack the sbin ones."""


@dataclass(frozen=True)
class Component:
    """One long-running program, which can be started, stopped and killed by name.

    Attributes:
        name: As `status`, `logs` and the fault tests call it.
        node: In whose network and mount namespaces it runs.
        argv: The program and its arguments, within these namespaces.
        paths: Where its pid file and log are.
    """

    name: str
    node: Node
    argv: tuple[str, ...]
    paths: Paths

    @property
    def label(self) -> str:
        """A name that is unique in the cluster."""
        return f"{self.node.name}.{self.name}"

    @property
    def log(self) -> Path:
        """Standard output and error of all its runs."""
        return self.paths.logs / f"{self.label}.log"

    @property
    def pid_file(self) -> Path:
        """Remembers its process."""
        return self.paths.run / f"{self.label}.json"

    def process(self) -> ProcessId | None:
        """Its process, if it runs."""
        process = processes.read_pid_file(self.pid_file)
        return process if process is not None and processes.is_alive(process) else None

    def start(self) -> None:
        """Start it unless it runs; returns as soon as it is a process, ready or not."""
        if self.process() is not None:
            return
        environ = {
            "PATH": f"{self.paths.bin}:{ADMINISTRATIVE_FOLDERS}",
            "HOME": os.environ.get("HOME", "/root"),
            processes.MARKER: str(self.paths.state),
        }
        # containerd and etcd want thousands of files; what we may not raise we leave.
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        argv = [*enter(self.node, self.paths), *self.argv]
        process = processes.spawn(argv, log=self.log, environ=environ)
        processes.write_pid_file(self.pid_file, process)

    def stop(self) -> None:
        """SIGTERM, then SIGKILL; harmless when it does not run."""
        process = self.process()
        if process is not None:
            processes.end([process], grace=GRACE)

    def kill(self) -> None:
        """SIGKILL, as a crash; harmless when it does not run."""
        process = self.process()
        if process is not None:
            processes.kill([process])

    def restart(self) -> None:
        """Stop it and start it."""
        self.stop()
        self.start()

    def freeze(self) -> None:
        """SIGSTOP: it holds its connections and answers nothing, as a hung machine does."""
        process = self.process()
        if process is not None:
            processes.send(process, signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT: undo `freeze`."""
        process = self.process()
        if process is not None:
            processes.send(process, signal.SIGCONT)


def enter(node: Node, paths: Paths) -> list[str]:
    """The command prefix that enters a node."""
    return [
        "nsenter",
        f"--net={network.namespace_file(node.namespace)}",
        f"--mount={mount_namespace(node, paths)}",
        "--",
    ]


def mount_namespace(node: Node, paths: Paths) -> Path:
    """The file on which a node's mount namespace is bound."""
    return paths.namespaces / f"{node.name}.mnt"


def control_plane(topology: Topology, paths: Paths) -> tuple[Component, ...]:
    """etcd, API server, controller manager and scheduler, in the order in which they start."""
    node = topology.control_plane
    pki, config = paths.pki, paths.config

    def component(name: str, *arguments: str) -> Component:
        return Component(name, node, (name, *arguments), paths)

    return (
        component(
            "etcd",
            f"--data-dir={paths.state}/etcd",
            "--listen-client-urls=http://127.0.0.1:2379",
            "--advertise-client-urls=http://127.0.0.1:2379",
            "--listen-peer-urls=http://127.0.0.1:2380",
            # Its data need not survive the machine, and a slow disk would make it miss heartbeats.
            "--unsafe-no-fsync",
            "--logger=zap",
        ),
        component(
            "kube-apiserver",
            "--etcd-servers=http://127.0.0.1:2379",
            "--bind-address=0.0.0.0",
            f"--advertise-address={node.address}",
            f"--secure-port={API_PORT}",
            f"--tls-cert-file={pki}/apiserver.crt",
            f"--tls-private-key-file={pki}/apiserver.key",
            f"--client-ca-file={pki}/ca.crt",
            f"--kubelet-client-certificate={pki}/apiserver-kubelet-client.crt",
            f"--kubelet-client-key={pki}/apiserver-kubelet-client.key",
            f"--kubelet-certificate-authority={pki}/ca.crt",
            "--kubelet-preferred-address-types=InternalIP",
            f"--requestheader-client-ca-file={pki}/front-proxy-ca.crt",
            "--requestheader-allowed-names=front-proxy-client",
            "--requestheader-extra-headers-prefix=X-Remote-Extra-",
            "--requestheader-group-headers=X-Remote-Group",
            "--requestheader-username-headers=X-Remote-User",
            f"--proxy-client-cert-file={pki}/front-proxy-client.crt",
            f"--proxy-client-key-file={pki}/front-proxy-client.key",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={pki}/service-account.pub",
            f"--service-account-signing-key-file={pki}/service-account.key",
            f"--service-cluster-ip-range={SERVICE_CIDR}",
            "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction",
            "--allow-privileged=true",
        ),
        component(
            "kube-controller-manager",
            f"--kubeconfig={config}/kube-controller-manager.kubeconfig",
            f"--authentication-kubeconfig={config}/kube-controller-manager.kubeconfig",
            f"--authorization-kubeconfig={config}/kube-controller-manager.kubeconfig",
            f"--root-ca-file={pki}/ca.crt",
            f"--cluster-signing-cert-file={pki}/ca.crt",
            f"--cluster-signing-key-file={pki}/ca.key",
            f"--service-account-private-key-file={pki}/service-account.key",
            "--use-service-account-credentials=true",
            "--controllers=*",
            # The default is /usr/libexec/kubernetes, which it makes and leaves behind.
            f"--flex-volume-plugin-dir={paths.state}/volume-plugins",
            f"--cluster-cidr={POD_CIDR}",
            # It would number the nodes as they register, and CNI has to know before.
            "--allocate-node-cidrs=false",
            "--leader-elect=false",
            "--bind-address=127.0.0.1",
        ),
        component(
            "kube-scheduler",
            f"--kubeconfig={config}/kube-scheduler.kubeconfig",
            f"--authentication-kubeconfig={config}/kube-scheduler.kubeconfig",
            f"--authorization-kubeconfig={config}/kube-scheduler.kubeconfig",
            "--leader-elect=false",
            "--bind-address=127.0.0.1",
        ),
    )


def node_components(node: Node, paths: Paths) -> tuple[Component, ...]:
    """containerd, kubelet and kube-proxy of one node, in the order in which they start."""
    config = paths.config / node.name
    return (
        Component("containerd", node, ("containerd", f"--config={config}/containerd.toml"), paths),
        Component(
            "kubelet",
            node,
            (
                "kubelet",
                f"--config={config}/kubelet.yaml",
                f"--kubeconfig={config}/kubelet.kubeconfig",
                f"--hostname-override={node.name}",
                f"--node-ip={node.address}",
                "--v=2",
            ),
            paths,
        ),
        Component("kube-proxy", node, ("kube-proxy", f"--config={config}/kube-proxy.yaml"), paths),
    )
