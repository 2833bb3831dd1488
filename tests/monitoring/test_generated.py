"""What is made from the code is committed as it would be made now, and names what there is."""

import re
import shlex
from pathlib import Path

import pytest

from lossless.plugin.commandline import parser
from monitoring.dashboard import dashboard, expressions
from monitoring.exposed import OPEN, families
from monitoring.files import ALERTS, RUNBOOKS, made
from monitoring.rules import Alert, matchers_of, metrics_of, read_alerts

MADE = made()
ALL = read_alerts(ALERTS)
PAGES = sorted(RUNBOOKS.glob("*.md"))
#: By title or name; what a dashboard's variables ask for, too.
EXPRESSIONS = [
    *((f"{title}: {expression}", expression) for title, expression in expressions(dashboard())),
    *((alert.name, alert.expression) for alert in ALL),
    *(
        (query, query)
        for query in re.findall(r'"(label_values\(.*?\))"', dashboard().replace('\\"', "'"))
    ),
]


@pytest.mark.parametrize("path", MADE, ids=lambda path: path.name)
def test_it_is_committed_as_it_is_made(path: Path) -> None:
    """Else: ``python -m monitoring``, and look at the difference."""
    assert path.read_text() == MADE[path]


@pytest.mark.parametrize("expression", [pytest.param(e, id=n) for n, e in EXPRESSIONS])
def test_every_series_that_is_asked_for_exists(expression: str) -> None:
    """With the labels and values that are asked for, so that no panel and no alert is mute."""
    known = {series: family for family in families() for series in family.series}

    assert metrics_of(expression) <= known.keys()
    assert metrics_of(expression)
    for matcher in matchers_of(expression):
        # Open ones may also be the target's, such as the namespace of an agent.
        if matcher.label not in OPEN:
            values = {
                value
                for family in families()
                if matcher.metric in family.series
                for value in family.labels[matcher.label]
            }
            assert set(matcher.values) <= values, matcher


def test_the_dashboard_shows_every_metric_of_controller_and_webhook() -> None:
    """Or the alert tells of it: what nobody looks at need not be exposed."""
    shown = {name for _, expression in EXPRESSIONS for name in metrics_of(expression)}
    mute = [
        family.name
        for family in families()
        if family.ours and family.component != "agent" and not family.series & shown
    ]

    assert mute == []


def test_every_alert_has_its_page_and_every_page_its_alert() -> None:
    """By its name, which is its title too."""
    assert {page.stem for page in PAGES} == {alert.name for alert in ALL}
    for page in PAGES:
        assert page.read_text().startswith(f"# {page.stem}\n")


@pytest.mark.parametrize("alert", ALL, ids=lambda alert: alert.name)
def test_an_alert_says_what_to_do(alert: Alert) -> None:
    """Severity, one line, what to do, and where it stands in full."""
    assert alert.severity in {"critical", "warning"}
    assert set(alert.annotations) == {"summary", "description", "runbook_url"}
    assert "\n" not in alert.annotations["summary"]
    assert alert.annotations["runbook_url"] == f"docs/runbooks/{alert.name}.md"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_runbook_leads_somewhere(page: Path) -> None:
    """It has the same parts as the others, and its links lead to files that exist."""
    text = page.read_text()
    links = re.findall(r"\]\(([^)#]+)", text)

    assert re.findall(r"^## (.*)$", text, re.MULTILINE)[:2] == ["Find out", "Do"]
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize(
    "command",
    sorted(
        {
            re.sub(r"\{\{ \$labels\.\w+ \}\}", "x", found).replace("`", "").strip()
            for text in [*(page.read_text() for page in PAGES), ALERTS.read_text()]
            for found in re.findall(r"kubectl lossless [^`#\n|;]*", text)
        }
    ),
)
def test_a_command_of_the_plugin_can_be_typed(command: str) -> None:
    """Verbs and options exist."""
    assert parser().parse_args(shlex.split(command)[2:]).verb
