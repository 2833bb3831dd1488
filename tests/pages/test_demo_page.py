"""The demo as a page."""

import re
from dataclasses import replace

from e2e.load.client import LoadClient
from e2e.load.course import STEP
from e2e.load.plan import Plan
from e2e.sample.image.app import App
from e2e.sample.manifests import Variant
from tests.load.running import ended, run_until
from tests.pages.examples import a_demo, a_result
from tests.pages.reading import read
from tests.support.serving import served

RESULTS = [a_result(variant) for variant in Variant]


def test_what_is_on_the_page() -> None:
    """The verdict, the table, each rollout, how it was measured, and on what."""
    words = read(a_demo(results=RESULTS)).words

    for part in (
        "The plain rollout lost 39 requests, the lossless one none of",
        "36 lost requests one by one",
        "own: 64 keep-alive clients",
        "last old pod gone",
        "v1.36.0",
        *("plain: ", "sleep: ", "lossless: "),
    ):
        assert part in words, part


def test_all_rollouts_are_drawn_on_one_scale() -> None:
    """Second 0 stands at the same place in each, and so does every tick."""
    text = a_demo(results=RESULTS)

    drawn = [re.findall(r'<text x="([\d.]+)"[^>]*>(-?\d+s)</text>', d) for d in _drawings(text)]
    assert len(drawn) == 3
    assert drawn[0] == drawn[1] == drawn[2] != []


def test_every_failure_is_in_a_bar() -> None:
    """The numbers above the striped bars add up to what our client has lost."""
    plain, sleep, lossless = _drawings(a_demo(results=RESULTS))

    numbers = re.findall(r'class="bad"[^>]*>(\d+)</text>', plain)
    assert sum(map(int, numbers)) == RESULTS[0].own.failed == 36
    assert 'class="cut"' not in sleep + lossless


def test_a_failure_before_the_rollout_is_shown() -> None:
    """The axis begins early enough: what is lost while nothing happens is worst."""
    plain = RESULTS[0]
    early = replace(plain, began=plain.own.started + 20, seconds=1.0)
    (drawn,) = _drawings(a_demo(results=[early]))

    numbers = re.findall(r'class="bad"[^>]*>(\d+)</text>', drawn)
    assert sum(map(int, numbers)) == plain.own.failed


def test_a_broken_promise_is_told_as_such() -> None:
    """Requests lost by the lossless rollout come first, and in the chart."""
    broken = [RESULTS[0], replace(a_result(Variant.LOSSLESS, lost=2), account="much")]
    text = a_demo(results=broken)

    assert "BROKEN: the lossless rollout lost requests." in text
    assert 'class="cut"' in _drawings(text)[1]


async def test_what_the_load_client_has_seen() -> None:
    """Its own course is drawn: the pod that answered, and each request in some step."""
    app = App("web-5d8f-abcde", "v1")
    async with served(app.serve) as port:
        client = LoadClient(Plan(f"http://127.0.0.1:{port}/", connections=4, think=0.0))
        report = await run_until(client, ended(200))
    course = report.course

    assert sum(course.answered) == report.requests
    assert sum(course.failed) == 0
    row = course.connections["web-5d8f-abcde"]
    assert len(row) == len(course.answered) == int(report.seconds / STEP) + 1
    assert row[-1] == 0  # all closed at the end
    result = replace(RESULTS[0], own=report, began=report.started, seconds=0.1, steps=())
    assert "abcde" in _drawings(a_demo(results=[result]))[0]


def test_a_client_without_a_course() -> None:
    """Another version's report has none: the page says so and is still made."""
    bare = replace(RESULTS[0].own, course=type(RESULTS[0].own.course)())

    words = read(a_demo(results=[replace(RESULTS[0], own=bare)])).words
    assert "The client has told nothing of its course." in words


def test_connections_are_drawn_within_the_page() -> None:
    """No point of any outline lies outside the drawing."""
    for points in re.findall(r'points="([^"]*)"', a_demo(results=RESULTS)):
        for point in points.split():
            x, y = map(float, point.split(","))
            assert 0 <= x <= 1000
            assert 0 <= y <= 500


def _drawings(text: str) -> list[str]:
    return re.findall(r"<svg [^>]*role.*?</svg>", text, re.DOTALL)
