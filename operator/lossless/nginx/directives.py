"""A configuration as a tree of directives, its includes in their places."""

import glob
import os.path
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from lossless.nginx.files import Files, OnDisk, printed
from lossless.nginx.tokens import SyntaxProblem, Token, tokenize

#: More than any configuration of people; an include of itself is found by it.
_MAX_DEPTH: Final = 64
_MAX_FILES: Final = 2000
#: What nginx itself says, with the whole of its configuration, is better than a guess of ours.
_CORRECT: Final = "correct it until `nginx -t` accepts it"


@dataclass(frozen=True, slots=True)
class Directive:
    """One directive with everything in its block."""

    name: str
    arguments: tuple[str, ...]
    file: str
    line: int
    block: "tuple[Directive, ...] | None" = None
    """None: it ended with a semicolon."""

    def all(self, *names: str) -> "Iterator[Directive]":
        """Yield the directives of these names that stand directly in the block."""
        return (one for one in self.block or () if one.name in names)

    def last(self, name: str) -> "Directive | None":
        """Return the last directive of a name that stands directly in the block."""
        return next(iter(reversed(list(self.all(name)))), None)

    def __str__(self) -> str:
        return " ".join((self.name, *self.arguments))


class UnreadableError(ValueError):
    """The configuration cannot be read or parsed; the message begins with ``file:line``."""


@dataclass(slots=True)
class Configuration:
    """What one file and its includes say."""

    root: Directive
    """Stands for the whole: its block is the main context."""
    missing: list[Directive] = field(default_factory=list)
    """``include`` directives that name a file that is not there."""


def read_configuration(
    path: str, *, prefix: str | None = None, files: Files | None = None
) -> Configuration:
    """Read a file and everything that it includes.

    A file on disk may be what ``nginx -T`` has printed: then all is read from it, and nothing else.

    Args:
        path: of the main file.
        prefix: directory that relative includes start from; default, as in nginx: that of the main
            file, where it was when it was printed.
        files: where it and its includes are; default: on disk.

    Raises:
        UnreadableError: the main file cannot be read, or a file is not a configuration.
    """
    at = files or OnDisk()
    try:
        text = at.read(path)
    except OSError as error:
        raise UnreadableError(
            f"{path}: cannot be read: {error.strerror}; name a file that can, or read it as root"
        ) from error
    if files is None and (whole := printed(text)):
        at = whole
        path, text = next(iter(whole.texts.items()))
    reader = _Reader(prefix if prefix is not None else os.path.dirname(path) or ".", at)  # noqa: PTH120 # includes are strings
    block = reader.parse(path, text, 0)
    return Configuration(Directive("main", (), path, 1, block), reader.missing)


class _Reader:
    def __init__(self, prefix: str, files: Files) -> None:
        self._prefix = prefix
        self._files = files
        self._parsed = 0
        self.missing: list[Directive] = []

    def parse(self, path: str, text: str, depth: int) -> tuple[Directive, ...]:
        self._parsed += 1
        if self._parsed > _MAX_FILES:
            raise UnreadableError(
                f"{path}: more than {_MAX_FILES} files are included; see whether one"
                " includes itself"
            )
        try:
            tokens = list(tokenize(text))
            block, end = self._block(path, tokens, 0, depth)
        except SyntaxProblem as problem:
            line, why = problem.line, problem.why
            raise UnreadableError(f"{path}:{line}: {why}; {_CORRECT}") from problem
        if end < len(tokens):
            line = tokens[end].line
            raise UnreadableError(f'{path}:{line}: unexpected "}}"; {_CORRECT}')
        return block

    def _block(
        self, path: str, tokens: Sequence[Token], at: int, depth: int
    ) -> tuple[tuple[Directive, ...], int]:
        """Return the directives from ``at`` to the closing brace or the end, and its place."""
        if depth > _MAX_DEPTH:
            raise UnreadableError(
                f"{path}: blocks or includes are nested more than {_MAX_DEPTH} deep; "
                "see whether a file includes itself"
            )
        found: list[Directive] = []
        while at < len(tokens) and (tokens[at].is_word or tokens[at].text != "}"):
            start = tokens[at]
            words: list[str] = []
            while at < len(tokens) and tokens[at].is_word:
                words.append(tokens[at].text)
                at += 1
            if not words:
                raise SyntaxProblem(start.line, f'unexpected "{start.text}"')
            if at == len(tokens) or tokens[at].text == "}":
                raise SyntaxProblem(start.line, f'"{words[0]}" does not end with ";" or a block')
            block = None
            if tokens[at].text == "{":
                opened = tokens[at].line
                block, at = self._block(path, tokens, at + 1, depth + 1)
                if at == len(tokens):
                    raise SyntaxProblem(opened, f'the block of "{words[0]}" is never closed')
            at += 1
            directive = Directive(words[0], tuple(words[1:]), path, start.line, block)
            if directive.name == "include" and block is None and directive.arguments:
                found += self._included(directive, depth)
            else:
                found.append(directive)
        return tuple(found), at

    def _included(self, include: Directive, depth: int) -> list[Directive]:
        pattern = os.path.join(self._prefix, include.arguments[0])  # noqa: PTH118 # the same
        paths = sorted(self._files.matching(pattern)) if glob.has_magic(pattern) else [pattern]
        found: list[Directive] = []
        for path in paths:
            try:
                text = self._files.read(path)
            except (OSError, ValueError):
                self.missing.append(include)
            else:
                found += self.parse(path, text, depth + 1)
        return found
