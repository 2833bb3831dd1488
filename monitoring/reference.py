"""``docs/metrics.md``, from what the processes expose."""

from collections.abc import Iterable
from pathlib import Path
from string import Template
from typing import Final

from monitoring.exposed import Component, Family
from monitoring.rules import Alert

_TEMPLATE: Final = Path(__file__).with_name("metrics.md.template")


def reference(families: Iterable[Family], alerts: Iterable[Alert]) -> str:
    """Return the document."""
    known = tuple(families)
    tables = {one.value: _table(f for f in known if f.component is one) for one in Component}
    return Template(_TEMPLATE.read_text()).substitute(
        tables,
        alerts=_alerts(alerts),
        per_rollout=sum(f.samples for f in known if "rollout" in f.labels),
        per_agent=sum(f.samples for f in known if f.component is Component.AGENT),
    )


def _alerts(alerts: Iterable[Alert]) -> str:
    rows = ["| alert | severity | after | |", "|---|---|---|---|"]
    rows += [
        f"| [{alert.name}](runbooks/{alert.name}.md) | {alert.severity}"
        f" | {alert.duration or 'at once'} | {alert.general} |"
        for alert in alerts
    ]
    return "\n".join(rows)


def _table(families: Iterable[Family]) -> str:
    rows = ["| metric | type | labels | |", "|---|---|---|---|"]
    rows += [
        f"| `{family.name}` | {family.kind} | {_labels(family)} | {family.text} |"
        for family in sorted(families, key=lambda family: (not family.ours, family.name))
        if family.ours or family.component is Component.AGENT
    ]
    return "\n".join(rows)


def _labels(family: Family) -> str:
    return "<br>".join(
        f"`{name}`" + (f": {', '.join(f'`{value}`' for value in values)}" if values else "")
        for name, values in family.labels.items()
    )
