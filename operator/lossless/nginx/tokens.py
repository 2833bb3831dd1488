"""nginx's configuration language, word by word: pure.

The grammar is that of ``ngx_conf_read_token`` (src/core/ngx_conf_file.c). ``crossplane``, the one
parser on PyPI, has had no release since 2022 and carries no types; the language is smaller than
the code that would adapt it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_SPACE: Final = " \t\r\n"
_ESCAPED: Final = {"t": "\t", "r": "\r", "n": "\n"}


class SyntaxProblem(ValueError):  # noqa: N818 # "error" is a severity of findings here
    """The text is not a configuration; says where and why."""

    def __init__(self, line: int, why: str) -> None:
        """Keep the place.

        Args:
            line: from 1.
            why: for people.
        """
        super().__init__(why)
        self.line = line
        self.why = why


@dataclass(frozen=True, slots=True)
class Token:
    """A word, or one of ``;`` ``{`` ``}`` that is not part of a word."""

    text: str
    line: int
    is_word: bool


class _Text:
    """A text with a position and a line."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.line = 1

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def take(self) -> str:
        taken = self.peek()
        self.at += 1
        self.line += taken == "\n"
        return taken

    def skip(self, ends_at: str) -> None:
        while self.peek() and self.peek() not in ends_at:
            self.take()


def tokenize(text: str) -> Iterator[Token]:
    """Yield the tokens of a configuration.

    Raises:
        SyntaxProblem: a quote is not closed, or something follows one without a space.
    """
    source = _Text(text)
    words: list[str] = []
    while True:
        while source.peek() and source.peek() in _SPACE:
            source.take()
        first, line = source.peek(), source.line
        if not first:
            return
        if first == "#":
            source.skip("\n")
        elif first in ";{}":
            source.take()
            if first == "{" and len(words) == 1 and words[0].endswith("_by_lua_block"):
                _skip_lua(source, line)
                yield Token(";", line, is_word=False)
            else:
                yield Token(first, line, is_word=False)
            words.clear()
        else:
            word = _quoted(source) if first in "\"'" else _bare(source)
            words.append(word)
            yield Token(word, line, is_word=True)


def _bare(source: _Text) -> str:
    word = ""
    while (char := source.peek()) and char not in _SPACE and char not in ";{":
        source.take()
        if char == "\\":
            word += _escape(source)
        elif char == "$" and source.peek() == "{":
            word += char + source.take()
        else:
            word += char
    return word


def _quoted(source: _Text) -> str:
    line, quote, word = source.line, source.take(), ""
    while char := source.take():
        if char == "\\":
            word += _escape(source)
        elif char == quote:
            after = source.peek()
            # A closing parenthesis ends the condition of an "if".
            if after and after not in _SPACE and after not in ";{)":
                raise SyntaxProblem(source.line, f"unexpected {after!r} after a quoted word")
            return word
        else:
            word += char
    raise SyntaxProblem(line, f"a quote that is opened with {quote} is never closed")


def _escape(source: _Text) -> str:
    char = source.take()
    if char in ("\\", '"', "'"):
        return char
    return _ESCAPED.get(char, "\\" + char)


def _skip_lua(source: _Text, line: int) -> None:
    """Skip a block of Lua (OpenResty): its braces balance outside of strings and comments."""
    depth = 1
    while char := source.take():
        if char in "\"'":
            while (inner := source.take()) and inner != char:
                if inner == "\\":
                    source.take()
        elif char == "-" and source.peek() == "-":
            source.skip("\n")
        else:
            depth += (char == "{") - (char == "}")
            if depth == 0:
                return
    raise SyntaxProblem(line, "a block of Lua is never closed")
