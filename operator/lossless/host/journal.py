"""What survives of a run: which step has begun, which is done, and what the flags held. Pure.

One JSON document, replaced as a whole at every step.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from lossless.host.plan import Marks, Step, Verb

VERSION: Final = 1
#: Bytes of a journal; a status file may bring ``MAX_FLAG`` of them.
MAX_BYTES: Final = 1_048_576
MAX_FLAG: Final = 4096
_MAX_FLAGS: Final = 64
_MAX_TEXT: Final = 2048


class Outcome(StrEnum):
    """How a run has ended."""

    NONE = ""
    """It has not: it is at work, or was cut off."""
    ONLINE = "Online"
    """As it was asked to: the host is in the load balancer."""
    OFFLINE = "Offline"
    """As it was asked to: it is out."""
    BACK = "Back"
    """It failed or was interrupted, and has put the host back."""
    STRANDED = "Stranded"
    """It failed or was interrupted, and could not."""


@dataclass(frozen=True, slots=True)
class Flag:
    """A status file as it was before it was removed."""

    path: str
    content: str = ""
    """Bytes as latin-1: some load balancers compare the body."""
    mode: int = 0o644
    uid: int = -1
    gid: int = -1


@dataclass(frozen=True, slots=True)
class Journal:
    """One run."""

    run: str
    verb: Verb
    pid: int
    started: float
    """Seconds since 1970, as is ``at``."""
    at: float
    """Of the latest entry."""
    marks: Marks = field(default_factory=Marks)
    outcome: Outcome = Outcome.NONE
    reason: str = ""
    """One line for people: why it has ended so."""
    flags: tuple[Flag, ...] = ()
    was_offline: bool = False
    """Whether the host had been taken offline on purpose before: then that is the way back."""

    def begin(self, step: Step, at: float) -> "Journal":
        """Return the journal once ``step`` has begun."""
        return replace(self, marks=self.marks.begin(step), at=at)

    def finish(self, step: Step, at: float) -> "Journal":
        """Return the journal once ``step`` is done."""
        return replace(self, marks=self.marks.finish(step), at=at)

    def end(self, outcome: Outcome, reason: str, at: float) -> "Journal":
        """Return the journal of a run that is over."""
        return replace(self, outcome=outcome, reason=reason[:_MAX_TEXT], at=at)

    @property
    def unfinished(self) -> bool:
        """Whether it was cut off, or has left the host where it cannot stay."""
        return self.outcome in (Outcome.NONE, Outcome.STRANDED)

    @property
    def resumable(self) -> bool:
        """Whether another ``publish`` goes on with it."""
        return self.unfinished and self.verb is Verb.PUBLISH

    def to_json(self) -> str:
        """Return the document."""
        return json.dumps(
            {
                "version": VERSION,
                "run": self.run,
                "verb": self.verb.value,
                "pid": self.pid,
                "started": self.started,
                "at": self.at,
                "begun": [step.value for step in Step if step in self.marks.begun],
                "done": [step.value for step in Step if step in self.marks.done],
                "outcome": self.outcome.value,
                "reason": self.reason,
                "wasOffline": self.was_offline,
                "flags": [
                    {
                        "path": flag.path,
                        "content": flag.content,
                        "mode": flag.mode,
                        "uid": flag.uid,
                        "gid": flag.gid,
                    }
                    for flag in self.flags
                ],
            },
            indent=1,
        )


def parse_journal(text: str) -> Journal:
    """Return the journal that ``to_json`` wrote.

    Raises:
        ValueError: it is none, or one of a version that this one does not know.
    """
    try:
        raw: Mapping[str, Any] = json.loads(text)
        if raw["version"] != VERSION:
            raise ValueError(f"a journal of version {raw['version']!r:.20}, not {VERSION}")
        marks = Marks(_steps(raw["begun"]), _steps(raw["done"]))
        if not marks.done <= marks.begun:
            raise ValueError("not a journal: a step is done that has never begun")
        return Journal(
            run=_text(raw["run"]),
            verb=Verb(raw["verb"]),
            pid=_whole(raw["pid"], 0, 2**31),
            started=_seconds(raw["started"]),
            at=_seconds(raw["at"]),
            marks=marks,
            outcome=Outcome(raw["outcome"]),
            reason=_text(raw["reason"]),
            flags=tuple(_flag(one) for one in _list(raw["flags"])),
            was_offline=raw["wasOffline"] is True,
        )
    except (KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise ValueError(f"not a journal: {type(error).__name__}: {error}") from error


def _steps(raw: object) -> frozenset[Step]:
    return frozenset(Step(one) for one in _list(raw))


def _flag(raw: Mapping[str, Any]) -> Flag:
    content = _text(raw["content"], MAX_FLAG)
    content.encode("latin-1")
    path = _text(raw["path"], 4096)
    if not path.startswith("/") or "\0" in path:
        raise ValueError(f"not a journal: {path!r:.80} is not the path of a flag")
    return Flag(
        path,
        content,
        _whole(raw["mode"], 0, 0o7777),
        _whole(raw["uid"], -1, 2**32),
        _whole(raw["gid"], -1, 2**32),
    )


def _list(raw: object) -> list[Any]:
    if not isinstance(raw, list) or len(raw) > _MAX_FLAGS:
        raise TypeError(f"{raw!r:.40} is not a short list")
    return raw


def _text(raw: object, longest: int = _MAX_TEXT) -> str:
    if not isinstance(raw, str) or len(raw) > longest:
        raise TypeError(f"{raw!r:.40} is not a short text")
    return raw


def _whole(raw: object, lowest: int, highest: int) -> int:
    if not isinstance(raw, int) or isinstance(raw, bool) or not lowest <= raw <= highest:
        raise TypeError(f"{raw!r:.40} is not a number from {lowest} to {highest}")
    return raw


def _seconds(raw: object) -> float:
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not 0 <= raw < 1e12:  # noqa: PLR2004 # beyond any time; also refuses NaN
        raise TypeError(f"{raw!r:.40} is not a number of seconds since 1970")
    return float(raw)
