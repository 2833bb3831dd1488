"""The lines that every client prints: ``{"so_far": {…}}`` each second, ``{"result": {…}}`` last."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class ClientReport:
    """What one client has seen."""

    client: str
    protocol: str
    requests: int
    """All requests that ended, answered or failed."""
    kinds: Mapping[str, int]
    """Failures by method and kind, as the client's library names it."""
    examples: Sequence[str] = ()

    @property
    def failed(self) -> int:
        """Requests that failed."""
        return sum(self.kinds.values())

    def and_lost(self, kind: str, example: str) -> "ClientReport":
        """Return the same with one more request, which was lost."""
        return replace(
            self,
            requests=self.requests + 1,
            kinds={**self.kinds, kind: self.kinds.get(kind, 0) + 1},
            examples=(*self.examples, example),
        )


def parse_line(line: str) -> tuple[bool, ClientReport]:
    """Return whether a line is the last one, and the report in it.

    Raises:
        ValueError: not such a line, or its counts contradict each other.
    """
    try:
        document: dict[str, Any] = json.loads(line)
        [(key, raw)] = document.items()
        is_last = {"result": True, "so_far": False}[key]
        report = ClientReport(
            client=str(raw["client"]),
            protocol=str(raw["protocol"]),
            requests=_count(raw["requests"]),
            kinds={str(kind): _count(count) for kind, count in raw["kinds"].items()},
            examples=tuple(str(example) for example in raw["examples"]),
        )
        said = _count(raw["failed"])
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"not a client's line: {line[:200]!r} ({error!r})") from error
    if not report.failed == said <= report.requests:
        raise ValueError(f"a client's counts contradict each other: {line[:200]!r}")
    return is_last, report


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise TypeError(f"{value!r} is not a count")
    return value
