"""A real etcd and a real kube-apiserver on loopback, without nodes."""

import contextlib
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bench.simulated.processes import process
from bench.simulated.waiting import until
from e2e.cluster.paths import Paths
from lossless.cluster.client import Client
from lossless.cluster.errors import ApiError
from tests.support.free_ports import free_port

TOKEN: Final = "bench"  # noqa: S105 # of an API server on loopback that lives for a minute


@contextlib.asynccontextmanager
async def control_plane(folder: Path) -> AsyncIterator[tuple[Path, str]]:
    """Run etcd and an API server; yield a kubeconfig and where the server is."""
    etcd, api = shutil.which("etcd"), Paths.of_user().bin / "kube-apiserver"
    if etcd is None or not api.exists():
        sys.exit("this benchmark needs etcd and a kube-apiserver: make tools")
    ports = [free_port() for _ in range(3)]
    store, peers, secure = (f"127.0.0.1:{port}" for port in ports)
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    (folder / "sa.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
    )
    (folder / "tokens").write_text(f"{TOKEN},bench,bench,system:masters\n")
    kubeconfig = folder / "kubeconfig"
    cluster = {"server": f"https://{secure}", "insecure-skip-tls-verify": True}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "bench", "cluster": cluster}],
        "users": [{"name": "bench", "user": {"token": TOKEN}}],
        "contexts": [{"name": "bench", "context": {"cluster": "bench", "user": "bench"}}],
        "current-context": "bench",
    }
    kubeconfig.write_text(yaml.safe_dump(document))
    with (
        process(
            folder / "etcd.log",
            etcd,
            f"--data-dir={folder / 'etcd'}",
            f"--listen-client-urls=http://{store}",
            f"--advertise-client-urls=http://{store}",
            f"--listen-peer-urls=http://{peers}",
            f"--initial-advertise-peer-urls=http://{peers}",
            f"--initial-cluster=default=http://{peers}",
            "--unsafe-no-fsync",
        ),
        process(
            folder / "api.log",
            str(api),
            f"--etcd-servers=http://{store}",
            "--bind-address=127.0.0.1",
            f"--secure-port={secure.rpartition(':')[2]}",
            f"--cert-dir={folder / 'certificates'}",
            f"--token-auth-file={folder / 'tokens'}",
            "--authorization-mode=RBAC",
            "--disable-admission-plugins=ServiceAccount",
            f"--service-account-issuer=https://{secure}",
            f"--service-account-key-file={folder / 'sa.key'}",
            f"--service-account-signing-key-file={folder / 'sa.key'}",
            "--service-cluster-ip-range=10.0.0.0/24",
        ),
    ):
        async with await Client.connect(kubeconfig) as client:
            await until(
                lambda: answers(client, "/api/v1/namespaces/default"), "the API server", 120
            )
        yield kubeconfig, f"https://{secure}"


async def answers(client: Client, path: str) -> bool:
    """Return whether the API server serves ``path`` yet."""
    try:
        await client.get(path)
    except ApiError:
        return False
    return True
