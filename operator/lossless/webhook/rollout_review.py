"""AdmissionReview of a LosslessRollout in, AdmissionReview out: pure."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from lossless.model.names import GROUP, PLURAL
from lossless.model.scope import is_namespace
from lossless.webhook.owner import AdmissionRollout, parse_rollout
from lossless.webhook.review import response_of

_REVIEWED: Final = frozenset({"CREATE", "UPDATE"})


def proposed(request: Mapping[str, Any]) -> AdmissionRollout | None:
    """Return the LosslessRollout that is to be judged; None: there is nothing to judge.

    An update that leaves the spec as it is may set a finalizer or a label on an object that
    another version has stored; it is not held against it.

    Args:
        request: as ``parse_review`` returned it.
    """
    raw, before = request.get("object"), request.get("oldObject")
    resource, metadata = request.get("resource"), _mapping(raw, "metadata")
    namespace = _text(request, "namespace")
    if (
        _text(request, "operation") not in _REVIEWED
        or not isinstance(raw, Mapping)
        # Whoever sends other kinds here has a configuration that is not ours.
        or (_text(resource, "group"), _text(resource, "resource")) != (GROUP, PLURAL)
        or request.get("subResource")
        # It becomes part of a URL of the API server.
        or not is_namespace(namespace)
    ):
        return None
    if isinstance(before, Mapping) and before.get("spec") == raw.get("spec"):
        return None
    # What a new object says of its own namespace counts no more than for a pod.
    told = {
        "namespace": namespace,
        # With generateName it has no name yet.
        "name": _text(metadata, "name") or _text(metadata, "generateName"),
    }
    return parse_rollout({**raw, "metadata": {**metadata, **told}})


def _mapping(raw: object, key: str) -> Mapping[str, Any]:
    value = raw.get(key) if isinstance(raw, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def _text(raw: object, key: str) -> str:
    value = raw.get(key) if isinstance(raw, Mapping) else None
    return value if isinstance(value, str) else ""


def refusal(request: Mapping[str, Any], rollout: AdmissionRollout) -> dict[str, Any]:
    """Return the answer that refuses ``rollout``, whose spec nobody could act on."""
    review = response_of(request["uid"])
    review["response"] |= {
        "allowed": False,
        "status": {
            "code": HTTPStatus.UNPROCESSABLE_ENTITY.value,
            "reason": "Invalid",
            "message": f"LosslessRollout {rollout.name}: {rollout.problem}",
        },
    }
    return review
