"""AdmissionReview v1 in, AdmissionReview v1 out: pure, and it never says no.

https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/
"""

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from lossless.injection.agent_settings import AgentSettings
from lossless.injection.inject import Injection, inject
from lossless.injection.problem import Problem, ProblemKind
from lossless.injection.problem_text import warning_text
from lossless.model.names import INJECT_LABEL, WARNING_PREFIX
from lossless.model.targets import creator_of
from lossless.webhook.owner import AdmissionRollout, owner_of, rollout_of

_API_VERSION: Final = "admission.k8s.io/v1"
_KIND: Final = "AdmissionReview"
#: The API server truncates longer warnings, and drops what goes beyond 4096 characters in all.
_WARNING_MAX: Final = 256
#: Objects and lists in one review. Eight mebibytes of nothing but them take 185 MiB to read, and
#: the chart gives the process 256. The 1.5 MiB that etcd stores would hold one every eight bytes.
MOST_PARTS: Final = 200_000
_UNCHANGED: Final = Injection()
#: Characters of a name (RFC 1123), of what need not be one.
_NAME_MAX: Final = 253


class MalformedReviewError(ValueError):
    """The body is no AdmissionReview that could be answered."""


class Result(StrEnum):
    """How a review ended; a label of the metrics."""

    INJECTED = "injected"
    """The pod has the agent, from this review or an earlier pass."""
    NOT_OURS = "not_ours"
    """No LosslessRollout speaks for the pod, or it declined."""
    REFUSED = "refused"
    """It should have been injected and could not be; a warning says why."""
    SUSPENDED = "suspended"
    """Agents have kept pods of its LosslessRollout from starting."""
    FAILED = "failed"
    """Our own error; the pod passed unchanged."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a review is judged by, apart from the review."""

    rollouts: Iterable[AdmissionRollout]
    leader: bool
    """Whether a controller is alive to open gates."""
    agent: AgentSettings


@dataclass(frozen=True, slots=True)
class ReviewAnswer:
    """What to send back, and what to tell operators of it."""

    body: dict[str, Any]
    result: Result
    namespace: str = ""
    workload: str = ""
    rollout: str = ""
    pod: str = ""
    """Name, or what its name begins with; only of a review that failed."""
    injection: Injection = _UNCHANGED
    error: Exception | None = None


def parse_review(body: bytes) -> dict[str, Any]:
    """Return the ``request`` of an AdmissionReview.

    Raises:
        MalformedReviewError: not JSON, nested too deep, of too many parts, or not an
            AdmissionReview v1 with a uid.
    """
    if body.count(b"{") + body.count(b"[") > MOST_PARTS:
        raise MalformedReviewError(f"the body has more than {MOST_PARTS} objects and lists")
    try:
        review = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise MalformedReviewError(f"the body is not JSON that can be read: {error}") from error
    if not isinstance(review, dict) or review.get("kind") != _KIND:
        raise MalformedReviewError(f"the body is not of kind {_KIND}")
    if review.get("apiVersion") != _API_VERSION:
        raise MalformedReviewError(
            f"apiVersion {review.get('apiVersion')!r:.80} is not answered, only {_API_VERSION}"
        )
    request = review.get("request")
    if not isinstance(request, dict):
        raise MalformedReviewError("request is not an object")
    if not isinstance(request.get("uid"), str) or not request["uid"]:
        raise MalformedReviewError("request.uid is not a non-empty string")
    return request


def answer(request: dict[str, Any], context: Context) -> ReviewAnswer:
    """Return the answer to ``request``, which always allows the pod.

    It raises nothing: whatever goes wrong here must not keep a cluster from starting pods.

    Args:
        request: as ``parse_review`` returned it.
        context: the clusters' LosslessRollouts and the installation's settings.
    """
    try:
        return _judge(request, context)
    except Exception as error:  # noqa: BLE001 # fail open: any error lets the pod through
        reason = f"lossless failed ({type(error).__name__}); the pod is unprotected"
        namespace, pod = subject_of(request)
        return ReviewAnswer(
            response_of(request["uid"], _not_injected("", reason)),
            Result.FAILED,
            namespace,
            _creator_named_in(request),
            pod=pod,
            error=error,
        )


