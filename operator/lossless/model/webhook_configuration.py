"""The two webhook configurations, as the controller keeps them.

The chart ships them without webhooks; the controller adds the one there is to each: pods, for the
namespaces that hold a LosslessRollout and no other, and LosslessRollouts themselves. So an API
server never asks us about pods that are none of our business, and an installation without a
LosslessRollout changes nothing in a cluster.
"""

import base64
import json
from collections.abc import Iterable
from typing import Any, Final

from lossless.model.names import (
    GROUP,
    INJECT_LABEL,
    PLURAL,
    REVISION_LABEL,
    ROLLOUT_LABEL,
    TEMPLATE_HASH_LABEL,
    VALIDATION_NAME,
    VALIDATION_PATH,
    VERSION,
    WEBHOOK_CONFIGURATION,
    WEBHOOK_NAME,
    WEBHOOK_PATH,
    WEBHOOK_SERVICE,
)

#: Nothing here may ever depend on us, not even if somebody puts a LosslessRollout there.
NEVER: Final = frozenset({"kube-system", "kube-public", "kube-node-lease"})
#: Seconds an API server waits for us; a pod's start is delayed by no more.
TIMEOUT: Final = 3
#: Label that the API server puts on every namespace (KEP-2161).
NAMESPACE_LABEL: Final = "kubernetes.io/metadata.name"
#: CEL, evaluated by the API server itself before it would call us: the pod is of a Deployment, a
#: StatefulSet or a DaemonSet, or names a LosslessRollout.
KNOWN_WORKLOAD: Final = (
    "has(object.metadata.labels) && "
    f"{json.dumps([TEMPLATE_HASH_LABEL, REVISION_LABEL, ROLLOUT_LABEL])}"
    ".exists(key, key in object.metadata.labels)"
)


def webhook_configuration(
    namespaces: Iterable[str],
    ca_bundle: bytes,
    install_namespace: str,
    *,
    failure_policy: str = "Ignore",
) -> dict[str, Any]:
    """Return the object, to be applied on the server.

    Args:
        namespaces: that hold a LosslessRollout.
        ca_bundle: PEM certificates that the webhook's certificate is signed by. Empty: there is
            no certificate yet, so there is no webhook either: every call would fail.
        install_namespace: where the webhook's Service is; its own pods are never injected.
        failure_policy: ``Ignore`` or ``Fail``: what becomes of a pod if nobody answers.
    """
    seen = sorted(set(namespaces) - NEVER - {install_namespace})
    webhook = {
        "name": WEBHOOK_NAME,
        "admissionReviewVersions": ["v1"],
        "clientConfig": _client_config(ca_bundle, install_namespace, WEBHOOK_PATH),
        "rules": [
            {
                "apiGroups": [""],
                "apiVersions": ["v1"],
                "operations": ["CREATE"],
                "resources": ["pods"],
                "scope": "Namespaced",
            }
        ],
        "namespaceSelector": {
            "matchExpressions": [{"key": NAMESPACE_LABEL, "operator": "In", "values": seen}]
        },
        "objectSelector": {
            "matchExpressions": [
                {"key": INJECT_LABEL, "operator": "NotIn", "values": ["false"]},
            ]
        },
        # Jobs, bare pods and the like start as if we were not there. A selector cannot say "or".
        "matchConditions": [{"name": "known-workload", "expression": KNOWN_WORKLOAD}],
        "matchPolicy": "Equivalent",
        "sideEffects": "None",
        "failurePolicy": failure_policy,
        "reinvocationPolicy": "IfNeeded",
        "timeoutSeconds": TIMEOUT,
    }
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": WEBHOOK_CONFIGURATION},
        "webhooks": [webhook] if seen and ca_bundle else [],
    }


def validating_configuration(ca_bundle: bytes, install_namespace: str) -> dict[str, Any]:
    """Return the ValidatingWebhookConfiguration, to be applied on the server.

    It gives advice, so it is never a reason to refuse anything: failing, it is ignored.

    Args:
        ca_bundle: as for ``webhook_configuration``.
        install_namespace: the same.
    """
    webhook = {
        "name": VALIDATION_NAME,
        "admissionReviewVersions": ["v1"],
        "clientConfig": _client_config(ca_bundle, install_namespace, VALIDATION_PATH),
        "rules": [
            {
                "apiGroups": [GROUP],
                "apiVersions": [VERSION],
                "operations": ["CREATE", "UPDATE"],
                "resources": [PLURAL],
                "scope": "Namespaced",
            }
        ],
        "matchPolicy": "Equivalent",
        "sideEffects": "None",
        "failurePolicy": "Ignore",
        "timeoutSeconds": TIMEOUT,
    }
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": WEBHOOK_CONFIGURATION},
        "webhooks": [webhook] if ca_bundle else [],
    }


def _client_config(ca_bundle: bytes, install_namespace: str, path: str) -> dict[str, Any]:
    return {
        "caBundle": base64.b64encode(ca_bundle).decode("ascii"),
        "service": {
            "namespace": install_namespace,
            "name": WEBHOOK_SERVICE,
            "path": path,
            "port": 443,
        },
    }
