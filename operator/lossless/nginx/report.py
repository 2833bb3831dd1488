"""Findings as text for people and as JSON for programs."""

import json
import textwrap
from collections.abc import Sequence
from typing import Final

from lossless.nginx.findings import NginxFinding, Severity

_WIDTH: Final = 80


def as_text(findings: Sequence[NginxFinding]) -> str:
    """Return at most 80 columns a line; a last line counts."""
    blocks = []
    for one in findings:
        lines = [f"{one.file}:{one.line}: {one.severity}: {one.rule}"]
        for label, text in (("", one.what), ("why: ", one.why), ("do:  ", one.remedy)):
            lines += textwrap.wrap(
                label + text,
                _WIDTH,
                initial_indent="  ",
                subsequent_indent="  " + " " * len(label),
                break_on_hyphens=False,
            )
        blocks.append("\n".join(lines) + "\n")
    counts = [(sum(one.severity is kind for one in findings), kind) for kind in Severity]
    total = ", ".join(f"{number} {kind}{'s' * (number != 1)}" for number, kind in counts if number)
    return "\n".join([*blocks, f"{total or 'Nothing found'}\n"])


def as_json(findings: Sequence[NginxFinding]) -> str:
    """Return one object with the list ``findings``; its fields are those of ``NginxFinding``."""
    listed = [
        {
            "severity": one.severity,
            "rule": one.rule,
            "file": one.file,
            "line": one.line,
            "what": one.what,
            "why": one.why,
            "remedy": one.remedy,
        }
        for one in findings
    ]
    return json.dumps({"findings": listed}, indent=2) + "\n"
