"""History and findings as text, and the layout below them."""

from dataclasses import replace
from textwrap import dedent

import pytest

from lossless.checks.finding import Severity
from lossless.model.status import RolloutRecord
from lossless.plugin.findings_text import counted, findings_text
from lossless.plugin.history_table import history_table
from lossless.plugin.layout import ago, bar, cut, paragraph, table
from lossless.plugin.paint import Paint, wanted
from tests.checks.manifests import changed
from tests.checks.test_checks import found
from tests.plugin.test_tree import DOC
from tests.support.rollouts import NOW

DONE = RolloutRecord(int(NOW), int(NOW + 187), 3, 1, 0, 2, "5", "6")
#: What the check itself says, so that the page cannot say anything else.
(FINDING,) = found(changed("deployment/spec/template/spec/containers/0/readinessProbe", None))


def told(text: str) -> str:
    """Return a text as it stands in a test."""
    return dedent(text).strip("\n")


def test_history() -> None:
    """A line each, newest first; what interrupted one stands below."""
    rollouts = (
        RolloutRecord(int(NOW + 900), drained=1, before="6", revision="7"),
        replace(DONE, paused="DrainTimedOut", resumed="2027-01-15T08:02:00Z alice"),
        RolloutRecord(
            int(NOW - 3600), int(NOW - 3540), drained=1, before="", revision="5", superseded=True
        ),
    )
    lines = history_table(rollouts, 80, Paint())

    assert max(map(len, lines)) <= 80
    assert "\n".join(lines) in DOC
    assert "\n".join(lines) == told("""
        STARTED (UTC)        REVISION  TOOK       DRAINED  TIMEDOUT  LOST  DISCARDED
        2027-01-15 08:15:00  6 → 7     under way  1        0         0     0
        2027-01-15 08:00:00  5 → 6     3m7s       3        1         0     2
        2027-01-15 07:00:00  ? → 5     1m         1        0         0     0
        revision 6: paused (DrainTimedOut); resumed (2027-01-15T08:02:00Z alice)
        revision 5: superseded by another revision before it was done
        """)


def test_findings() -> None:
    """Severity, code and title; then where, why, what to do, and where more stands."""
    lines = findings_text("shop/web", "Deployment shop/web", (FINDING,), 80, Paint())

    assert max(map(len, lines)) <= 80
    assert "\n".join(lines) in DOC
    assert "\n".join(lines) == told("""
        shop/web → Deployment shop/web: 1 error

        error    LL307  No readiness probe
                 Deployment shop/web template
                 no container has a readinessProbe: a new pod takes traffic, and an old
                 one goes, before anything listens.
                 Do: give the container that serves a readinessProbe
                 docs/checks.md#ll307
        """)


def test_no_findings() -> None:
    """Silence would look like a check that did not run."""
    assert findings_text("shop/web", "Deployment shop/web", (), 80, Paint()) == [
        "shop/web → Deployment shop/web: nothing found"
    ]


def test_counting() -> None:
    """Worst first, in the right number."""
    warning = replace(FINDING, severity=Severity.WARNING)
    assert counted([warning, FINDING, warning]) == "1 error, 2 warnings"
    assert counted([]) == "nothing found"


def test_the_parts_of_a_layout() -> None:
    """Widths are kept; a long word, such as a command, stays whole."""
    assert cut("abcdef", 4) == "abc…"
    assert cut("abcd", 4) == "abcd"
    assert paragraph("a bb ccc", 6, "  ") == ["  a bb ccc"]
    assert paragraph("x" * 100, 40) == ["x" * 100]
    assert (bar(0.5, 4), bar(-1, 4), bar(9, 4)) == ("██░░", "░░░░", "████")
    assert (ago(-3), ago(61.9)) == ("0s", "1m1s")
    assert table([("A", "B"), ("long", "")], indent=" ") == [" A     B", " long"]


class Screen:
    """A stream that may be a terminal."""

    def __init__(self, *, terminal: bool) -> None:
        self._terminal = terminal

    def isatty(self) -> bool:
        """Return whether it is one."""
        return self._terminal


@pytest.mark.parametrize(
    ("terminal", "environment", "coloured"),
    [
        pytest.param(True, {}, True, id="terminal"),
        pytest.param(False, {}, False, id="pipe"),
        pytest.param(True, {"NO_COLOR": "1"}, False, id="NO_COLOR"),
        pytest.param(True, {"NO_COLOR": ""}, True, id="empty NO_COLOR counts as not set"),
        pytest.param(True, {"TERM": "dumb"}, False, id="dumb"),
    ],
)
def test_when_there_is_colour(
    terminal: bool,  # noqa: FBT001 # columns of a table
    environment: dict[str, str],
    coloured: bool,  # noqa: FBT001 # the same
) -> None:
    """Only for people, and only if they want it (no-color.org)."""
    assert wanted(Screen(terminal=terminal), environment) is coloured  # type: ignore[arg-type] # all that is asked of a stream


def test_paint() -> None:
    """Nothing is wrapped in nothing."""
    assert Paint().red("x") == "x"
    assert Paint(on=True).red("x") == "\x1b[31mx\x1b[0m"
    assert Paint(on=True).red("") == ""
