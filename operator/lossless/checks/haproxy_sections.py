"""HAProxy's configuration as its sections (its configuration manual, chapters 2 and 4). Pure."""

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

#: What begins a section; every other line belongs to the section above it.
_KINDS: Final = frozenset(
    {
        *("global", "defaults", "frontend", "backend", "listen", "program", "peers", "resolvers"),
        *("mailers", "userlist", "ring", "cache", "http-errors", "fcgi-app", "log-forward"),
        *("crt-store", "acme", "traces", "log-profile"),
    }
)
#: Without a ``mode`` HAProxy does not look into what it forwards.
_DEFAULT_MODE: Final = "tcp"
#: The second is what HAProxy called it before 2.0.
_CLOSING: Final = frozenset({("option", "httpclose"), ("option", "forceclose")})
#: Rules without a condition.
_CLOSE_RULES: Final = frozenset(
    {("set-header", "connection", "close"), ("add-header", "connection", "close")}
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line that says something."""

    file: str
    number: int
    """From 1."""
    words: tuple[str, ...]
    """Without quotes, escapes and comment; never empty."""

    def begins(self, *words: str) -> bool:
        """Whether it begins with these words."""
        return self.words[: len(words)] == words

    def after(self, word: str) -> str:
        """Return the word after another one; empty if there is none."""
        return next((value for key, value in pairwise(self.words) if key == word), "")


@dataclass(frozen=True, slots=True)
class Section:
    """One section, and the defaults that hold in it."""

    head: Line
    body: tuple[Line, ...] = ()
    defaults: "Section | None" = None

    @property
    def kind(self) -> str:
        """``frontend``, ``global`` and so on."""
        return self.head.words[0]

    @property
    def name(self) -> str:
        """Empty if it has none."""
        return self.head.words[1] if len(self.head.words) > 1 else ""

    @property
    def lines(self) -> tuple[Line, ...]:
        """Its own, and then those of its defaults."""
        return (*self.body, *(self.defaults.body if self.defaults else ()))

    @property
    def speaks_http(self) -> bool:
        """Whether rules about requests and responses hold in it."""
        modes = (line.after("mode") for line in self.lines if line.begins("mode"))
        return next(modes, _DEFAULT_MODE) == "http"

    @property
    def names_mode(self) -> bool:
        """Whether somebody has chosen its mode."""
        return any(line.begins("mode") for line in self.lines)

    @property
    def closes_always(self) -> bool:
        """Whether every answer says close, in a drain or not (``option httpclose``).

        What a section says of itself goes before its defaults, and ``no option`` undoes it.
        """
        for part in (self.body, self.defaults.body if self.defaults else ()):
            said = [line for line in part if line.words[-2:] in _CLOSING]
            if said:
                return not said[-1].begins("no")
        return any(
            line.words[:1] in {("http-after-response",), ("http-response",)}
            and tuple(word.lower() for word in line.words[1:]) in _CLOSE_RULES
            for line in self.lines
        )

    @property
    def addresses(self) -> tuple[str, ...]:
        """What it listens on, as ``bind`` has it: ``:80``, ``192.0.2.1:8000-8010``, a path."""
        binds = (line.after("bind") for line in self.body if line.begins("bind"))
        return tuple(address for bind in binds for address in bind.split(",") if address)

    @property
    def backends(self) -> tuple[str, ...]:
        """The names of the backends that it leads to."""
        ways = ("default_backend", "use_backend")
        named = (line.after(way) for line in self.lines for way in ways if line.begins(way))
        return tuple(filter(None, named))

    @property
    def leads_on(self) -> bool:
        """Whether it leads clients to a server, as those for statistics alone do not."""
        return bool(self.backends) or any(
            line.words[0] in {"server", "server-template"} for line in self.lines
        )


def read_sections(files: Mapping[str, str]) -> tuple[Section, ...]:
    """Return the sections of all files, which HAProxy reads as if they were one.

    Args:
        files: text by path, in the order of the command line.
    """
    sections: list[tuple[Line, list[Line]]] = []
    for line in _lines(files):
        if line.words[0] in _KINDS:
            sections.append((line, []))
        elif sections:
            sections[-1][1].append(line)
    done: list[Section] = []
    for head, body in sections:
        done.append(Section(head, tuple(body), _defaults_of(head, done)))
    return tuple(done)


def _lines(files: Mapping[str, str]) -> Iterator[Line]:
    for file, text in files.items():
        for number, raw in enumerate(text.split("\n"), 1):
            try:
                words = shlex.split(raw, comments=True)
            except ValueError:  # a quote that is never closed, with which HAProxy does not start
                words = raw.split()
            if words:
                yield Line(file, number, tuple(words))


def _defaults_of(head: Line, before: list[Section]) -> Section | None:
    """Return the defaults of a section: those it names with ``from``, or the last ones above."""
    known = [section for section in before if section.kind == "defaults"]
    match head.words:
        case (_, _, "from", name, *_):
            return next((section for section in known if section.name == name), None)
        case ("frontend" | "backend" | "listen", *_):
            return known[-1] if known else None
        case _:
            return None
