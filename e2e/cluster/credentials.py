"""Which certificates and kubeconfigs a local cluster has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from e2e.cluster import kubeconfig
from e2e.cluster.certificates import Authority, service_account_key, write_private
from e2e.cluster.topology import API_SERVICE_IP

if TYPE_CHECKING:
    from pathlib import Path

    from e2e.cluster.paths import Paths
    from e2e.cluster.topology import Topology

API_SERVER_NAMES = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", "localhost")


def write(topology: Topology, paths: Paths) -> None:
    """Make all of them anew."""
    authority, pki = Authority("lossless-cluster"), paths.pki
    authority.pair.write(pki, "ca")
    _write_api_server(authority, topology, pki)
    _write_front_proxy(pki)
    _write_service_account_key(pki)

    def write_kubeconfig(path: Path, user: str, group: str = "") -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        text = kubeconfig.render(
            server=topology.api_url,
            authority=authority.pair.certificate,
            user=user,
            credentials=authority.sign(user, group=group),
        )
        write_private(path, text.encode())

    write_kubeconfig(paths.kubeconfig, "lossless-admin", "system:masters")
    for name in ("kube-controller-manager", "kube-scheduler", "kube-proxy"):
        write_kubeconfig(paths.config / f"{name}.kubeconfig", f"system:{name}")
    for node in topology.nodes:
        user, group = f"system:node:{node.name}", "system:nodes"
        write_kubeconfig(paths.config / node.name / "kubelet.kubeconfig", user, group)
        serving = authority.sign(user, group=group, names=[node.name, node.address], server=True)
        serving.write(pki, node.name)


def _write_api_server(authority: Authority, topology: Topology, pki: Path) -> None:
    names = [*API_SERVER_NAMES, "127.0.0.1", API_SERVICE_IP, topology.control_plane.address]
    authority.sign("kube-apiserver", names=names, server=True).write(pki, "apiserver")
    client = authority.sign("kube-apiserver-kubelet-client", group="system:masters")
    client.write(pki, "apiserver-kubelet-client")


def _write_front_proxy(pki: Path) -> None:
    """For aggregated API servers; an authority of its own, or any client could claim to be one."""
    authority = Authority("lossless-front-proxy")
    authority.pair.write(pki, "front-proxy-ca")
    authority.sign("front-proxy-client").write(pki, "front-proxy-client")


def _write_service_account_key(pki: Path) -> None:
    private, public = service_account_key()
    write_private(pki / "service-account.key", private)
    (pki / "service-account.pub").write_bytes(public)
