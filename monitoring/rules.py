"""The alerts, and what PromQL expressions speak of."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

_NAME: Final = re.compile(r"\blossless_\w+")
_SELECTOR: Final = re.compile(r"\b(lossless_\w+)\{([^}]*)\}")
_MATCHER: Final = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')
#: Templates of Go in the texts of an alert: a label, or the value, formatted or not.
_LABEL: Final = re.compile(r"\{\{ \$labels\.(\w+) \}\}")
_VALUE: Final = re.compile(r"\{\{ \$value[^}]*\}\}")


@dataclass(frozen=True, slots=True)
class Alert:
    """One alerting rule."""

    name: str
    expression: str
    duration: str
    """For which it must hold, as in the rule; empty: it fires at once."""
    severity: str
    annotations: Mapping[str, str]

    @property
    def general(self) -> str:
        """The summary, of nobody in particular."""
        return _VALUE.sub(
            "…", _LABEL.sub(lambda found: f"*{found[1]}*", self.annotations["summary"])
        )

    def texts(self, labels: Mapping[str, str], value: str = "") -> dict[str, str]:
        """Return the annotations of an alert that fires.

        Args:
            labels: of the alert.
            value: of the expression, formatted as the texts ask for.
        """
        return {
            key: _VALUE.sub(value, _LABEL.sub(lambda found: labels[found[1]], text))
            for key, text in self.annotations.items()
        }


@dataclass(frozen=True, slots=True)
class Matcher:
    """That a metric's label has one of these values, or none of them."""

    metric: str
    label: str
    values: tuple[str, ...]


def read_alerts(path: Path) -> tuple[Alert, ...]:
    """Return the alerts of a rule file, in order."""
    return tuple(
        Alert(
            name=rule["alert"],
            expression=rule["expr"],
            duration=rule.get("for", ""),
            severity=rule["labels"]["severity"],
            annotations=rule["annotations"],
        )
        for group in yaml.safe_load(path.read_text())["groups"]
        for rule in group["rules"]
    )


def metrics_of(expression: str) -> frozenset[str]:
    """Return the names of our series in a PromQL expression, or in a dashboard's variable."""
    return frozenset(_NAME.findall(expression))


def matchers_of(expression: str) -> Iterator[Matcher]:
    """Yield what an expression asks of labels; a regular expression is taken as alternatives."""
    for metric, inside in _SELECTOR.findall(expression):
        for label, operator, value in _MATCHER.findall(inside):
            values = value.split("|") if operator in {"=~", "!~"} else [value]
            yield Matcher(metric, label, tuple(values))
