"""A patch must say what it did to its own copy of the document."""

from collections.abc import Callable
from typing import Any

import jsonpatch
import pytest

from lossless.injection.patching import Patch


@pytest.mark.parametrize(
    ("before", "change", "operations"),
    [
        pytest.param(
            {"a": {}},
            lambda patch: patch.put(("a", "b"), 1),
            [{"op": "add", "path": "/a/b", "value": 1}],
            id="put-new",
        ),
        pytest.param(
            {"a": {"b": 0}},
            lambda patch: patch.put(("a", "b"), 1),
            [{"op": "replace", "path": "/a/b", "value": 1}],
            id="put-other",
        ),
        pytest.param({"a": 1}, lambda patch: patch.put(("a",), 1), [], id="put-the-same"),
        pytest.param(
            {"a": None},
            lambda patch: patch.put(("a", "b", "c/d~e"), 1),
            [
                {"op": "add", "path": "/a", "value": {}},
                {"op": "add", "path": "/a/b", "value": {}},
                {"op": "add", "path": "/a/b/c~1d~0e", "value": 1},
            ],
            id="put-with-missing-and-null-parents",
        ),
        pytest.param(
            {"l": [{"x": 1}]},
            lambda patch: patch.put(("l", 0, "x"), 2),
            [{"op": "replace", "path": "/l/0/x", "value": 2}],
            id="put-in-a-list",
        ),
        pytest.param(
            {},
            lambda patch: patch.append(("l",), 1),
            [{"op": "add", "path": "/l", "value": [1]}],
            id="append-to-nothing",
        ),
        pytest.param(
            {"l": [1]},
            lambda patch: patch.append(("l",), 2),
            [{"op": "add", "path": "/l/1", "value": 2}],
            id="append",
        ),
        pytest.param(
            {"l": None},
            lambda patch: patch.insert(("l",), 0, 1),
            [{"op": "replace", "path": "/l", "value": [1]}],
            id="insert-into-null",
        ),
        pytest.param(
            {"l": [1]},
            lambda patch: patch.insert(("l",), 0, 2),
            [{"op": "add", "path": "/l/0", "value": 2}],
            id="insert",
        ),
        pytest.param(
            {"l": [1, 2]},
            lambda patch: patch.remove(("l", 0)),
            [{"op": "remove", "path": "/l/0"}],
            id="remove",
        ),
    ],
)
def test_operations_lead_from_before_to_the_document(
    before: dict[str, Any], change: Callable[[Patch], None], operations: list[dict[str, Any]]
) -> None:
    """What a patch records, applied by another implementation, gives the same document."""
    patch = Patch(before)
    change(patch)

    assert patch.operations == operations
    assert jsonpatch.apply_patch(before, patch.operations) == patch.document


def test_values_are_not_shared() -> None:
    """Changing the document later does not change an operation that was recorded before."""
    patch = Patch({})
    patch.put(("a",), {"b": []})
    patch.append(("a", "b"), 1)

    assert patch.operations[0]["value"] == {"b": []}
    assert patch.document == {"a": {"b": [1]}}
