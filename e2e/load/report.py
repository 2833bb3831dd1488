"""What a load client has seen: every request counted, every failure described."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from e2e.load.course import Course, CourseTally

#: More failures than this are counted but not described.
MAX_DESCRIBED: Final = 500


class Kind(StrEnum):
    """How a request failed; an answer other than 2xx is ``HTTP`` and its status instead."""

    EOF = "EOF"
    """The connection was closed in order, without a byte of an answer."""
    RESET = "reset"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    SHORT = "short answer"
    MALFORMED = "malformed"
    WRONG_BODY = "wrong body"
    """Not the echo of what was sent."""
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class Failure:
    """One request that was lost."""

    at: float
    """Seconds since the epoch when it failed."""
    waited: float
    """Seconds since the client wanted to send it."""
    kind: str
    connection: str
    """``new`` (its first request) or ``reused``."""
    idle: float
    """Seconds the connection had been unused before; 0 on a new one."""
    served: int
    """Requests answered on the connection before."""
    pod: str
    """Who answered last on the connection; empty if nobody did."""
    local: str
    """The client's ``address:port``; empty if it never had one."""
    detail: str


@dataclass(frozen=True, slots=True)
class Answers:
    """What one pod answered."""

    version: str
    count: int
    first: float
    """Seconds since the epoch."""
    last: float


@dataclass(frozen=True, slots=True)
class Latency:
    """Of answered requests, in seconds, connecting included."""

    p50: float = 0.0
    p99: float = 0.0
    max: float = 0.0


@dataclass(frozen=True, slots=True)
class LoadReport:
    """A whole run, or what is known of it so far."""

    started: float
    seconds: float
    requests: int
    """All requests that ended, answered or failed."""
    kinds: Mapping[str, int]
    """Failures by kind."""
    latency: Latency
    pods: Mapping[str, Answers]
    failures: Sequence[Failure] = ()
    """The first ``MAX_DESCRIBED``."""
    opened: int = 0
    """Connections made."""
    told_to_close: int = 0
    """Connections that an answer with ``Connection: close`` ended."""
    closed_idle: int = 0
    """Connections the server closed between requests, noticed in time by the client."""
    in_flight: int = 0
    left: int = 0
    """Requests dropped by the client itself when it was told to leave."""
    course: Course = field(default_factory=Course)
    """Empty until the run is over."""

    @property
    def failed(self) -> int:
        """Requests that failed."""
        return sum(self.kinds.values())

    def to_json(self) -> str:
        """Return the report as one line of JSON."""
        return json.dumps(asdict(self), separators=(",", ":"))


def parse_load_report(text: str | bytes) -> LoadReport:
    """Return the report that ``to_json`` wrote.

    Raises:
        ValueError: not such a document.
    """
    try:
        raw: dict[str, Any] = json.loads(text)
        return LoadReport(
            **{
                **raw,
                "latency": Latency(**raw["latency"]),
                "pods": {name: Answers(**answers) for name, answers in raw["pods"].items()},
                "course": Course.parse(raw["course"]),
                "failures": tuple(Failure(**failure) for failure in raw["failures"]),
            }
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a load report: {type(error).__name__}: {error}") from error


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the smallest value that at least ``share`` of the values do not exceed.

    Args:
        ordered: ascending; empty gives 0.
        share: from 0 to 1.
    """
    if not ordered:
        return 0.0
    rank = max(1, -(-len(ordered) * share // 1))
    return ordered[min(len(ordered), int(rank)) - 1]


@dataclass(slots=True)
class Tally:
    """Counts as requests end."""

    started: float
    latencies: list[float] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)
    pods: dict[str, Answers] = field(default_factory=dict)
    opened: int = 0
    told_to_close: int = 0
    closed_idle: int = 0
    in_flight: int = 0
    left: int = 0
    course: CourseTally = field(default_factory=CourseTally)

    def answered(self, seconds: float, at: float, pod: str, version: str) -> None:
        """Count an answer with status 2xx and the right body."""
        self.latencies.append(seconds)
        self.course.answered(at - self.started)
        known = self.pods.get(pod)
        if known is None:
            self.pods[pod] = Answers(version=version, count=1, first=at, last=at)
        else:
            self.pods[pod] = replace(known, count=known.count + 1, last=at)

    def failed(self, failure: Failure) -> None:
        """Count a request that was lost."""
        self.kinds[failure.kind] += 1
        self.course.failed(failure.at - self.started)
        if len(self.failures) < MAX_DESCRIBED:
            self.failures.append(failure)

    def report(self, now: float, *, whole: bool) -> LoadReport:
        """Return what is known; percentiles and course only if ``whole``: they are not free."""
        ordered = sorted(self.latencies) if whole else []
        return LoadReport(
            started=self.started,
            seconds=now - self.started,
            requests=len(self.latencies) + self.kinds.total(),
            kinds=dict(self.kinds),
            latency=Latency(
                p50=percentile(ordered, 0.50),
                p99=percentile(ordered, 0.99),
                max=ordered[-1] if ordered else 0.0,
            ),
            pods=dict(self.pods),
            failures=tuple(self.failures) if whole else (),
            opened=self.opened,
            told_to_close=self.told_to_close,
            closed_idle=self.closed_idle,
            in_flight=self.in_flight,
            left=self.left,
            course=self.course.course(now - self.started) if whole else Course(),
        )


def total_failed(reports: Iterable[LoadReport]) -> int:
    """Return the failures of several clients together."""
    return sum(report.failed for report in reports)
