"""``check`` as text: findings, the worst first, each with reason, remedy and link. Pure."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from lossless.checks.finding import Finding, Severity
from lossless.plugin.layout import paragraph
from lossless.plugin.paint import Paint

_INDENT: Final = " " * 9


def findings_text(
    name: str, target: str, findings: Sequence[Finding], width: int, paint: Paint
) -> list[str]:
    """Return the lines about one LosslessRollout."""
    verdict = counted(findings) if findings else paint.green("nothing found")
    lines = [f"{paint.bold(name)} → {target}: {verdict}"]
    for finding in findings:
        word = ("accepted" if finding.accepted else finding.severity.value).ljust(len(_INDENT))
        lines.append("")
        colour = paint.dim if finding.accepted else _colour(finding.severity, paint)
        head = f"{colour(word)}{finding.code}  {finding.title}"
        lines.append(head)
        lines += paragraph(finding.object, width, _INDENT)
        lines += paragraph(f"{finding.reason}.", width, _INDENT)
        lines += paragraph(f"Do: {finding.remedy}", width, _INDENT)
        lines.append(_INDENT + paint.dim(finding.link))
    return lines


def counted(findings: Iterable[Finding]) -> str:
    """Return for example ``1 error, 2 warnings, 1 accepted``."""
    listed = list(findings)
    numbers = Counter(finding.severity for finding in listed if not finding.accepted)
    parts = [
        f"{numbers[severity]} {severity.value}{'' if numbers[severity] == 1 else 's'}"
        for severity in Severity
        if numbers[severity]
    ]
    accepted = sum(finding.accepted for finding in listed)
    parts += [f"{accepted} accepted"] if accepted else []
    return ", ".join(parts) or "nothing found"


def _colour(severity: Severity, paint: Paint) -> Callable[[str], str]:
    return {
        Severity.ERROR: paint.red,
        Severity.WARNING: paint.yellow,
        Severity.NOTE: paint.blue,
    }[severity]
