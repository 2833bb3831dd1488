"""Which pods an API server asks about: none that could not be ours."""

import pytest

from lossless.model.names import (
    INJECT_LABEL,
    REVISION_LABEL,
    ROLLOUT_LABEL,
    TEMPLATE_HASH_LABEL,
)
from lossless.model.webhook_configuration import NEVER, webhook_configuration


def test_only_pods_of_workloads_in_namespaces_with_a_rollout_are_asked_about() -> None:
    """Everything else, such as Jobs, starts without us, whether we are alive or not."""
    (webhook,) = webhook_configuration(["shop", "blog"], b"ca", "lossless-system")["webhooks"]

    (namespaces,) = webhook["namespaceSelector"]["matchExpressions"]
    assert (namespaces["operator"], namespaces["values"]) == ("In", ["blog", "shop"])
    rules = {
        rule["key"]: rule["operator"] for rule in webhook["objectSelector"]["matchExpressions"]
    }
    assert rules == {INJECT_LABEL: "NotIn"}
    (condition,) = webhook["matchConditions"]
    assert condition["expression"] == (
        f'has(object.metadata.labels) && ["{TEMPLATE_HASH_LABEL}", "{REVISION_LABEL}",'
        f' "{ROLLOUT_LABEL}"].exists(key, key in object.metadata.labels)'
    )
    assert (webhook["failurePolicy"], webhook["timeoutSeconds"]) == ("Ignore", 3)


@pytest.mark.parametrize(
    ("namespaces", "authority"),
    [
        pytest.param([], b"ca", id="no-rollout-anywhere"),
        pytest.param(["shop"], b"", id="no-certificate-yet"),
        pytest.param([*NEVER, "lossless-system"], b"ca", id="only-where-we-must-never-be"),
    ],
)
def test_without_anything_to_do_there_is_no_webhook(
    namespaces: list[str], authority: bytes
) -> None:
    """An unfinished installation, or an unused one, intercepts nothing."""
    assert webhook_configuration(namespaces, authority, "lossless-system")["webhooks"] == []
