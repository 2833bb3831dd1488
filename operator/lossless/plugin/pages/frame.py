"""What all pages have in common: head, colours, layout."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import Element

from lossless.plugin.pages.element import add, markup

#: By role. ``text``, ``quiet``, ``good`` and ``bad`` are read on ``ground`` and on ``raised``
#: (WCAG 2.2, 1.4.3: 4.5 to 1); ``bar`` and ``line`` are seen there (1.4.11: 3 to 1).
LIGHT: Final[Mapping[str, str]] = {
    "ground": "#ffffff",
    "raised": "#f3f5f7",
    "grid": "#d5dae0",
    "line": "#6b7682",
    "text": "#1b2026",
    "quiet": "#55606b",
    "bar": "#3f7fc4",
    "good": "#1a6b35",
    "bad": "#b3151f",
}
DARK: Final[Mapping[str, str]] = {
    "ground": "#14181d",
    "raised": "#1e242b",
    "grid": "#353d46",
    "line": "#8d98a4",
    "text": "#e7eaed",
    "quiet": "#a8b2bd",
    "bar": "#5b9ee6",
    "good": "#6fcf8a",
    "bad": "#ff8a82",
}
#: Nothing may be loaded, whatever a text in the page would have the browser do.
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"
_RULES: Final = """
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--ground); color: var(--text);
  font: 16px/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 24px 16px 48px; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 8px; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 40px 0 4px; overflow-wrap: anywhere; }
p, li { max-width: 46rem; margin: 4px 0 12px; overflow-wrap: anywhere; unicode-bidi: isolate; }
ul { padding-left: 1.2em; }
.quiet { color: var(--quiet); fill: var(--quiet); }
.good { color: var(--good); fill: var(--good); }
.bad { color: var(--bad); fill: var(--bad); }
p.good, p.bad { font-size: 1.15rem; font-weight: 600; }
figure { margin: 8px 0 16px; }
figcaption { color: var(--quiet); font-size: .875rem; max-width: 46rem; }
.scroll { overflow-x: auto; }
.scroll:focus-visible, summary:focus-visible { outline: 2px solid var(--bar); outline-offset: 2px; }
svg { display: block; width: 100%; min-width: 720px; height: auto;
  font: 13px system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
svg.hidden { position: absolute; width: 0; min-width: 0; height: 0; }
svg text { fill: var(--text); }
svg text.quiet { fill: var(--quiet); }
svg text.bad { fill: var(--bad); font-weight: 600; }
.grid { stroke: var(--grid); stroke-width: 1; }
.line { stroke: var(--line); stroke-width: 1; }
.moment { stroke: var(--text); stroke-width: 1; stroke-dasharray: 4 3; }
.bar { fill: var(--bar); }
.open { fill: none; stroke: var(--bar); stroke-width: 1.5; stroke-dasharray: 5 3; }
.wrong { fill: var(--bad); }
.cut { fill: url(#stripes); stroke: var(--bad); stroke-width: 1.5; }
.mark { fill: var(--text); }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding: 4px 0; }
th, td { text-align: left; vertical-align: top; padding: 4px 16px 4px 0;
  border-bottom: 1px solid var(--grid); unicode-bidi: isolate; }
th { font-weight: 600; }
thead th { color: var(--quiet); white-space: nowrap; }
tbody th { white-space: nowrap; }
.scroll table { width: max-content; }
td { max-width: 28rem; overflow-wrap: anywhere; }
details { margin: 8px 0; }
summary { cursor: pointer; color: var(--quiet); }
footer { margin-top: 48px; padding-top: 8px; border-top: 1px solid var(--grid);
  color: var(--quiet); font-size: .875rem; }
@media print {
  main { max-width: none; padding: 0; }
  figure, tr { break-inside: avoid; }
  h2 { break-after: avoid; }
  svg { min-width: 0; }
  .scroll { overflow: visible; }
  .scroll table { width: auto; }
  thead th, tbody th { white-space: normal; overflow-wrap: anywhere; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""


@dataclass(frozen=True, slots=True)
class Page:
    """A page that is being made."""

    root: Element
    main: Element

    def text(self) -> str:
        """Return the document."""
        return markup(self.root)


def page(title: str) -> Page:
    """Return a page with its heading."""
    root = Element("html", lang="en")
    head = add(root, "head")
    add(head, "meta", charset="utf-8")
    add(head, "meta", http_equiv="Content-Security-Policy", content=_POLICY)
    add(head, "meta", name="viewport", content="width=device-width, initial-scale=1")
    add(head, "meta", name="color-scheme", content="light dark")
    add(head, "title", title)
    add(head, "style").text = _style()
    body = add(root, "body")
    _stripes(body)
    main = add(body, "main")
    add(main, "h1", title)
    return Page(root, main)


def _stripes(body: Element) -> None:
    """Define the pattern of what went wrong, for all drawings: it is not told by colour alone."""
    pattern = add(
        # Without display: none, which would take the pattern away as well.
        add(body, "svg", class_="hidden", width=0, height=0, aria_hidden="true"),
        "pattern",
        id="stripes",
        width=6,
        height=6,
        patternUnits="userSpaceOnUse",
        patternTransform="rotate(45)",
    )
    add(pattern, "rect", width=3, height=6, class_="wrong")


def _style() -> str:
    dark = f"@media screen and (prefers-color-scheme: dark) {{ {_variables(DARK)} }}"
    return f"\n{_variables(LIGHT)}\n{dark}{_RULES}"


def _variables(colours: Mapping[str, str]) -> str:
    listed = " ".join(f"--{role}: {colour};" for role, colour in colours.items())
    return f":root {{ {listed} }}"
