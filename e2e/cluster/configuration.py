"""The configuration files of containerd, CNI, kubelet and kube-proxy, rendered."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import yaml

from e2e.cluster.topology import CLUSTER_DOMAIN, DNS_SERVICE_IP, POD_CIDR

if TYPE_CHECKING:
    from pathlib import Path

    from e2e.cluster.paths import Paths
    from e2e.cluster.topology import Node, ProxyMode, Topology

PAUSE_IMAGE = "localhost/lossless-pause:1"


@dataclass(frozen=True)
class Machine:
    """What a node's configuration takes from the machine.

    Attributes:
        cni_bin: The folder with the CNI plugins.
        snapshotter: "native" where the state folder cannot carry overlay mounts.
        restrict_oom_score: Without CAP_SYS_RESOURCE no process may lower its OOM score, and a
            sandbox that tries fails with "can't get final child's PID from pipe: EOF".
    """

    cni_bin: Path
    snapshotter: Literal["overlayfs", "native"]
    restrict_oom_score: bool


def write(topology: Topology, paths: Paths, machine: Machine) -> None:
    """Write every node's configuration files."""
    resolv_conf = paths.config / "resolv.conf"
    resolv_conf.parent.mkdir(parents=True, exist_ok=True)
    resolv_conf.write_text("# The cluster has no way to name servers outside.\n")
    for node in topology.nodes:
        folder = paths.config / node.name
        cni_config = folder / "cni"
        cni_config.mkdir(parents=True, exist_ok=True)
        (cni_config / "10-pods.conflist").write_text(cni(node))
        root = paths.node(node.name) / "containerd"
        (folder / "containerd.toml").write_text(
            containerd(root=root, cni_config=cni_config, machine=machine)
        )
        (folder / "kubelet.yaml").write_text(kubelet(node, pki=paths.pki, resolv_conf=resolv_conf))
    write_proxies(topology, paths)


def write_proxies(topology: Topology, paths: Paths) -> None:
    """Write the configuration of every node's kube-proxy."""
    kubeconfig = paths.config / "kube-proxy.kubeconfig"
    for node in topology.nodes:
        (paths.config / node.name / "kube-proxy.yaml").write_text(
            kube_proxy(node, kubeconfig=kubeconfig, mode=topology.proxy_mode)
        )


def containerd(*, root: Path, cni_config: Path, machine: Machine) -> str:
    """Configure containerd: config.toml version 2, of containerd 1.5 to 1.7 and read by 2.x.

    Args:
        root: Images, snapshots and content.
        cni_config: The folder with the CNI configuration.
        machine: What the machine allows.
    """
    return f"""\
version = 2
root = "{root}"
state = "/run/containerd"
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", \
"io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs", \
"io.containerd.tracing.processor.v1.otlp", "io.containerd.internal.v1.tracing"]
[grpc]
address = "/run/containerd/containerd.sock"
[plugins."io.containerd.internal.v1.opt"]
path = "{root}/opt"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{PAUSE_IMAGE}"
restrict_oom_score_adj = {str(machine.restrict_oom_score).lower()}
disable_apparmor = true
enable_unprivileged_ports = true
enable_unprivileged_icmp = true
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{machine.cni_bin}"
conf_dir = "{cni_config}"
[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "{machine.snapshotter}"
"""


def cni(node: Node) -> str:
    """A node's pod network: a bridge, addresses of the node's own subnet, host ports.

    No masquerading: nodes route to each other's pods, so a pod sees who really talks to it.
    """
    return json.dumps(
        {
            "cniVersion": "1.0.0",
            "name": "pods",
            "plugins": [
                {
                    "type": "bridge",
                    "bridge": "cni0",
                    "isGateway": True,
                    "ipMasq": False,
                    "hairpinMode": True,
                    "ipam": {
                        "type": "host-local",
                        "ranges": [[{"subnet": node.pod_cidr}]],
                        "routes": [{"dst": "0.0.0.0/0"}],
                    },
                },
                {"type": "portmap", "capabilities": {"portMappings": True}},
            ],
        },
        indent=2,
    )


def kubelet(node: Node, *, pki: Path, resolv_conf: Path) -> str:
    """A KubeletConfiguration: Kubernetes' own defaults but for what a shared machine demands.

    Args:
        node: Whose kubelet.
        pki: The folder with ca.crt and NODE.crt, NODE.key.
        resolv_conf: What pods with `dnsPolicy: Default` get.
    """
    return yaml.safe_dump(
        {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "authentication": {
                "anonymous": {"enabled": False},
                "webhook": {"enabled": True},
                "x509": {"clientCAFile": f"{pki}/ca.crt"},
            },
            "authorization": {"mode": "Webhook"},
            "tlsCertFile": f"{pki}/{node.name}.crt",
            "tlsPrivateKeyFile": f"{pki}/{node.name}.key",
            "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
            "cgroupDriver": "cgroupfs",  # no systemd is needed on the machine
            "cgroupRoot": node.cgroup,
            "clusterDNS": [DNS_SERVICE_IP],
            "clusterDomain": CLUSTER_DOMAIN,
            "resolvConf": str(resolv_conf),
            "volumePluginDir": "/var/lib/kubelet/volume-plugins",
            "failSwapOn": False,
            "oomScoreAdj": 0,  # the default, -999, needs CAP_SYS_RESOURCE
            # The machine's disk is not the cluster's: its other users may have filled it, and an
            # image that was loaded by hand cannot be pulled again once it was collected.
            "evictionHard": {
                "memory.available": "100Mi",
                "nodefs.available": "1%",
                "imagefs.available": "1%",
            },
            "imageGCHighThresholdPercent": 100,
        },
        sort_keys=False,
    )


def kube_proxy(node: Node, *, kubeconfig: Path, mode: ProxyMode) -> str:
    """A KubeProxyConfiguration; the conntrack limits are the machine's and cannot be set here."""
    return yaml.safe_dump(
        {
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "kind": "KubeProxyConfiguration",
            "clientConnection": {"kubeconfig": str(kubeconfig)},
            "mode": mode,
            "clusterCIDR": POD_CIDR,
            "hostnameOverride": node.name,
            "oomScoreAdj": 0,
            "conntrack": {
                "maxPerCore": 0,
                "min": 0,
                "tcpCloseWaitTimeout": "0s",
                "tcpEstablishedTimeout": "0s",
            },
        },
        sort_keys=False,
    )
