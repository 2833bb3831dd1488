"""NetworkPolicies: none unless asked for; then nothing else comes in."""

import re

import yaml

from lossless.model.names import AGENT_PORT, WEBHOOK_SERVICE
from tests.chart.rendering import NAMESPACE, ROOT, Helm, Manifest, named, of_kind

PAGE = (ROOT / "docs" / "chart.md").read_text()


def test_there_is_none_unless_asked_for(manifests: list[Manifest]) -> None:
    """A policy where there was none may cut somebody off."""
    assert of_kind(manifests, "NetworkPolicy") == []


def test_only_metrics_and_reviews_come_in(helm: Helm) -> None:
    """By the names of the ports that the pods have, for the pods of that program."""
    peer = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}
    rendered = helm.render({"networkPolicy": {"enabled": True, "metricsFrom": [peer]}})

    for program, open_to_all in (("lossless-controller", []), ("lossless-webhook", ["https"])):
        policy = named(rendered, "NetworkPolicy", program)
        template = named(rendered, "Deployment", program)["spec"]["template"]
        ports = {port["name"] for port in template["spec"]["containers"][0]["ports"]}
        metrics, *others = policy["spec"]["ingress"]
        assert policy["metadata"]["namespace"] == NAMESPACE
        assert policy["spec"]["podSelector"]["matchLabels"].items() <= (
            template["metadata"]["labels"].items()
        )
        assert policy["spec"]["policyTypes"] == ["Ingress"]
        assert (metrics["ports"][0]["port"], metrics["from"]) == ("http", [peer])
        assert [rule["ports"][0]["port"] for rule in others] == open_to_all
        assert ports == {"http", *open_to_all}
    service = named(rendered, "Service", WEBHOOK_SERVICE)
    assert service["spec"]["ports"][0]["targetPort"] == "https"


def test_the_pages_policy_lets_out_all_who_speak_to_the_api_server(helm: Helm) -> None:
    """docs/chart.md shows one for clusters that deny egress: by a label, to agents' port."""
    (text,) = re.findall(r"^```yaml\n(apiVersion: net.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    policy = yaml.safe_load(text)
    rendered = helm.render({})
    pods = [
        named(rendered, "Deployment", "lossless-controller")["spec"]["template"],
        named(rendered, "Deployment", "lossless-webhook")["spec"]["template"],
        named(rendered, "Job", "lossless-release")["spec"]["template"],
        named(rendered, "Pod", "lossless-selftest"),
    ]
    selected = policy["spec"]["podSelector"]["matchLabels"].items()

    assert [selected <= found["metadata"]["labels"].items() for found in pods] == [True] * len(pods)
    ports = [port["port"] for rule in policy["spec"]["egress"] for port in rule["ports"]]
    assert AGENT_PORT in ports


def test_without_a_list_everybody_may_read_metrics(helm: Helm) -> None:
    """They hold no secret."""
    policy = named(
        helm.render({"networkPolicy": {"enabled": True}}), "NetworkPolicy", "lossless-controller"
    )

    assert "from" not in policy["spec"]["ingress"][0]
