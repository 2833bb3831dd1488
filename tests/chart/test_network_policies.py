"""NetworkPolicies: none unless asked for; then nothing else comes in."""

from lossless.model.names import WEBHOOK_SERVICE
from tests.chart.rendering import NAMESPACE, Helm, Manifest, named, of_kind


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


def test_without_a_list_everybody_may_read_metrics(helm: Helm) -> None:
    """They hold no secret."""
    policy = named(
        helm.render({"networkPolicy": {"enabled": True}}), "NetworkPolicy", "lossless-controller"
    )

    assert "from" not in policy["spec"]["ingress"][0]
