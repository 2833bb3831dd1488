"""Who signs the webhook's certificate: we do, or cert-manager does, and never both."""

import pytest

from lossless.model.names import TLS_SECRET, WEBHOOK_CONFIGURATION, WEBHOOK_SERVICE
from lossless.webhook.certificate import service_names
from tests.chart.rendering import NAMESPACE, Helm, Manifest, container_of, named, of_kind

ISSUER = {"name": "internal-ca", "kind": "ClusterIssuer", "group": "cert-manager.io"}
BY_CERT_MANAGER = {"certificates": {"certManager": {"enabled": True, "issuerRef": ISSUER}}}
CONFIGURATIONS = ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"]
PROGRAMS = ["lossless-controller", "lossless-webhook"]


def test_by_default_nobody_else_is_needed(manifests: list[Manifest]) -> None:
    """No object of cert-manager, no annotation for it, and the programs keep the certificate."""
    assert of_kind(manifests, "Certificate") == []
    for kind in CONFIGURATIONS:
        assert "annotations" not in named(manifests, kind, WEBHOOK_CONFIGURATION)["metadata"]
    for program in PROGRAMS:
        args = container_of(named(manifests, "Deployment", program))["args"]
        assert "--certificate=self" in args


def test_cert_manager_is_asked_for_what_the_webhook_serves_with(helm: Helm) -> None:
    """Into the Secret that the programs read, for the names that an API server calls."""
    manifests = helm.render(BY_CERT_MANAGER)
    certificate = named(manifests, "Certificate", TLS_SECRET)
    spec = certificate["spec"]
    assert certificate["metadata"]["namespace"] == NAMESPACE
    assert spec["secretName"] == TLS_SECRET
    assert tuple(spec["dnsNames"]) == service_names(WEBHOOK_SERVICE, NAMESPACE)
    assert (spec["issuerRef"], spec["duration"], spec["renewBefore"]) == (ISSUER, "2160h", "720h")
    assert "server auth" in spec["usages"]


@pytest.mark.parametrize("kind", CONFIGURATIONS)
def test_cert_manager_finds_where_its_authority_belongs(helm: Helm, kind: str) -> None:
    """By the annotation that its injector looks for: namespace and name of the Certificate."""
    annotations = named(helm.render(BY_CERT_MANAGER), kind, WEBHOOK_CONFIGURATION)["metadata"]
    assert annotations["annotations"] == {
        "cert-manager.io/inject-ca-from": f"{NAMESPACE}/{TLS_SECRET}"
    }


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_programs_know_that_it_is_not_theirs(helm: Helm, program: str) -> None:
    """Before there is a Secret nothing else says so."""
    container = container_of(named(helm.render(BY_CERT_MANAGER), "Deployment", program))
    assert "--certificate=cert-manager" in container["args"]
