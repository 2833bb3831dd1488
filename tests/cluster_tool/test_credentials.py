"""Certificates, keys and kubeconfigs."""

import ipaddress
import ssl
import stat
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import PolicyBuilder, Store

from e2e.cluster import credentials
from e2e.cluster.api import Api, ApiError
from e2e.cluster.certificates import Authority
from e2e.cluster.paths import Paths
from e2e.cluster.topology import Topology

TWO = Topology("10.89.0.0/24", 2)


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """Where the credentials of a two-node cluster have been written."""
    paths = Paths(cache=tmp_path / "cache", state=tmp_path / "state")
    credentials.write(TWO, paths)
    return paths


def certificate(paths: Paths, name: str) -> x509.Certificate:
    """Return a written certificate."""
    return x509.load_pem_x509_certificate((paths.pki / f"{name}.crt").read_bytes())


@pytest.mark.parametrize(
    ("name", "address"),
    [
        pytest.param("apiserver", "10.96.0.1", id="API server as pods see it"),
        pytest.param("apiserver", "10.89.0.10", id="API server as the machine sees it"),
        pytest.param("node1", "10.89.0.11", id="kubelet as the API server sees it"),
    ],
)
def test_servers_are_verified_by_their_address(paths: Paths, name: str, address: str) -> None:
    """A client that trusts the authority accepts the server at the address it dials."""
    store = Store([certificate(paths, "ca")])
    verifier = (
        PolicyBuilder()
        .store(store)
        .build_server_verifier(x509.IPAddress(ipaddress.ip_address(address)))
    )

    assert verifier.verify(certificate(paths, name), [])


def test_a_kubelet_is_who_node_authorization_expects(paths: Paths) -> None:
    """The user is system:node:NAME and the group system:nodes, for client and server use."""
    kubelet = certificate(paths, "node1")
    usage = kubelet.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value

    assert kubelet.subject.rfc4514_string() == "CN=system:node:node1,O=system:nodes"
    assert set(usage) == {ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH}


def test_the_front_proxy_has_an_authority_of_its_own(paths: Paths) -> None:
    """Signed by the cluster's, any client certificate could claim to be anybody."""
    assert certificate(paths, "front-proxy-client").issuer != certificate(paths, "ca").subject


def test_private_files_are_private(paths: Paths) -> None:
    """Keys and kubeconfigs can be read by their owner only."""
    secret = [*paths.pki.glob("*.key"), *paths.config.rglob("*kubeconfig"), paths.kubeconfig]

    assert len(secret) == 14
    assert {stat.S_IMODE(path.stat().st_mode) for path in secret} == {0o600}


def test_the_kubeconfig_holds_everything_itself(paths: Paths) -> None:
    """A copy of the file works elsewhere: it names no other file."""
    document = yaml.safe_load(paths.kubeconfig.read_text())

    assert document["current-context"] == "lossless-local"
    assert document["clusters"][0]["cluster"]["server"] == "https://10.89.0.10:6443"
    assert str(paths.state) not in paths.kubeconfig.read_text()


def test_openssl_takes_the_key_for_the_certificates(tmp_path: Path) -> None:
    """What is written is a matching pair in a form that others read."""
    Authority("test").sign("somebody").write(tmp_path, "it")

    ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(
        tmp_path / "it.crt", tmp_path / "it.key"
    )


def test_an_api_server_that_is_not_there_is_not_ready(paths: Paths) -> None:
    """Refused connections are an answer, not a traceback."""
    text = paths.kubeconfig.read_text().replace("10.89.0.10:6443", "127.0.0.1:1")
    paths.kubeconfig.write_text(text)
    api = Api(paths.kubeconfig)

    assert not api.is_ready()
    with pytest.raises(ApiError, match=r"127\.0\.0\.1:1"):
        api.get("/api/v1/nodes")
