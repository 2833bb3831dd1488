"""AdmissionReview of a LosslessRollout in, AdmissionReview out: pure."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from lossless.webhook.owner import Rollout, parse_rollout
from lossless.webhook.review import response_of

_REVIEWED: Final = frozenset({"CREATE", "UPDATE"})


def proposed(request: Mapping[str, Any]) -> Rollout | None:
    """Return the LosslessRollout that is to be judged; None: there is nothing to judge.

    An update that leaves the spec as it is may set a finalizer or a label on an object that
    another version has stored; it is not held against it.

    Args:
        request: as ``parse_review`` returned it.
    """
    raw, before = request.get("object"), request.get("oldObject")
    if request.get("operation") not in _REVIEWED or not isinstance(raw, Mapping):
        return None
    if isinstance(before, Mapping) and before.get("spec") == raw.get("spec"):
        return None
    metadata = dict(raw.get("metadata") or {})
    metadata["namespace"] = str(request.get("namespace") or metadata.get("namespace") or "")
    # With generateName it has no name yet.
    metadata.setdefault("name", metadata.get("generateName", ""))
    return parse_rollout({**raw, "metadata": metadata})


def refusal(request: Mapping[str, Any], rollout: Rollout) -> dict[str, Any]:
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
