"""Kubernetes objects from files, as ``kubectl -f`` reads them."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TextIO

import yaml

from lossless.checks.known_objects import read_object
from lossless.checks.setup import named
from lossless.model.fields import InvalidSpec
from lossless.plugin.exits import RefusedError
from lossless.plugin.manifest_yaml import UnusableError, documents
from lossless.plugin.yaml_errors import place

_SUFFIXES: Final = frozenset({".yaml", ".yml", ".json"})
_LIST: Final = "List"


def read(files: Sequence[str], stdin: TextIO | None = None) -> list[dict[str, Any]]:
    """Return the objects in files, folders (not below them) or standard input (``-``), in order.

    Every field of them that ``check`` and ``render`` look at has the shape that it has to have.

    Raises:
        RefusedError: a file cannot be read or is no manifest; says which, and where in it.
    """
    return [raw for file in files for name, text in _texts(file, stdin) for raw in _of(name, text)]


def _texts(file: str, stdin: TextIO | None) -> Iterator[tuple[str, str]]:
    path = Path(file)
    try:
        if file == "-":
            yield "standard input", (stdin or sys.stdin).read()
        elif path.is_dir():
            for inner in sorted(path.iterdir()):
                if inner.suffix in _SUFFIXES:
                    yield str(inner), inner.read_text(encoding="utf-8")
        else:
            yield file, path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        # ValueError: no UTF-8, or a name with a zero byte.
        said = getattr(error, "strerror", None) or str(error)
        raise RefusedError(f"-f {file}: {said}; name a manifest that can be read") from error


def _of(name: str, text: str) -> Iterator[dict[str, Any]]:
    try:
        found = documents(text)
    except yaml.YAMLError as error:
        raise RefusedError(f"-f {name}: is not YAML ({place(error)}); {_remedy(text)}") from None
    except UnusableError as error:
        raise RefusedError(f"-f {name}: {error}") from None
    for number, document in enumerate(found, 1):
        if document is not None:
            yield from _objects(f"-f {name}", f"document {number}", document)


def _remedy(text: str) -> str:
    if "{{" in text:
        return "if it is a template, render it first, for example by helm template; or correct it"
    return "correct it"


def _objects(file: str, at: str, document: Any, kind: str = "") -> Iterator[dict[str, Any]]:
    """Yield the objects of a document, or the items of a list of them.

    Args:
        file: as messages name it.
        at: the document's place in it, for what has no name.
        document: as it was read.
        kind: of a list's items, which may leave it out; empty: it must be there.
    """
    if not isinstance(document, Mapping):
        raise RefusedError(f"{file}: {at} is no Kubernetes object: it is no object; take it out")
    if kind and "kind" not in document:
        document = {"kind": kind, **document}
    own = document.get("kind")
    if not isinstance(own, str) or not own:
        raise RefusedError(
            f"{file}: {_name(document, at)} is no Kubernetes object: it has no kind; add it, or"
            " take it out"
        )
    if own == _LIST or (own.endswith(_LIST) and "items" in document):
        items = document.get("items")
        if not isinstance(items, list | None):
            raise RefusedError(
                f"{file}: {own} of {at}: items: {items!r:.80}: must be a list; begin each item"
                " with a dash"
            )
        for number, item in enumerate(items or (), 1):
            yield from _objects(file, f"{at} item {number}", item, own.removesuffix(_LIST))
        return
    try:
        yield read_object(document)
    except InvalidSpec as invalid:
        raise RefusedError(f"{file}: {_name(document, at)}: {invalid}") from None


def _name(document: Mapping[str, Any], at: str) -> str:
    """Return what an object says of itself on one line, and its place where that is not enough."""
    kind, metadata = document.get("kind"), document.get("metadata")
    given = metadata if isinstance(metadata, Mapping) else {}
    texts = {key: value for key, value in given.items() if isinstance(value, str)}
    own = {"kind": kind if isinstance(kind, str) else "", "metadata": texts}
    known = " ".join(named(own).split())
    if own["kind"] and texts.get("name"):
        return known
    return f"{known} ({at})" if known else at
