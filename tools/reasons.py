"""``python -m tools.reasons``: makes docs/reference/reasons.md of the docstrings of ``Reason``."""

import ast
from itertools import pairwise
from pathlib import Path
from typing import Final

from lossless.model.conditions import Reason

ROOT: Final = Path(__file__).parents[1]
PAGE: Final = ROOT / "docs" / "reference" / "reasons.md"
_SOURCE: Final = ROOT / "operator" / "lossless" / "model" / "conditions.py"

_HEAD: Final = """\
# Reasons

<!-- Made by python -m tools.reasons out of operator/lossless/model/conditions.py. -->

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
    tree = ast.parse(_SOURCE.read_text())
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


def render() -> str:
    """Return the page."""
    rows = [
        f"| `{reason.value}` | {_cell(what)} | {_cell(remedy)} |"
        for reason, (what, remedy) in meanings().items()
    ]
    return _HEAD + "\n".join(rows) + "\n"


def _cell(text: str) -> str:
    for mark in ("\\", "|", "*", "_", "<", ">", "[", "]"):
        text = text.replace(mark, f"\\{mark}")
    return text


if __name__ == "__main__":
    PAGE.write_text(render())
