"""Reads a page as strictly as a browser does not."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = frozenset({"meta"})
#: Attributes by which a page loads, runs or sends something; ``url(...)`` is looked for in all.
_REACHING = frozenset({"src", "href", "xlink:href", "srcset", "action", "data", "poster", "ping"})


@dataclass
class Reading(HTMLParser):
    """What is in a page; refuses elements that are not closed in order."""

    text: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    attributes: list[tuple[str, str]] = field(default_factory=list)
    open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Begin."""
        HTMLParser.__init__(self, convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take an element's begin."""
        assert len({name for name, _ in attrs}) == len(attrs), f"<{tag}> has an attribute twice"
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Take an element's end."""
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Take text."""
        self.text.append(data)

    @property
    def words(self) -> str:
        """All text, the style sheet too."""
        return " ".join(self.text)

    @property
    def reaching(self) -> list[tuple[str, str]]:
        """Attributes that would load or run something."""
        return [
            (name, value)
            for name, value in self.attributes
            if name in _REACHING or name.startswith("on")
        ]


def read(page: str) -> Reading:
    """Return what is in a page.

    Raises:
        AssertionError: it is not well-formed.
    """
    reading = Reading()
    reading.feed(page)
    reading.close()
    assert not reading.open, f"never closed: {reading.open}"
    return reading
