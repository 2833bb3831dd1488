"""What the check has to say: where, how bad, what, why, and what to do."""

import enum
from dataclasses import dataclass

from lossless.nginx.directives import Directive


class Severity(enum.StrEnum):
    """How bad it is, worst first."""

    ERROR = "error"
    """Clients see a wrong answer, or a drain cannot end before its deadline."""
    WARNING = "warning"
    """Some requests are at risk, or behave otherwise in a drain."""
    NOTE = "note"
    """Works; worth knowing."""

    def is_at_least(self, other: "Severity") -> bool:
        """Return whether it is as bad as ``other`` or worse."""
        order = list(Severity)
        return order.index(self) <= order.index(other)


@dataclass(frozen=True, slots=True)
class NginxFinding:
    """One thing to look at."""

    severity: Severity
    rule: str
    """Its name, for machines: lower case, with hyphens; does not change."""
    file: str
    line: int
    what: str
    why: str
    remedy: str


def found(  # noqa: PLR0913 # one word for each part of a finding
    severity: Severity, rule: str, at: Directive, *, what: str, why: str, remedy: str
) -> NginxFinding:
    """Return a finding at a directive."""
    return NginxFinding(severity, rule, at.file, at.line, what, why, remedy)
