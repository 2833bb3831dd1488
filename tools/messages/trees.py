"""Reads the messages of a program out of its sources' syntax trees."""

import ast
import importlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Final

from tools.messages.expressions import is_sentence, is_text, name_of, own
from tools.messages.message import Message
from tools.messages.speakers import APART, KINDS, TOLD, speaker_of

SOURCES: Final = Path(__file__).parents[2] / "operator"

_LOGGED: Final = frozenset({"warning", "error", "exception"})


def collect(sources: Path = SOURCES) -> tuple[Message, ...]:
    """Return the messages of every program, in the order of modules and lines."""
    package = sources / "lossless"
    found: list[Message] = []
    for path in sorted(package.rglob("*.py")):
        module = path.relative_to(package).as_posix()
        if speaker_of(module):
            name = ".".join(path.relative_to(sources).with_suffix("").parts)
            spoken = importlib.import_module(name) if not name.endswith("__main__") else None
            found += Module(module, ast.parse(path.read_text()), spoken).messages()
    return tuple(found)


@dataclass
class Module:
    """One module, whose messages are read."""

    module: str
    tree: ast.Module
    spoken: ModuleType | None
    """For the values of its names; None: they are shown as names."""
    used: set[ast.AST] = field(default_factory=set)
    """Texts that are in a message already."""
    given: Mapping[str, str] = field(default_factory=dict)
    """Of the function that is being shown: its parameters, as its caller fills them."""

    @cached_property
    def private(self) -> Mapping[str, ast.FunctionDef]:
        """Functions of the module's own that return nothing but texts: parts of messages."""
        return {
            one.name: one
            for one in self.tree.body
            if isinstance(one, ast.FunctionDef)
            and one.name.startswith("_")
            and (returned := [r.value for r in own(one) if isinstance(r, ast.Return)])
            and all(value is not None and is_text(value) for value in returned)
        }

    def messages(self) -> list[Message]:
        """Return them in the order of lines."""
        found = [*self._calls()]
        if self.module in TOLD:
            found += self._sentences(self.tree)
        return sorted(found, key=lambda one: one.line)

    def _calls(self) -> Iterator[Message]:
        for scope in ast.walk(self.tree):
            if not isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef | ast.Module):
                continue
            for call in own(scope):
                message = self._message(call, scope) if isinstance(call, ast.Call) else None
                if message is not None:
                    yield message

    def _message(self, call: ast.Call, scope: ast.AST) -> Message | None:
        name = name_of(call.func)
        if (
            isinstance(call.func, ast.Attribute)
            and name in _LOGGED
            and "log" in name_of(call.func.value)
        ):
            text = self.text(call.args[0], scope) if call.args else ""
            return Message(self.module, call.lineno, "log", text) if is_sentence(text) else None
        if name not in KINDS or isinstance(call.func, ast.Attribute):
            return None
        given = {word.arg: word.value for word in call.keywords}
        found = []
        for place in KINDS[name]:
            node = (
                given.get(place)
                if isinstance(place, str)
                else call.args[place]
                if place < len(call.args)
                else None
            )
            if node is None:
                return None
            found.append(self.text(node, scope))
        remedy = found.pop() if name in APART else ""
        if not any(re.search("[a-z]", re.sub(r"\{[^}]*\}", "", part)) for part in (*found, remedy)):
            return None
        return Message(
            self.module, call.lineno, name, (": " if name != "found" else "; ").join(found), remedy
        )

    def _sentences(self, tree: ast.AST) -> Iterator[Message]:
        documented = {
            statement.value for statement in ast.walk(tree) if isinstance(statement, ast.Expr)
        }
        scopes: dict[ast.AST, ast.AST] = {}
        for scope in ast.walk(tree):
            if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef | ast.Module):
                scopes |= dict.fromkeys(own(scope), scope)
        inside: set[ast.AST] = set()
        for node in ast.walk(tree):
            if node in inside or not is_text(node):
                continue
            inside.update(ast.walk(node))
            if node in documented or node in self.used:
                continue
            text = self.text(node, scopes.get(node, tree))
            if is_sentence(text):
                yield Message(self.module, getattr(node, "lineno", 0), "", text)

    def text(self, node: ast.AST, scope: ast.AST) -> str:  # noqa: PLR0911 # as many kinds
        """Return the text that ``node`` makes, with values by their names in braces."""
        if is_text(node):
            self.used.update(ast.walk(node))
        match node:
            case ast.Constant(value=str(text)):
                return text
            case ast.JoinedStr(values=values):
                return "".join(self.text(value, scope) for value in values)
            case ast.FormattedValue(value=value):
                return self._value(value, scope)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self.text(left, scope) + self.text(right, scope)
            case ast.IfExp(body=yes, orelse=no):
                return f"({self.text(yes, scope)} | {self.text(no, scope)})"
            case ast.Call(func=ast.Name(id="shortened"), args=[first, *_]):
                return self.text(first, scope)
            case ast.Call(func=ast.Name(id=name)) if name in self.private:
                return self._inlined(self.private[name], node, scope)
            case _:
                return self._value(node, scope)

    def _inlined(self, function: ast.FunctionDef, call: ast.Call, scope: ast.AST) -> str:
        """Return what ``function`` returns, with values of ``call`` in its parameters' place."""
        names = [one.arg for one in function.args.args]
        given = [self._value(value, scope) for value in call.args]
        before, self.given = self.given, dict(zip(names, given, strict=False))
        texts = [
            self.text(one.value, function)
            for one in own(function)
            if isinstance(one, ast.Return) and one.value is not None
        ]
        self.given = before
        return texts[0] if len(texts) == 1 else f"({' | '.join(texts)})"

    def _value(self, node: ast.AST, scope: ast.AST) -> str:  # noqa: PLR0911 # as many kinds
        match node:
            case ast.Constant(value=value):
                return str(value)
            case ast.IfExp() | ast.JoinedStr():
                return self.text(node, scope)
            case ast.Call(func=ast.Name(id=name)) if name in self.private:
                return self.text(node, scope)
            case ast.Name(id=name) if name in self.given:
                return self.given[name]
            case ast.Name(id=name):
                if self.spoken is not None and isinstance(
                    known := getattr(self.spoken, name, None), str | int | float
                ):
                    return str(known)
                return self._local(node, scope) or f"{{{name.strip('_')}}}"
            case _:
                return f"{{{name_of(node) or '...'}}}"

    def _local(self, node: ast.Name, scope: ast.AST) -> str:
        """Return the text that the variable was given last before, if it is one."""
        given = [
            one
            for one in own(scope)
            if isinstance(one, ast.Assign)
            and len(one.targets) == 1
            and isinstance(one.targets[0], ast.Name)
            and one.targets[0].id == node.id
            and one.lineno < node.lineno
            and is_text(one.value)
        ]
        if not given:
            return ""
        last = max(given, key=lambda one: one.lineno)
        more = [
            one.value
            for one in own(scope)
            if isinstance(one, ast.AugAssign)
            and name_of(one.target) == node.id
            and last.lineno < one.lineno < node.lineno
        ]
        text = self.text(last.value, scope)
        return text + "".join(f"({self.text(value, scope)} | )" for value in more)
