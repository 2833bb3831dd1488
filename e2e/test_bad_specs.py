"""A LosslessRollout that cannot be acted on is refused, and the refusal names the field."""

import json
from typing import Final

import pytest

from e2e.support.kubectl import KubectlFailed, Object
from e2e.support.testbed import Testbed
from lossless.model.names import API_VERSION, PLURAL
from tests.support.bad_specs import BAD_SPECS, GOOD_SPECS, BadSpec, GoodSpec

_PATH: Final = f"/apis/{API_VERSION}/namespaces/default/{PLURAL}?dryRun=All&fieldValidation=Strict"


def _dry_run(testbed: Testbed, manifest: Object) -> None:
    # Raw, because kubectl apply checks types itself, in words of its own, and never asks then.
    testbed.kubectl("create", "--raw", _PATH, "--filename=-", stdin=json.dumps(manifest))


@pytest.mark.usefixtures("images")
@pytest.mark.parametrize("bad", [pytest.param(spec, id=spec.name) for spec in BAD_SPECS])
def test_a_bad_spec_is_refused_by_the_api_server(testbed: Testbed, bad: BadSpec) -> None:
    """The answer says which field is at fault and what is wrong with it."""
    with pytest.raises(KubectlFailed) as refusal:
        _dry_run(testbed, bad.manifest("default"))

    field, words = bad.api_cause
    assert field in str(refusal.value)
    assert words in str(refusal.value)


@pytest.mark.usefixtures("images")
@pytest.mark.parametrize("good", [pytest.param(spec, id=spec.name) for spec in GOOD_SPECS])
def test_a_good_spec_is_accepted_by_the_api_server(testbed: Testbed, good: GoodSpec) -> None:
    """The control: what is refused is refused for its fault."""
    _dry_run(testbed, good.manifest("default"))
