"""What holds for every page: well-formed, self-contained, escaped, readable."""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lossless.plugin.pages.element import add, clean, markup
from lossless.plugin.pages.frame import DARK, LIGHT, page
from tests.pages.examples import HOSTILE, a_demo, a_history
from tests.pages.reading import read

PAGES = pytest.mark.parametrize("make", [a_history, a_demo], ids=["history", "demo"])
Maker = Callable[..., str]


@PAGES
def test_a_page_is_whole(make: Maker) -> None:
    """Every element is closed, every id is there once, and what is referred to is there."""
    reading = read(make())

    ids = Counter(value for name, value in reading.attributes if name == "id")
    assert set(ids.values()) == {1}
    labels = [value for name, value in reading.attributes if name == "aria-labelledby"]
    assert labels
    assert {name for value in labels for name in value.split()} <= set(ids)


@PAGES
def test_a_page_loads_and_runs_nothing(make: Maker) -> None:
    """No script, no address, and a policy that forbids both."""
    text = make()
    reading = read(text)

    assert reading.reaching == []
    assert not {"script", "link", "iframe", "object", "embed", "img", "base"} & set(reading.tags)
    assert set(re.findall(r"url\(([^)]*)\)", text)) == {"#stripes"}
    assert re.findall(r"https?://|@import", text) == []
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in reading.attributes


@PAGES
def test_names_are_text_whatever_they_are(make: Maker) -> None:
    """Markup in a name is shown, not obeyed; what no page may contain is replaced."""
    text = make(word=HOSTILE)
    reading = read(text)

    assert sorted(reading.tags) == sorted(read(make()).tags)
    assert "<script>alert('x')</script>\"&\N{REPLACEMENT CHARACTER}" in reading.words
    text.encode()
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", text)


@PAGES
def test_a_drawing_can_be_read_without_seeing_it(make: Maker) -> None:
    """Each has a title, words and a table."""
    reading = read(make())

    drawings = reading.attributes.count(("role", "img"))
    titles = sum(value.endswith("-title") for name, value in reading.attributes if name == "id")
    assert (drawings, titles) == (reading.tags.count("figure"),) * 2
    assert reading.tags.count("desc") == drawings
    assert reading.tags.count("table") >= drawings


@given(st.text(), st.text())
@settings(max_examples=200)
def test_any_text_comes_back(words: str, label: str) -> None:
    """As text and as attribute, but for what cannot stand in a page."""
    made = page("x")
    add(made.main, "p", words, title=label)
    reading = read(made.text())

    assert clean(words) in "".join(reading.text)
    assert ("title", clean(label)) in reading.attributes
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]", made.text())


def test_the_document_says_what_it_is() -> None:
    """Without a doctype browsers fall back to the habits of the nineties."""
    assert markup(page("x").root).startswith('<!doctype html>\n<html lang="en">')


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_the_contrast_suffices(colours: Mapping[str, str]) -> None:
    """WCAG 2.2: 4.5 to 1 for text, 3 to 1 for what is drawn."""
    for role, ground in product(("text", "quiet", "good", "bad"), ("ground", "raised")):
        assert _contrast(colours[role], colours[ground]) >= 4.5, (role, ground)
    for role in ("bar", "line", "bad"):
        assert _contrast(colours[role], colours["ground"]) >= 3, role


def test_both_colour_schemes_name_the_same_roles() -> None:
    """And a dark screen is asked for; paper is light."""
    style = read(page("x").text()).words

    assert LIGHT.keys() == DARK.keys()
    assert "@media screen and (prefers-color-scheme: dark)" in style
    assert "@media print" in style
    assert set(re.findall(r"var\(--([a-z]+)\)", style)) <= LIGHT.keys()


def _contrast(one: str, other: str) -> float:
    """Return WCAG's contrast ratio of two colours."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    red, green, blue = linear
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
