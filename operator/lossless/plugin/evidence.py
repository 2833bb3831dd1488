"""What is known of one pod's drain, from whom, and how old that is. Pure.

Three witnesses, the best first: the agent itself, asked just now through the API server; its
termination message, once it has ended; and what the controller last wrote into ``status.pods``.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from lossless.cluster.client import Raw
from lossless.cluster.objects import last_words, metadata_of, pod_of
from lossless.cluster.timestamps import parse_time
from lossless.model.names import FIELD_MANAGER
from lossless.model.report import Report, parse_report
from lossless.model.rollout.observation import Pod, Rollout
from lossless.model.status import PodStatus

_MAX_ITEMS: Final = 32
_MAX_TEXT: Final = 256
#: Beyond the age of anything; refuses infinity and, by the comparison, NaN.
_MAX_AGE: Final = 1e12
#: What ``lossless.model.report`` reads; its limit of 4096 bytes is one for these alone.
_REPORT_KEYS: Final = frozenset(
    ["pod", "uid", "phase", "seconds", "deadline", "connections", "oldest", "discarded", "reason"]
)


class Witness(StrEnum):
    """Who says so."""

    AGENT = "its agent, asked just now"
    LAST_WORDS = "the last words of its agent"
    STATUS = "status.pods of its LosslessRollout"


@dataclass(frozen=True, slots=True)
class Source:
    """One source of evidence, or one close driver, as the agent tells of it."""

    name: str
    state: str
    value: str = ""
    age: float | None = None
    """Seconds; None: the agent does not say."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Statement:
    """What one witness says."""

    witness: Witness
    report: Report | None = None
    entry: PodStatus | None = None
    """Of ``status.pods``; one of the two is there."""
    written: float = 0.0
    """When the controller wrote it, in seconds of the epoch; 0: nobody knows."""
    sources: tuple[Source, ...] = ()
    drivers: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """All that is known of one pod."""

    namespace: str
    pod: Pod
    rollout: Rollout | None
    """The LosslessRollout whose agent it has; None: it has none, or that is gone."""
    statement: Statement | None
    failed: str = ""
    """Why the agent could not be asked; empty: it answered, or there was nothing to ask."""


def from_agent(answer: Mapping[str, Any], uid: str) -> Statement:
    """Return what an agent answered.

    Raises:
        ValueError: it is no report, or one of another pod.
    """
    known = {key: answer[key] for key in _REPORT_KEYS if key in answer}
    return Statement(
        witness=Witness.AGENT,
        report=parse_report(json.dumps(known), uid=uid),
        sources=_sources(answer.get("sources")),
        drivers=_sources(answer.get("drivers")),
    )


def from_cluster(pod: Raw, rollout: Raw | None, parsed: Rollout | None) -> Statement | None:
    """Return what the cluster remembers; None if that is nothing."""
    words = last_words(pod)
    if isinstance(words, Report):
        return Statement(Witness.LAST_WORDS, report=words)
    if rollout is None or parsed is None:
        return None
    uid = pod_of(pod).uid
    entry = next((entry for entry in parsed.status.pods if entry.uid == uid), None)
    if entry is None:
        return None
    return Statement(Witness.STATUS, entry=entry, written=_written(rollout))


def _written(rollout: Raw) -> float:
    """Return when the controller last wrote status; what has not changed is not written again."""
    times = [
        parse_time(entry.get("time"))
        for entry in metadata_of(rollout).get("managedFields") or ()
        if entry.get("manager") == FIELD_MANAGER and entry.get("subresource") == "status"
    ]
    return max(times, default=0.0)


def _sources(raw: object) -> tuple[Source, ...]:
    """Return what can be understood of a list that a newer agent may word differently."""
    items = raw if isinstance(raw, list) else []
    found = [item for item in items[:_MAX_ITEMS] if isinstance(item, Mapping) and "name" in item]
    return tuple(
        Source(
            name=_text(item.get("name")),
            state=_text(item.get("state")),
            value=_text(item.get("value")),
            age=_age(item.get("age")),
            reason=_text(item.get("reason")),
        )
        for item in found
    )


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return " ".join(str(value).split())[:_MAX_TEXT]


def _age(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value < _MAX_AGE else None
