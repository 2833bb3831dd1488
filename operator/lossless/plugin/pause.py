"""``pause NAME`` and ``resume NAME``: hold a rollout where it is, and let it go on."""

import time

from lossless.cluster.client import MERGE_PATCH, Raw, resource_path
from lossless.cluster.errors import ApiError
from lossless.cluster.objects import metadata_of
from lossless.cluster.rollout_status import parse_status
from lossless.cluster.timestamps import format_time
from lossless.model.conditions import Answer, ConditionType
from lossless.model.names import API_VERSION, KIND, PLURAL, RESUME_ANNOTATION
from lossless.plugin.exits import Exit
from lossless.plugin.session import Session
from lossless.plugin.terminal import Terminal


async def pause(session: Session, terminal: Terminal, name: str) -> Exit:
    """Set ``spec.paused``.

    Raises:
        RefusedError: there is no such LosslessRollout.
        ApiError: refused or unanswered.
    """
    raw = await session.rollout(name)
    named = _named(raw)
    if (raw.get("spec") or {}).get("paused") is True:
        terminal.say([f"{KIND} {named} is paused already."])
        return Exit.OK
    await _patch(session, raw, {"spec": {"paused": True}})
    terminal.say(
        [
            f"{KIND} {named} is paused.",
            "  It holds: no new pod takes traffic in place of an old one, and old pods stay.",
            "  It does not hold: pods that are stopping still drain; scaling, evictions and",
            "  crashed pods go on as ever. To go on:",
            f"  kubectl lossless resume {metadata_of(raw).get('name')} -n {session.namespace}",
        ]
    )
    return Exit.OK


async def resume(session: Session, terminal: Terminal, name: str) -> Exit:
    """End a pause, whoever made it: ``spec.paused``, or a drain that timed out.

    Raises:
        RefusedError: there is no such LosslessRollout.
        ApiError: refused or unanswered.
    """
    raw = await session.rollout(name)
    change: Raw = {}
    if (raw.get("spec") or {}).get("paused") is True:
        change["spec"] = {"paused": False}
    condition = parse_status(raw.get("status")).condition(ConditionType.PAUSED)
    if condition is not None and condition.status is Answer.TRUE:
        value = f"{format_time(time.time())} {await _user(session)}".strip()
        change["metadata"] = {"annotations": {RESUME_ANNOTATION: value}}
    if not change:
        terminal.say([f"{KIND} {_named(raw)} is not paused; nothing was changed."])
        return Exit.OK
    await _patch(session, raw, change)
    terminal.say([f"{KIND} {_named(raw)} goes on."])
    return Exit.OK


async def _user(session: Session) -> str:
    """Return who the API server takes us for; empty if it does not say. History keeps it."""
    try:
        review = await session.client.create(
            resource_path("authentication.k8s.io/v1", "selfsubjectreviews"),
            {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"},
        )
    except ApiError:
        return ""
    return str(((review.get("status") or {}).get("userInfo") or {}).get("username", ""))


async def _patch(session: Session, raw: Raw, change: Raw) -> None:
    metadata = metadata_of(raw)
    path = resource_path(
        API_VERSION,
        PLURAL,
        namespace=metadata.get("namespace", session.namespace),
        name=metadata.get("name", ""),
    )
    await session.client.patch(path, change, content_type=MERGE_PATCH)


def _named(raw: Raw) -> str:
    metadata = metadata_of(raw)
    return f"{metadata.get('namespace')}/{metadata.get('name')}"
