"""What a check has to say."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from lossless.checks.setup import Setup

#: Every check's paragraph stands there, under its code in lower case.
DOCS: Final = "docs/checks.md"


class Severity(StrEnum):
    """How bad it is, worst first."""

    ERROR = "error"
    """Requests will fail, or the rollout will stand still."""
    WARNING = "warning"
    """Requests may fail, or it takes much longer than it has to."""
    NOTE = "note"
    """Worth knowing; may be meant so."""


#: The order of ``Severity``, for sorting and for ``--fail-on``.
RANK: Final[Mapping[Severity, int]] = {severity: rank for rank, severity in enumerate(Severity)}


@dataclass(frozen=True, slots=True)
class Trouble:
    """What one question found: where, why, and what to do."""

    object: str
    """``Kind namespace/name``, with the container or field where it helps."""
    reason: str
    remedy: str
    severity: Severity | None = None
    """None: as bad as the check usually is."""


@dataclass(frozen=True, slots=True)
class Check:
    """One question."""

    code: str
    """Stable: people silence it and search for it."""
    title: str
    severity: Severity
    look: Callable[[Setup], Iterator[Trouble]]


@dataclass(frozen=True, slots=True)
class Finding:
    """One answer that is not "all is well"."""

    code: str
    title: str
    severity: Severity
    object: str
    reason: str
    remedy: str
    accepted: bool = False
    """Somebody has read it and lives with it: it fails nothing."""

    @property
    def link(self) -> str:
        """Where more stands about it."""
        return f"{DOCS}#{self.code.lower()}"

    def document(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "code": self.code,
            "severity": self.severity.value,
            "title": self.title,
            "object": self.object,
            "reason": self.reason,
            "remedy": self.remedy,
            "accepted": self.accepted,
            "link": self.link,
        }
