"""What an agent says of its pod: the body of ``GET /v1/report`` and its last words.

The same document is the agent's termination message, which the kubelet cuts at 4096 bytes and
which reaches the API server even if nobody could reach the pod.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final, TypeVar

from lossless.model.phases import Phase

#: A kubelet reads no more of a termination message (k8s.io/kubernetes pkg/kubelet/container).
MAX_BYTES: Final = 4096
_MAX_TEXT: Final = 256
#: Characters of a source's or driver's name and reason, in turn, until the document fits.
_SHORTER: Final = (160, 80, 32)
#: Sources, and drivers, that are read from a report.
_MAX_ENTRIES: Final = 16

_E = TypeVar("_E", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Connections:
    """Inbound connections from outside the pod, by what they do."""

    active: int = 0
    """A request is, or may be, in flight; or the kernel is still closing."""
    idle: int = 0
    """The last word was ours and the client may reuse the connection."""
    new: int = 0
    """Opened by clients within the last ``quiet`` seconds; 0 unless draining."""


@dataclass(frozen=True, slots=True)
class Oldest:
    """The connection that has held on longest."""

    peer: str
    """``address:port``, IPv6 in brackets."""
    age: float
    """Seconds since the agent first saw it."""


class SourceState(StrEnum):
    """What a source of evidence says."""

    DRAINED = "Drained"
    """Nothing is there that counts."""
    BUSY = "Busy"
    UNKNOWN = "Unknown"
    """It cannot be read, which is not zero."""


class DriverState(StrEnum):
    """How far a close driver is."""

    PENDING = "Pending"
    """Not done yet; it is tried, or will be tried again."""
    DONE = "Done"
    FAILED = "Failed"
    """Given up."""


@dataclass(frozen=True, slots=True)
class Source:
    """One source of evidence."""

    name: str
    state: SourceState
    value: float | None = None
    """What it counts; None: unknown."""
    age: float = 0.0
    """Seconds since it was last read."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Driver:
    """One close driver."""

    name: str
    state: DriverState
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """One agent's view of its own pod."""

    pod: str
    uid: str
    phase: Phase
    """One of Serving, Draining, Drained, TimedOut."""
    seconds: float = 0.0
    """How long the drain has taken, or took; 0 while serving."""
    deadline: float = 0.0
    """Seconds left until the pod may stop in any case; 0 unless draining."""
    connections: Connections = Connections()
    oldest: Oldest | None = None
    discarded: int = 0
    """Idle connections that no longer counted when the pod was released."""
    reason: str = ""
    """One line for people: what the drain waits for, or how it ended."""
    sources: tuple[Source, ...] = ()
    """Evidence by source, the kernel first; empty while nothing was looked at."""
    drivers: tuple[Driver, ...] = ()
    """How clients are told to leave; empty while serving."""

    def to_json(self) -> str:
        """Return the document, at most ``MAX_BYTES`` long: texts are cut, then entries go."""
        raw = asdict(self)
        raw["phase"] = self.phase.value
        raw["seconds"] = round(self.seconds, 3)
        raw["deadline"] = round(self.deadline, 3)
        raw["reason"] = self.reason[:_MAX_TEXT]
        if self.oldest is not None:
            raw["oldest"]["age"] = round(self.oldest.age, 3)
        for entry in (*raw["sources"], *raw["drivers"]):
            entry["state"] = entry["state"].value
        for source in raw["sources"]:
            source["age"] = round(source["age"], 3)
        return _fitting(raw)


