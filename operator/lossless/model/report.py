"""What an agent says of its pod: the body of ``GET /v1/report`` and its last words.

The same document is the agent's termination message, which the kubelet cuts at 4096 bytes and
which reaches the API server even if nobody could reach the pod.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from lossless.model.phases import Phase

#: A kubelet reads no more of a termination message (k8s.io/kubernetes pkg/kubelet/container).
MAX_BYTES: Final = 4096
_MAX_TEXT: Final = 256


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

    def to_json(self) -> str:
        """Return the document, at most ``MAX_BYTES`` long."""
        raw = asdict(self)
        raw["phase"] = self.phase.value
        raw["seconds"] = round(self.seconds, 3)
        raw["deadline"] = round(self.deadline, 3)
        raw["reason"] = self.reason[:_MAX_TEXT]
        if self.oldest is not None:
            raw["oldest"]["age"] = round(self.oldest.age, 3)
        return json.dumps(raw, separators=(",", ":"))


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
        )
    except (KeyError, TypeError, AttributeError, RecursionError, UnicodeDecodeError) as error:
        raise ValueError(f"not a report: {type(error).__name__}: {error}") from error
    if phase not in (Phase.SERVING, Phase.DRAINING, Phase.DRAINED, Phase.TIMED_OUT):
        raise ValueError(f"an agent cannot say of itself that it is {phase.value}")
    if report.uid != uid:
        raise ValueError(f"a report of pod {report.uid}, but {uid} was asked")
    return report


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
