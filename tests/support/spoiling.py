"""Documents of which one field is not what it should be, and values that nobody expects."""

import copy
import json
from typing import Any

from hypothesis import strategies as st

#: Any JSON document, NaN and numbers beyond all bounds included.
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)
#: Nesting around which a document can just be read, but not everything be done with it.
DEPTHS = [10, 500, *range(900, 1000, 7), 5000]


def nested(depth: int) -> Any:
    """Return lists in lists, as a parser has read them; None: it refuses to."""
    try:
        return json.loads("[" * depth + "]" * depth)
    except RecursionError:
        return None


def spoiled(raw: Any, path: tuple[Any, ...], value: Any) -> Any:
    """Return a copy of ``raw`` with another value at ``path``."""
    raw = copy.deepcopy(raw)
    at = raw
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    return raw


def paths(raw: Any, prefix: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return where everything is in a JSON document."""
    steps = (
        raw.items() if isinstance(raw, dict) else enumerate(raw) if isinstance(raw, list) else ()
    )
    found = []
    for key, value in steps:
        found += [(*prefix, key), *paths(value, (*prefix, key))]
    return found
