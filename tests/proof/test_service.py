"""The proof's pods: what differs between proxies, and between plain and lossless."""

import pytest

from e2e.proof.proxies import NGINX, PROXIES, Proxy
from e2e.proof.service import ProofService
from e2e.sample.manifests import APP, Manifest, Variant, lossless_rollout
from lossless.model.policy import parse_spec


def _containers(proxy: Proxy, variant: Variant) -> dict[str, Manifest]:
    _, deployment = ProofService("localhost/proof:1", proxy, variant).objects()
    containers = deployment["spec"]["template"]["spec"]["containers"]
    return {container["name"]: container for container in containers}


@pytest.mark.parametrize("proxy", PROXIES.values(), ids=lambda proxy: proxy.name)
def test_a_pod_has_the_proxy_and_an_app_for_each_protocol(proxy: Proxy) -> None:
    """The proxy is what readiness asks; the app is what a rollout changes."""
    containers = _containers(proxy, Variant.PLAIN)

    assert set(containers) == {proxy.name, APP, *proxy.echoes}
    assert "readinessProbe" in containers[proxy.name]
    assert all("env" not in containers[echo] for echo in proxy.echoes)


@pytest.mark.parametrize("proxy", PROXIES.values(), ids=lambda proxy: proxy.name)
def test_lossless_pods_differ_only_in_what_the_docs_ask_for(proxy: Proxy) -> None:
    """They have nginx's snippet, and an app that ends WebSockets by the status file."""
    plain, lossless = (_containers(proxy, v) for v in (Variant.PLAIN, Variant.LOSSLESS))

    assert lossless["websocket"].pop("env") == [
        {"name": "STATUS_FILE", "value": "/lossless/serving"}
    ]
    if proxy is NGINX:
        assert lossless[proxy.name].pop("command") != plain[proxy.name].pop("command")
    assert lossless == plain


def test_the_rollout_of_nginx_is_one_the_product_accepts() -> None:
    """What the proof hands to the API server is a valid LosslessRollout."""
    spec = parse_spec(lossless_rollout(**NGINX.rollout)["spec"])

    assert spec.target.name == "web"
