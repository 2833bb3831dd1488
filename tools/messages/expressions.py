"""What an expression of a program is: a text, and the name that people would give to a value."""

import ast
import re
from collections.abc import Iterator
from typing import Final

#: Of a message; less is a word of a protocol or a table.
_WORDS: Final = 3


def own(scope: ast.AST) -> Iterator[ast.AST]:
    """Yield what is in ``scope``, without what is in functions inside it."""
    for child in ast.iter_child_nodes(scope):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield child
            yield from own(child)


def is_text(node: ast.AST) -> bool:
    """Return whether ``node`` makes a text of which a part stands in the source."""
    match node:
        case ast.Constant(value=str()) | ast.JoinedStr():
            return True
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return is_text(left) or is_text(right)
        case ast.IfExp(body=yes, orelse=no):
            return is_text(yes) and is_text(no)
        case _:
            return False


def is_sentence(text: str) -> bool:
    """Return whether ``text`` is one for people, values apart."""
    if "\n" in text.strip() or re.search(r"\w\|\w", text):
        # A script for a container's shell, or a pattern.
        return False
    words = re.sub(r"\{[^}]*\}", " ", text).split()
    return sum(bool(re.search("[A-Za-z]{2}", word)) for word in words) >= _WORDS


def name_of(node: ast.AST) -> str:  # noqa: PLR0911 # one for each kind of expression
    """Return what people would call the value, or nothing."""
    match node:
        case ast.Name(id=name):
            return name.strip("_")
        case ast.Attribute(value=value, attr=name):
            return name_of(value) if name in {"value", "strerror"} else name.strip("_")
        case ast.Call(func=ast.Attribute(attr="join"), args=[ast.GeneratorExp(generators=[over])]):
            return name_of(over.iter)
        case ast.Call(func=ast.Name(id="map"), args=[_, value]):
            return name_of(value)
        case ast.Call(func=ast.Attribute(attr="join") | ast.Name(id=_), args=[value, *_]) if (
            name_of(value)
        ):
            return name_of(value)
        case ast.Call(func=function):
            return name_of(function)
        case ast.Subscript(value=value) | ast.Starred(value=value):
            return name_of(value)
        case ast.BoolOp(values=[first, *_]):
            return name_of(first)
        case _:
            return ""
