"""Kubernetes objects from files, as ``kubectl -f`` reads them."""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TextIO

import yaml

from lossless.plugin.exits import RefusedError
from lossless.plugin.yaml_errors import place

_SUFFIXES: Final = frozenset({".yaml", ".yml", ".json"})


def read(files: Sequence[str], stdin: TextIO | None = None) -> list[dict[str, Any]]:
    """Return the objects in files, folders (not below them) or standard input (``-``), in order.

    Raises:
        RefusedError: a file cannot be read or is no manifest; says which, and where in it.
    """
    return [raw for file in files for name, text in _texts(file, stdin) for raw in _of(name, text)]


def _texts(file: str, stdin: TextIO | None) -> Iterator[tuple[str, str]]:
    if file == "-":
        yield "standard input", (stdin or sys.stdin).read()
        return
    path = Path(file)
    try:
        if path.is_dir():
            for inner in sorted(path.iterdir()):
                if inner.suffix in _SUFFIXES:
                    yield str(inner), inner.read_text(encoding="utf-8")
        else:
            yield file, path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        said = getattr(error, "strerror", None) or str(error)
        raise RefusedError(f"-f {file}: {said}; name a manifest that can be read") from error


def _of(name: str, text: str) -> Iterator[dict[str, Any]]:
    try:
        # A loader of YAML 1.1 with the safe types, as kubectl: no code, no tags of Python.
        documents = list(yaml.safe_load_all(text))
    except yaml.YAMLError as error:
        raise RefusedError(f"-f {name}: is not YAML ({place(error)}); correct it") from None
    yield from _objects(name, documents)


def _objects(name: str, documents: Iterable[Any]) -> Iterator[dict[str, Any]]:
    for document in documents:
        if document is None:
            continue
        if not isinstance(document, Mapping) or not isinstance(document.get("kind"), str):
            raise RefusedError(
                f"-f {name}: holds what is no Kubernetes object: it has no kind; take it out"
            )
        if document["kind"].endswith("List") and isinstance(document.get("items"), list):
            yield from _objects(name, document["items"])
        else:
            yield dict(document)
