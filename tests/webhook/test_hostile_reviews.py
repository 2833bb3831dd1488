"""Anybody on the pod network may post to the webhook: it answers, and nothing else happens."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossless.model.names import GROUP, PLURAL, VALIDATION_PATH, VERSION
from lossless.webhook.advice import advice
from lossless.webhook.rollout_review import proposed, refusal
from tests.injection.pods import SETTINGS, Raw, rollout
from tests.support.fake_kubernetes import fake_kubernetes
from tests.support.spoiling import DEPTHS, JSON, paths, spoiled
from tests.webhook.running import Running, protect, renew, serving


def request() -> Raw:
    """Return the request of a review of a LosslessRollout in which everything is said."""
    metadata = {"name": "web", "generateName": "web-", "namespace": "bank", "labels": {"a": "b"}}
    spec = {
        "targetRef": {"kind": "Deployment", "name": "web"},
        "close": [{"nginx": {}}],
        "drain": {"timeout": "60s"},
    }
    return {
        "uid": "1",
        "operation": "UPDATE",
        "resource": {"group": GROUP, "version": VERSION, "resource": PLURAL},
        "namespace": "shop",
        "object": {"metadata": metadata, "spec": spec, "status": {"phase": "Ready"}},
        "oldObject": {"metadata": metadata, "spec": {}},
    }


@given(path=st.sampled_from(paths(request())), value=JSON)
def test_a_field_of_a_review_that_holds_something_else(path: tuple[Any, ...], value: Any) -> None:
    """There is an answer all the same, as JSON, and of the namespace that the API server names."""
    asked = spoiled(request(), path, value)
    found = proposed(asked)
    if found is None:
        return
    assert found.namespace == asked["namespace"]
    if found.spec is None:
        answer = refusal(asked, found)["response"]
        assert (answer["allowed"], answer["status"]["code"]) == (False, 422)
        assert json.dumps(answer)
    else:
        assert all(isinstance(said, str) for said in advice(found, [rollout()], None, SETTINGS))


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    """A webhook with one LosslessRollout."""
    async with fake_kubernetes() as (fake, client):
        protect(fake)
        renew(fake)
        async with serving(fake, client) as running:
            yield running


@pytest.mark.parametrize("depth", DEPTHS)
async def test_nesting_over_the_wire(running: Running, depth: int) -> None:
    """Depths that can just be read are refused, allowed or 400, and the next review is served."""
    deep = "[" * depth + "]" * depth
    good = json.dumps({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"})[:-1]
    asked = json.dumps(request()).replace('[{"nginx": {}}]', deep)
    status, body, _ = await running.send(f'{good},"request":{asked}}}'.encode(), VALIDATION_PATH)
    pods = await running.send(f'{good},"request":{asked}}}'.encode())
    after, _, _ = await running.send(f'{good},"request":{json.dumps(request())}}}'.encode())

    assert (status, pods[0]) in {(200, 200), (400, 400)}
    assert status == 400 or json.loads(body)["response"]["uid"] == "1"
    assert after == 200


@pytest.mark.parametrize(
    ("changes", "read"),
    [
        pytest.param({"namespace": "bank"}, "/namespaces/bank/", id="its-namespace-only"),
        pytest.param({"namespace": "../../api/v1"}, "", id="a-path-as-namespace"),
        pytest.param({"namespace": ".."}, "", id="up-as-namespace"),
        pytest.param({"namespace": ["shop"]}, "", id="a-list-as-namespace"),
    ],
)
async def test_a_review_makes_the_webhook_read_no_more_than_one_workload(
    running: Running, changes: dict[str, Any], read: str
) -> None:
    """Of the namespace that the review names; nothing in it is a path of the API server."""
    before = len(running.fake.requests)
    review = {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": request() | changes,
    }
    status, _, _ = await running.send(json.dumps(review).encode(), VALIDATION_PATH)
    asked = [one for one in running.fake.requests[before:] if "deployments" in one]

    assert status == 200
    assert len(asked) == bool(read)
    assert all(read in one and one.endswith("/deployments/web") for one in asked)
