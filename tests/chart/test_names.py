"""The chart's strings are the contract's: objects find each other by name."""

import pytest

from lossless.__main__ import main
from lossless.model import names
from tests.chart.rendering import NAMESPACE, Manifest, container_of, named, of_kind

DEPLOYMENTS = ["lossless-controller", "lossless-webhook"]


def test_the_service_leads_to_the_webhooks_pods(manifests: list[Manifest]) -> None:
    """The API server finds the webhook by the Service's name, on 443."""
    service = named(manifests, "Service", names.WEBHOOK_SERVICE)
    deployment = named(manifests, "Deployment", "lossless-webhook")
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"].items() <= labels.items()
    (port,) = service["spec"]["ports"]
    ports = {p["name"]: p["containerPort"] for p in container_of(deployment)["ports"]}
    assert (port["port"], ports[port["targetPort"]]) == (443, 9443)


def test_only_the_webhooks_pods_are_behind_its_service(manifests: list[Manifest]) -> None:
    """A request that reached a controller would be lost."""
    selector = named(manifests, "Service", names.WEBHOOK_SERVICE)["spec"]["selector"]
    other = named(manifests, "Deployment", "lossless-controller")
    assert not selector.items() <= other["spec"]["template"]["metadata"]["labels"].items()


def test_the_webhook_configurations_intercept_nothing_yet(manifests: list[Manifest]) -> None:
    """The leader fills it in; a ``webhooks`` key here would be fought over at every upgrade."""
    for kind in ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"):
        (configuration,) = of_kind(manifests, kind)
        assert configuration["metadata"]["name"] == names.WEBHOOK_CONFIGURATION
        assert "webhooks" not in configuration


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_pods_are_told_who_they_are(manifests: list[Manifest], name: str) -> None:
    """Name and namespace come by the downward API, under the contract's names."""
    container = container_of(named(manifests, "Deployment", name))
    told = {e["name"]: e["valueFrom"]["fieldRef"]["fieldPath"] for e in container["env"]}
    assert told == {
        names.POD_NAME_ENV: "metadata.name",
        names.POD_NAMESPACE_ENV: "metadata.namespace",
    }
    assert f"--namespace=$({names.POD_NAMESPACE_ENV})" in container["args"]


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_pods_run_the_program_of_their_name(manifests: list[Manifest], name: str) -> None:
    """The image's entry point takes the program as its first argument."""
    container = container_of(named(manifests, "Deployment", name))
    assert "command" not in container
    assert container["args"][0] == name.removeprefix("lossless-")


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_the_programs_know_the_options_that_they_are_given(
    manifests: list[Manifest], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The real parser finds nothing amiss but the option that this test adds."""
    arguments = container_of(named(manifests, "Deployment", name))["args"]
    with pytest.raises(SystemExit):
        main([*arguments, "--unheard-of"])
    assert capsys.readouterr().err.endswith("unrecognized arguments: --unheard-of\n")


def test_everything_lies_in_the_releases_namespace(manifests: list[Manifest]) -> None:
    """Whatever has a namespace is installed into the one that Helm was told."""
    cluster_wide = {
        "ClusterRole",
        "ClusterRoleBinding",
        "CustomResourceDefinition",
        "MutatingWebhookConfiguration",
        "ValidatingWebhookConfiguration",
    }
    elsewhere = [
        (m["kind"], m["metadata"]["name"])
        for m in manifests
        if m["metadata"].get("namespace") != (None if m["kind"] in cluster_wide else NAMESPACE)
    ]
    assert elsewhere == []


def test_the_crd_is_the_contracts(manifests: list[Manifest]) -> None:
    """The chart installs the one CRD there is."""
    (crd,) = of_kind(manifests, "CustomResourceDefinition")
    assert crd["metadata"]["name"] == f"{names.PLURAL}.{names.GROUP}"
