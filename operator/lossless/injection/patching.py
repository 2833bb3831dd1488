"""A JSON Patch (RFC 6902) that grows with the document it describes."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

#: Where something is in a document: keys and list indexes from its root.
Path = tuple[str | int, ...]
Operation = dict[str, Any]


class Patch:
    """Changes a copy of a document and remembers how; a change that changes nothing is none."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = deepcopy(document)
        self.operations: list[Operation] = []

    def put(self, path: Path, value: Any) -> None:
        """Set what is at ``path``; objects that are missing on the way there are made."""
        parent: Any = self.document
        for depth, step in enumerate(path[:-1], start=1):
            child = parent[step] if isinstance(step, int) else parent.get(step)
            if child is None:
                child = {}
                self._record("add", path[:depth], child)
                parent[step] = child
            parent = child
        last = path[-1]
        known = isinstance(last, int) or last in parent
        if known and parent[last] == value:
            return
        self._record("replace" if known else "add", path, value)
        parent[last] = deepcopy(value)

    def insert(self, path: Path, index: int, value: Any) -> None:
        """Insert into the list at ``path``, which is made if it is missing."""
        found = self.at(path)
        if found is None:
            self.put(path, [value])
            return
        self._record("add", (*path, index), value)
        found.insert(index, deepcopy(value))

    def append(self, path: Path, value: Any) -> None:
        """Append to the list at ``path``, which is made if it is missing."""
        self.insert(path, len(self.at(path) or ()), value)

    def remove(self, path: Path) -> None:
        """Remove what is at ``path``, which must be there."""
        self.operations.append({"op": "remove", "path": pointer(path)})
        del self.at(path[:-1])[path[-1]]

    def at(self, path: Path) -> Any:
        """Return what is at ``path``; None if nothing is there, or on the way there."""
        return value_at(self.document, path)

    def _record(self, operation: str, path: Path, value: Any) -> None:
        self.operations.append({"op": operation, "path": pointer(path), "value": deepcopy(value)})


def value_at(document: Mapping[str, Any], path: Path) -> Any:
    """Return what is at ``path``; None if nothing is there, or on the way there."""
    found: Any = document
    for step in path:
        if found is None:
            return None
        found = found[step] if isinstance(step, int) else found.get(step)
    return found


def pointer(path: Sequence[str | int]) -> str:
    """Return ``path`` as a JSON Pointer (RFC 6901)."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)
