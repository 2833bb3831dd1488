"""Rendered configuration files."""

import json
import tomllib
from pathlib import Path

import pytest
import yaml

from e2e.cluster import configuration
from e2e.cluster.paths import Paths
from e2e.cluster.topology import Topology

TWO = Topology("10.89.0.0/24", 2)
NODE1 = TWO.nodes[1]
MACHINE = configuration.Machine(
    cni_bin=Path("/usr/lib/cni"), snapshotter="overlayfs", restrict_oom_score=True
)


def test_containerd_gets_valid_toml_with_what_the_machine_allows() -> None:
    """The snapshotter and the OOM score setting follow the machine."""
    text = configuration.containerd(
        root=Path("/state/containerd"), cni_config=Path("/state/cni"), machine=MACHINE
    )
    cri = tomllib.loads(text)["plugins"]["io.containerd.grpc.v1.cri"]

    assert cri["sandbox_image"] == configuration.PAUSE_IMAGE
    assert cri["restrict_oom_score_adj"] is True
    assert cri["containerd"]["snapshotter"] == "overlayfs"
    assert cri["cni"] == {"bin_dir": "/usr/lib/cni", "conf_dir": "/state/cni"}


def test_pods_keep_their_addresses_between_nodes() -> None:
    """Masquerading would hide from a pod who talks to it."""
    conflist = json.loads(configuration.cni(NODE1))
    bridge = conflist["plugins"][0]

    assert bridge["ipMasq"] is False
    assert bridge["ipam"]["ranges"] == [[{"subnet": "10.244.1.0/24"}]]


def test_each_kubelet_has_a_cgroup_root_of_its_own() -> None:
    """Two kubelets below one root remove each other's pods."""
    roots = [
        yaml.safe_load(
            configuration.kubelet(node, pki=Path("/pki"), resolv_conf=Path("/resolv.conf"))
        )["cgroupRoot"]
        for node in TWO.nodes
    ]

    assert roots == ["/lossless/node0", "/lossless/node1"]


@pytest.mark.parametrize("mode", ["iptables", "nftables"])
def test_kube_proxy_leaves_the_machines_conntrack_limits_alone(mode: str) -> None:
    """They belong to the initial network namespace; setting them would end kube-proxy."""
    topology = Topology("10.89.0.0/24", 2, mode)  # type: ignore[arg-type]
    config = yaml.safe_load(
        configuration.kube_proxy(NODE1, kubeconfig=Path("/k"), mode=topology.proxy_mode)
    )

    assert config["mode"] == mode
    assert config["conntrack"]["maxPerCore"] == 0
    assert config["hostnameOverride"] == "node1"


def test_every_node_gets_its_files(tmp_path: Path) -> None:
    """One folder per node, and a resolv.conf without name servers for all."""
    paths = Paths(cache=tmp_path / "cache", state=tmp_path / "state")

    configuration.write(TWO, paths, MACHINE)

    assert sorted(
        str(path.relative_to(paths.config)) for path in paths.config.rglob("*") if path.is_file()
    ) == [
        "node0/cni/10-pods.conflist",
        "node0/containerd.toml",
        "node0/kube-proxy.yaml",
        "node0/kubelet.yaml",
        "node1/cni/10-pods.conflist",
        "node1/containerd.toml",
        "node1/kube-proxy.yaml",
        "node1/kubelet.yaml",
        "resolv.conf",
    ]
    assert "nameserver" not in (paths.config / "resolv.conf").read_text()
