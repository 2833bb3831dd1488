"""The proof's pods: what differs between their fronts, and between plain and lossless."""

import pytest

from e2e.proof.proxies import NGINX_H2, NGINX_RELOAD, PROXIES, Echo, Proxy
from e2e.proof.service import ProofService
from e2e.sample.manifests import APP, VERSION, Manifest, Variant, lossless_rollout
from e2e.support.given import QUICK
from lossless.injection.inject import inject
from lossless.model.policy import parse_spec
from tests.injection.pods import SETTINGS, applied, hook_of


def _containers(proxy: Proxy, variant: Variant) -> dict[str, Manifest]:
    _, deployment = ProofService("localhost/proof:1", proxy, variant).objects()
    containers = deployment["spec"]["template"]["spec"]["containers"]
    return {container["name"]: container for container in containers}


@pytest.mark.parametrize("proxy", PROXIES.values(), ids=lambda proxy: proxy.name)
def test_a_pod_has_the_proxy_and_an_app_for_each_protocol(proxy: Proxy) -> None:
    """The proxy is what readiness asks; the app is what a rollout changes."""
    containers = _containers(proxy, Variant.PLAIN)

    front = APP if proxy.alone else proxy.name
    assert set(containers) == {front, APP, *proxy.echoes}
    assert "readinessProbe" in containers[front]
    assert VERSION in [variable["name"] for variable in containers[APP]["env"]]
    assert all("env" not in containers[echo] for echo in proxy.echoes)


@pytest.mark.parametrize("proxy", PROXIES.values(), ids=lambda proxy: proxy.name)
def test_lossless_pods_differ_only_in_what_the_docs_ask_for(proxy: Proxy) -> None:
    """They have nginx's snippet, the middleware, an app that ends WebSockets by the status file."""
    plain, lossless = (_containers(proxy, v) for v in (Variant.PLAIN, Variant.LOSSLESS))

    if Echo.WEBSOCKET in proxy.echoes:
        assert lossless["websocket"].pop("env") == [
            {"name": "STATUS_FILE", "value": "/lossless/serving"}
        ]
    if proxy.plain != proxy.lossless:
        front = APP if proxy.alone else proxy.name
        assert lossless[front].pop("command") != plain[front].pop("command")
    assert lossless == plain


@pytest.mark.parametrize("proxy", PROXIES.values(), ids=lambda proxy: proxy.name)
def test_the_rollout_is_one_the_product_accepts(proxy: Proxy) -> None:
    """What the proof hands to the API server is valid, and nothing of it is out of reach."""
    raw = lossless_rollout({**QUICK, **proxy.drain}, **proxy.rollout)["spec"]
    _, deployment = ProofService("localhost/proof:1", proxy, Variant.LOSSLESS).objects()
    template = deployment["spec"]["template"]
    pod = {"metadata": template["metadata"], "spec": template["spec"]}
    decided = inject(pod, "web", parse_spec(raw), SETTINGS, gate=True)

    assert decided.injected
    assert decided.problems == ()


@pytest.mark.parametrize(
    ("proxy", "command"),
    [
        pytest.param(NGINX_H2, "kill -HUP 1 ||", id="by-a-signal"),
        pytest.param(
            NGINX_RELOAD,
            "/opt/proof/bin/nginx -e stderr -c /srv/proof/nginx/h2-reload.conf -s reload ||",
            id="as-it-was-started",
        ),
    ],
)
def test_nginx_is_reloaded_in_the_proofs_pods(proxy: Proxy, command: str) -> None:
    """By a signal, since it is the first process of its container, or by its pid file."""
    raw = lossless_rollout(QUICK, **proxy.rollout)["spec"]
    _, deployment = ProofService("localhost/proof:1", proxy, Variant.LOSSLESS).objects()
    template = deployment["spec"]["template"]
    pod = {"metadata": template["metadata"], "spec": template["spec"]}
    after = applied(pod, list(inject(pod, "web", parse_spec(raw), SETTINGS, gate=True).operations))

    assert command in hook_of(after, proxy.name)["exec"]["command"][2]
