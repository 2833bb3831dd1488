"""The demo as a page: what its clients saw of each rollout. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import Element

from e2e.demo.chart import MARKS, View, bins_of, chart, pods_of
from e2e.demo.story import TITLES, Result, notes, rows_of, verdict
from e2e.load.course import STEP
from e2e.support.table import HEADS, LAST, cells, how
from e2e.support.timeline import cause_of
from lossless.plugin.pages.element import add, data_table
from lossless.plugin.pages.frame import page

_DESCRIBED: Final = 100
_HOW: Final = (
    f"Requests, failures and connections are counted by our own client, in steps of {STEP:g} s; a"
    " connection belongs to a pod from its first answer on. A request is lost when the client knows"
    " it: a timeout is drawn when the client gave up. Fortio tells no times, so it is in the table"
    " alone. What the pods did is what the API server showed to a watch."
)


@dataclass(frozen=True, slots=True)
class Made:
    """When and on what the demo was carried out."""

    date: str
    facts: Sequence[tuple[str, str]]
    """Programs with their versions, and the machine."""


def demo_page(results: Sequence[Result], connections: int, made: Made) -> str:
    """Return the page."""
    sheet = page("Lossless: a rollout under load")
    good, words = verdict(results)
    # The account of a broken promise has many lines; its chart and table say the same.
    add(sheet.main, "p", words.strip().partition("\n")[0], class_="good" if good else "bad")
    add(sheet.main, "p", made.date, class_="quiet")
    table = ((*cells(row), how(row.kinds)) for row in rows_of(results))
    data_table(sheet.main, "Results", (*HEADS, LAST), table)
    view = View.of(results)
    for result in results:
        _rollout(sheet.main, result, view)
    add(sheet.main, "h2", "How it was measured")
    for term, meaning in notes(connections):
        add(sheet.main, "p", f"{term}: {meaning}.")
    add(sheet.main, "p", _HOW)
    add(sheet.main, "h2", "On what")
    data_table(sheet.main, "Versions and machine", ("What", "Which"), made.facts)
    return sheet.text()


def _rollout(main: Element, result: Result, view: View) -> None:
    section = add(main, "section")
    add(section, "h2", TITLES[result.variant])
    words = f"{result.failed:,} requests failed; the rollout took {result.seconds:.0f} s."
    add(section, "p", words, class_="bad" if result.failed else "good")
    if not result.own.course.answered:
        add(section, "p", "The client has told nothing of its course.")
        return
    figure = add(section, "figure")
    chart(figure, result, view, words)
    legend = ", ".join(f"{mark} {name}" for mark, name in MARKS.values())
    add(
        figure,
        "figcaption",
        f"Seconds since the rollout began. Bars of {view.width:g} s; striped: requests lost, with"
        f" their number. Below, each pod with the client's connections to it; {legend}.",
    )
    _failures(section, result)
    _numbers(section, result, view)


def _failures(section: Element, result: Result) -> None:
    failures = result.own.failures[:_DESCRIBED]
    if not failures:
        return
    rows = (
        (
            f"{failure.at - result.began:.2f}",
            failure.kind,
            f"{failure.connection}, {failure.served:,} answers before",
            failure.pod or "nobody",
            f"{failure.waited:.2f}",
            cause_of(failure, result.steps),
        )
        for failure in failures
    )
    heads = ("Second", "How", "Connection", "Answered last", "Waited s", "What came before")
    details = add(section, "details")
    rest = result.own.failed - len(failures)
    more = f", the first of {result.own.failed:,}" if rest else ""
    add(details, "summary", f"{len(failures)} lost requests one by one{more}")
    data_table(details, f"Lost requests of our own client, {result.variant}", heads, rows)


def _numbers(section: Element, result: Result, view: View) -> None:
    """Append what is drawn, as a table: a row a second, or a bar if that is longer."""
    width = max(view.width, 1.0)
    course, pods = result.own.course, pods_of(result)
    rows = []
    for one in bins_of(result, view.axis, width):
        last = round((one.last + result.began - result.own.started) / STEP) - 1
        counts = (course.connections.get(pod) for pod in pods)
        shown = ("-" if row is None else f"{row[last]:,}" for row in counts)
        rows.append((f"{one.first:.1f}", f"{one.answered:,}", f"{one.failed:,}", *shown))
    details = add(section, "details")
    add(details, "summary", "The chart as a table")
    heads = ("From second", "Answered", "Lost", *(f"Open: {pod}" for pod in pods))
    data_table(details, f"Our own client by the {width:g} s, {result.variant}", heads, rows)