def parse_report(text: str | bytes, *, uid: str) -> Report:
    """Return the report of the pod with this ``uid``; unknown keys are ignored.

    Args:
        text: the document, from the network or a termination message; not trusted.
        uid: of the pod that was asked; an address may have passed to another pod.

    Raises:
        ValueError: too long, not JSON, of the wrong shape, or about another pod.
    """
    if len(text) > MAX_BYTES:
        raise ValueError(f"a report of {len(text)} bytes; at most {MAX_BYTES} are read")
    try:
        raw = json.loads(text)
        phase = Phase(raw["phase"])
        counts = raw.get("connections") or {}
        oldest = raw.get("oldest")
        report = Report(
            pod=_text(raw["pod"]),
            uid=_text(raw["uid"]),
            phase=phase,
            seconds=_number(raw.get("seconds", 0.0)),
            deadline=_number(raw.get("deadline", 0.0)),
            connections=Connections(
                active=int(_number(counts.get("active", 0))),
                idle=int(_number(counts.get("idle", 0))),
                new=int(_number(counts.get("new", 0))),
            ),
            oldest=None if oldest is None else _oldest(oldest),
            discarded=int(_number(raw.get("discarded", 0))),
            reason=_text(raw.get("reason", "")),
            sources=tuple(
                _source(item) for item in _entries(raw, "sources") if _state(SourceState, item)
            ),
            drivers=tuple(
                _driver(item) for item in _entries(raw, "drivers") if _state(DriverState, item)
            ),
        )
    except (KeyError, TypeError, AttributeError, RecursionError, UnicodeDecodeError) as error:
        raise ValueError(f"not a report: {type(error).__name__}: {error}") from error
    if phase not in (Phase.SERVING, Phase.DRAINING, Phase.DRAINED, Phase.TIMED_OUT):
        raise ValueError(f"an agent cannot say of itself that it is {phase.value}")
    if report.uid != uid:
        raise ValueError(f"a report of pod {report.uid}, but {uid} was asked")
    return report


def _fitting(raw: dict[str, Any]) -> str:
    document = _compact(raw)
    for longest in _SHORTER:
        if len(document) <= MAX_BYTES:
            return document
        for entry in (*raw["sources"], *raw["drivers"]):
            entry["name"], entry["reason"] = entry["name"][:longest], entry["reason"][:longest]
        document = _compact(raw)
    while len(document) > MAX_BYTES and (raw["sources"] or raw["drivers"]):
        longer = max(raw["drivers"], raw["sources"], key=len)
        longer.pop()
        document = _compact(raw)
    while len(document) > MAX_BYTES:
        # No pod's name or uid is as long as this takes; but a document that is cut is none.
        for key in ("reason", "pod", "uid"):
            raw[key] = raw[key][: len(raw[key]) // 2]
        raw["oldest"] = None
        document = _compact(raw)
    return document


def _compact(raw: dict[str, Any]) -> str:
    return json.dumps(raw, separators=(",", ":"))


def _entries(raw: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """Return the list ``key``; an older agent has none."""
    found = raw.get(key) or []
    if not isinstance(found, list):
        raise TypeError(f"{key} is not a list")
    return found[:_MAX_ENTRIES]


def _state(kind: type[_E], raw: Mapping[str, Any]) -> _E | None:
    """Return the state of an entry, or None for a word that only a newer agent knows."""
    word = _text(raw["state"])
    return next((state for state in kind if state.value == word), None)


def _source(raw: Mapping[str, Any]) -> Source:
    value = raw.get("value")
    return Source(
        name=_text(raw["name"]),
        state=SourceState(raw["state"]),
        value=None if value is None else _number(value),
        age=_number(raw.get("age", 0.0)),
        reason=_text(raw.get("reason", "")),
    )


def _driver(raw: Mapping[str, Any]) -> Driver:
    return Driver(
        name=_text(raw["name"]),
        state=DriverState(raw["state"]),
        reason=_text(raw.get("reason", "")),
    )


def _oldest(raw: Mapping[str, Any]) -> Oldest:
    return Oldest(peer=_text(raw["peer"]), age=_number(raw["age"]))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.40} is not text")
    return value[:_MAX_TEXT]


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e12:  # noqa: PLR2004 # beyond any count or age; also refuses NaN
        raise TypeError(f"{value!r:.40} is not a count or a number of seconds")
    return value