def subject_of(request: Mapping[str, Any]) -> tuple[str, str]:
    """Return namespace and name of what is reviewed, as far as they can be read.

    A pod of a controller has no name yet, but what it begins with. Whatever else ``request`` holds,
    it raises nothing: it is asked when something was wrong already.
    """
    reviewed = request.get("object")
    metadata = reviewed.get("metadata") if isinstance(reviewed, dict) else None
    known = metadata if isinstance(metadata, dict) else {}
    names = (_text(known.get(key)) for key in ("name", "generateName"))
    return _text(request.get("namespace")), next(filter(None, names), "")


def _creator_named_in(request: Mapping[str, Any]) -> str:
    try:
        creator = creator_of(request["object"])
    except Exception:  # noqa: BLE001 # the same: it may be the very thing that is wrong
        return ""
    return "" if creator is None else _text(str(creator))


def _text(value: object) -> str:
    return value[:_NAME_MAX] if isinstance(value, str) else ""


def _judge(request: Mapping[str, Any], context: Context) -> ReviewAnswer:
    uid = request["uid"]
    resource = request.get("resource") or {}
    pod = request.get("object")
    if (
        request.get("operation") != "CREATE"
        or (resource.get("group"), resource.get("resource")) != ("", "pods")
        or request.get("subResource")
        or pod is None
        or (pod["metadata"].get("labels") or {}).get(INJECT_LABEL) == "false"
    ):
        return ReviewAnswer(response_of(uid), Result.NOT_OURS)
    namespace = str(request.get("namespace") or "")
    owner = owner_of(pod)
    rollout = rollout_of(owner, namespace, context.rollouts)
    workload = "" if owner.workload is None else str(owner.workload)
    if rollout is None:
        return ReviewAnswer(response_of(uid), Result.NOT_OURS, namespace, workload)
    if rollout.suspended:
        injection = _not_injected("", rollout.suspended)
        return ReviewAnswer(
            response_of(uid, injection),
            Result.SUSPENDED,
            namespace,
            workload,
            rollout.name,
            injection=injection,
        )
    if rollout.spec is None:
        injection = _not_injected(f"LosslessRollout {rollout.name}", rollout.problem)
    else:
        gate = context.leader and rollout.spec.target.kind.gated
        injection = inject(
            pod, rollout.name, rollout.spec, context.agent, gate=gate, review=str(uid)
        )
    return ReviewAnswer(
        response_of(uid, injection),
        Result.INJECTED if injection.injected else Result.REFUSED,
        namespace,
        workload,
        rollout.name,
        injection=injection,
    )


def _not_injected(subject: str, reason: str) -> Injection:
    return Injection(problems=(Problem(ProblemKind.NOT_INJECTED, subject, reason),))


def response_of(
    uid: str, injection: Injection = _UNCHANGED, *, warnings: Iterable[str] = ()
) -> dict[str, Any]:
    """Return the review that allows a request, with a patch and warnings as there are."""
    response: dict[str, Any] = {"uid": uid, "allowed": True}
    if injection.operations:
        patch = json.dumps(injection.operations, separators=(",", ":")).encode()
        response |= {"patchType": "JSONPatch", "patch": base64.b64encode(patch).decode()}
    told = [*map(warning_text, injection.problems), *warnings]
    if told:
        response["warnings"] = [_short(f"{WARNING_PREFIX}{text}") for text in told]
    return {"apiVersion": _API_VERSION, "kind": _KIND, "response": response}


def _short(text: str) -> str:
    return text if len(text) <= _WARNING_MAX else text[: _WARNING_MAX - 3] + "..."
