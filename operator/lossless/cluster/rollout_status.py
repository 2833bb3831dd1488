"""``status`` of a LosslessRollout as it is stored, and back: both ways give equal answers."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, TypeVar

from lossless.cluster.client import Raw
from lossless.cluster.timestamps import format_time, parse_time
from lossless.model.conditions import Answer, Condition, ConditionType
from lossless.model.durations import format_duration, parse_duration
from lossless.model.phases import ENDED, Phase
from lossless.model.report import Connections, Oldest
from lossless.model.status import (
    Cause,
    PodStatus,
    RolloutPhase,
    RolloutRecord,
    RolloutStatus,
    Suspension,
)
from lossless.model.troubles import Trouble

#: ``status.injection.state``.
SUSPENDED: Final = "Suspended"
TRYING: Final = "Trying"
_E = TypeVar("_E", bound=StrEnum)


def status_document(status: RolloutStatus) -> Raw:
    """Return what is stored. Fields without a value are left out; zero is a value."""
    document: Raw = {
        "observedGeneration": status.observed_generation,
        "conditions": [_condition_document(condition) for condition in status.conditions],
        "replicas": status.replicas,
        "updated": status.updated,
        "draining": status.draining,
        "held": status.held,
        "pods": [_pod_document(pod) for pod in status.pods],
    }
    if status.phase is not None:
        document["phase"] = status.phase.value
    if status.connections is not None:
        document["connections"] = status.connections
    if status.revision:
        document["revision"] = status.revision
    if status.resumed:
        document["resumed"] = status.resumed
    if status.last_rollout is not None:
        document["lastRollout"] = _rollout_document(status.last_rollout)
    if status.history:
        document["history"] = [_rollout_document(rollout) for rollout in status.history]
    if status.injection is not None:
        document["injection"] = _injection_document(status.injection)
    return document


def parse_status(raw: object) -> RolloutStatus:
    """Return the status that was stored; what cannot be understood is as good as never written.

    Another version of the controller may have written it, so no field is trusted.
    """
    if not isinstance(raw, Mapping):
        return RolloutStatus()
    connections = raw.get("connections")
    last = raw.get("lastRollout")
    return RolloutStatus(
        phase=_member(RolloutPhase, raw.get("phase")),
        observed_generation=_number(raw, "observedGeneration"),
        conditions=tuple(
            condition
            for item in _items(raw, "conditions")
            if (condition := _condition(item)) is not None
        ),
        replicas=_number(raw, "replicas"),
        updated=_number(raw, "updated"),
        draining=_number(raw, "draining"),
        held=_number(raw, "held"),
        connections=connections if isinstance(connections, int) else None,
        revision=_text(raw, "revision"),
        resumed=_text(raw, "resumed"),
        last_rollout=_rollout(last) if isinstance(last, Mapping) else None,
        history=tuple(_rollout(item) for item in _items(raw, "history")),
        pods=tuple(pod for item in _items(raw, "pods") if (pod := _pod(item)) is not None),
        injection=parse_injection(raw),
    )


def _condition_document(condition: Condition) -> Raw:
    return {
        "type": condition.type.value,
        "status": condition.status.value,
        "observedGeneration": condition.generation,
        "lastTransitionTime": format_time(condition.since),
        "reason": str(condition.reason),
        "message": condition.message,
    }


def _condition(raw: Mapping[str, Any]) -> Condition | None:
    kind, answer = _member(ConditionType, raw.get("type")), _member(Answer, raw.get("status"))
    if kind is None or answer is None:
        return None
    return Condition(
        type=kind,
        status=answer,
        reason=_text(raw, "reason"),
        message=_text(raw, "message"),
        generation=_number(raw, "observedGeneration"),
        since=int(parse_time(raw.get("lastTransitionTime"))),
    )


def _rollout_document(rollout: RolloutRecord) -> Raw:
    document: Raw = {
        "started": format_time(rollout.started),
        "drained": rollout.drained,
        "timedOut": rollout.timed_out,
        "lost": rollout.lost,
        "discarded": rollout.discarded,
    }
    words = {
        "from": rollout.before,
        "to": rollout.revision,
        "paused": rollout.paused,
        "resumed": rollout.resumed,
    }
    document |= {key: word for key, word in words.items() if word}
    if rollout.superseded:
        document["superseded"] = True
    if rollout.finished:
        document["finished"] = format_time(rollout.finished)
        document["seconds"] = rollout.finished - rollout.started
    return document


def _rollout(raw: Mapping[str, Any]) -> RolloutRecord:
    return RolloutRecord(
        started=int(parse_time(raw.get("started"))),
        finished=int(parse_time(raw.get("finished"))),
        drained=_number(raw, "drained"),
        timed_out=_number(raw, "timedOut"),
        lost=_number(raw, "lost"),
        discarded=_number(raw, "discarded"),
        before=_text(raw, "from"),
        revision=_text(raw, "to"),
        paused=_text(raw, "paused"),
        resumed=_text(raw, "resumed"),
        superseded=raw.get("superseded") is True,
    )


def _injection_document(suspension: Suspension) -> Raw:
    return {
        "state": TRYING if suspension.trying else SUSPENDED,
        "since": format_time(suspension.since),
        "cause": suspension.cause.value,
        "reason": suspension.reason,
        "attempts": suspension.attempts,
    }


def parse_injection(status: object) -> Suspension | None:
    """Return the suspension of injection alone that a status tells; None if it tells none.

    Claims are made at each event and each list of all LosslessRollouts, and need no more of it.
    """
    raw = status.get("injection") if isinstance(status, Mapping) else None
    if not isinstance(raw, Mapping) or not _text(raw, "cause"):
        return None
    # Of a cause that only a later controller knows the pods do not start either, so injection stays
    # suspended and is tried again, as after a crash.
    cause = _member(Cause, raw["cause"]) or Cause.CRASH
    return Suspension(
        since=int(parse_time(raw.get("since"))),
        cause=cause,
        reason=_text(raw, "reason"),
        trying=raw.get("state") == TRYING,
        attempts=_number(raw, "attempts"),
    )


def _pod_document(pod: PodStatus) -> Raw:
    document: Raw = {
        "name": pod.name,
        "uid": pod.uid,
        "phase": pod.phase.value,
        "since": format_time(pod.since),
    }
    if pod.connections is not None:
        counts = pod.connections
        document["connections"] = {
            "active": counts.active,
            "idle": counts.idle,
            "new": counts.new,
        }
    if pod.oldest is not None:
        document["oldest"] = {"peer": pod.oldest.peer, "age": format_duration(pod.oldest.age)}
    if pod.phase in ENDED:
        document["result"] = pod.phase.value
    if pod.reason:
        document["reason"] = pod.reason
    if pod.troubles:
        document["troubles"] = [trouble.value for trouble in pod.troubles]
    return document


def _pod(raw: Mapping[str, Any]) -> PodStatus | None:
    phase, uid = _member(Phase, raw.get("phase")), _text(raw, "uid")
    if phase is None or not uid:
        return None
    counts, oldest, troubles = raw.get("connections"), raw.get("oldest"), raw.get("troubles")
    return PodStatus(
        name=_text(raw, "name"),
        uid=uid,
        phase=phase,
        since=int(parse_time(raw.get("since"))),
        connections=Connections(
            active=_number(counts, "active"),
            idle=_number(counts, "idle"),
            new=_number(counts, "new"),
        )
        if isinstance(counts, Mapping)
        else None,
        oldest=_oldest(oldest) if isinstance(oldest, Mapping) else None,
        reason=_text(raw, "reason"),
        troubles=tuple(kind for kind in Trouble if kind.value in troubles)
        if isinstance(troubles, list)
        else (),
    )


def _oldest(raw: Mapping[str, Any]) -> Oldest | None:
    try:
        return Oldest(peer=_text(raw, "peer"), age=parse_duration(_text(raw, "age")))
    except ValueError:
        return None


def _items(raw: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    value = raw.get(key)
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _number(raw: Mapping[str, Any], key: str) -> int:
    value = raw.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _text(raw: Mapping[str, Any], key: str) -> str:
    value = raw.get(key)
    return value if isinstance(value, str) else ""


def _member(kind: type[_E], value: object) -> _E | None:
    return next((member for member in kind if member.value == value), None)
