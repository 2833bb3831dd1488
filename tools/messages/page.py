"""The page of all messages, and the table of reasons."""

import ast
from itertools import groupby, pairwise
from pathlib import Path
from typing import Final

from lossless.model.conditions import Reason
from tools.messages.message import Message
from tools.messages.speakers import SPEAKERS, speaker_of
from tools.messages.trees import SOURCES

PAGE: Final = Path(__file__).parents[2] / "docs" / "reference" / "messages.md"

_HEAD: Final = """\
# Messages

<!-- Made by python -m tools.messages out of the sources below operator/. -->

Every message for people, by who says it. Search for the words that you see; `{braces}` stand for a
value, and `(one | other)` for words that depend on the case. The last column names the module that
says it. What to do is in the message or, where it is a part of its own, after an arrow (→).

## Reasons

Reasons of conditions and Events (`kubectl describe llr NAME`). They are a contract: programs may
depend on them.

| reason | what it means | what to do |
|---|---|---|
"""


def meanings() -> dict[Reason, tuple[str, str]]:
    """Return what each reason means and what to do, from the docstrings of its members.

    Raises:
        ValueError: a member has none, or one without a second sentence.
    """
    tree = ast.parse((SOURCES / "lossless" / "model" / "conditions.py").read_text())
    (reasons,) = (
        node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Reason"
    )
    found: dict[Reason, tuple[str, str]] = {}
    for member, said in pairwise(reasons.body):
        match member, said:
            case (
                ast.Assign(targets=[ast.Name(id=name)]),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                what, _, remedy = " ".join(text.split()).partition(". ")
                found[Reason[name]] = (what.rstrip("."), remedy.rstrip("."))
            case _:
                continue
    for reason in Reason:
        if not all(found.get(reason, ("",))):
            raise ValueError(
                f"Reason.{reason.name}: say in its docstring what it means, and what to do"
            )
    return found


def render(messages: tuple[Message, ...]) -> str:
    """Return the page."""
    parts = [_HEAD.rstrip("\n")]
    parts += [
        f"| `{reason.value}` | {_cell(what)} | {_cell(remedy)} |"
        for reason, (what, remedy) in meanings().items()
    ]
    for title, told, _ in SPEAKERS:
        own = [one for one in messages if speaker_of(one.module) == title]
        parts += ["", f"## {title}", ""]
        parts += [told, ""] if told else []
        parts += ["| message | from |", "|---|---|"]
        for module, said in groupby(own, key=lambda one: one.module):
            rows = dict.fromkeys(_row(one) for one in said)
            parts += [f"| {row} | {module.removesuffix('.py')} |" for row in rows]
    return "\n".join(parts) + "\n"


def _row(message: Message) -> str:
    text = _cell(message.text)
    return f"{text} → {_cell(message.remedy)}" if message.remedy else text


def _cell(text: str) -> str:
    for mark in ("\\", "|", "*", "_", "<", ">", "[", "]"):
        text = text.replace(mark, f"\\{mark}")
    return " ".join(text.split()) or "-"
