"""Elements of HTML and inline SVG.

The tree and its escaping are the standard library's; a template engine would bring a dependency
into every installation of the plugin for two pages.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final
from xml.etree.ElementTree import Element, SubElement, tostring

#: What HTML does not take, not even escaped (WHATWG HTML 13.5: control-character-reference).
_NO_TEXT: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_Value = str | float


def clean(text: str) -> str:
    """Return a text that may stand in a page: what may not is shown as a replacement character."""
    return _NO_TEXT.sub("\N{REPLACEMENT CHARACTER}", text)


def add(parent: Element, tag: str, text: str = "", **attributes: _Value) -> Element:
    """Append an element and return it.

    Args:
        parent: of the element.
        tag: its name.
        text: of any origin; it is escaped.
        attributes: ``class_`` is ``class``, other underscores are hyphens; numbers are rounded to
            a hundredth.
    """
    named = {name.rstrip("_").replace("_", "-"): _value(v) for name, v in attributes.items()}
    element = SubElement(parent, tag, named)
    element.text = clean(text)
    return element


def _value(value: _Value) -> str:
    return clean(value) if isinstance(value, str) else f"{round(value, 2):g}"


def data_table(
    parent: Element, caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]]
) -> None:
    """Append a table; the first cell of a row is its heading. Wider than the screen, it scrolls."""
    body = add(scrolling(parent, caption), "table")
    add(body, "caption", caption)
    line = add(add(body, "thead"), "tr")
    for head in heads:
        add(line, "th", head, scope="col")
    lines = add(body, "tbody")
    for first, *rest in rows:
        line = add(lines, "tr")
        add(line, "th", first, scope="row")
        for cell in rest:
            add(line, "td", cell)


def scrolling(parent: Element, label: str) -> Element:
    """Append a box that scrolls sideways by finger, wheel and keyboard."""
    return add(parent, "div", class_="scroll", role="region", aria_label=label, tabindex="0")


def drawing(  # noqa: PLR0913 # what a drawing is, each by name
    parent: Element, *, name: str, title: str, words: str, width: float, height: float
) -> Element:
    """Append an SVG and return it.

    Args:
        parent: of the drawing.
        name: unique within the page.
        title: its heading for those who do not see it.
        words: what can be seen in it.
        width: in its own units, like ``height``.
        height: as above.
    """
    box = scrolling(parent, title)
    svg = add(
        box,
        "svg",
        viewBox=f"0 0 {width:g} {height:g}",
        role="img",
        aria_labelledby=f"{name}-title {name}-words",
    )
    add(svg, "title", title, id=f"{name}-title")
    add(svg, "desc", words, id=f"{name}-words")
    return svg


def markup(root: Element) -> str:
    """Return the document."""
    return f"<!doctype html>\n{tostring(root, encoding='unicode', method='html')}\n"
