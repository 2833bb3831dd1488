"""YAML as kubectl reads it: what comes of it is JSON, and no key stands twice. Pure.

kubectl makes JSON of it (sigs.k8s.io/yaml), so a date is a text and a key is one, too. What cannot
be JSON is no manifest.
"""

import math
from collections.abc import Hashable, Mapping
from typing import Any, Final

import yaml

#: Values after all aliases are followed. A folder of CRDs has some ten thousand; a few lines of
#: nested aliases can have billions.
_MOST_VALUES: Final = 1_000_000
#: Objects within objects. A CRD's schema has some forty.
_DEEPEST: Final = 100
_TOO_DEEP: Final = f"has more than {_DEEPEST} levels of objects and lists; take some out"
_TIMESTAMP: Final = "tag:yaml.org,2002:timestamp"


class UnusableError(ValueError):
    """A text that is YAML, or nearly, and still no manifest; says where and what to do."""


class _Loader(yaml.SafeLoader):
    """The safe types, without dates, and with each key once."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002 # the signature is PyYAML's
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value != "<<":
                if key.value in seen:
                    raise UnusableError(
                        f"line {key.start_mark.line + 1}: the key {key.value!r} stands twice in"
                        " one object, and one of the two would be lost; take one out"
                    )
                seen.add(key.value)
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != _TIMESTAMP]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def documents(text: str) -> list[Any]:
    """Return the documents in a text, each nothing but JSON.

    Raises:
        yaml.YAMLError: it is not YAML.
        UnusableError: it is, and no manifest.
    """
    try:
        found = list(yaml.load_all(text, _Loader))
    except RecursionError:
        raise UnusableError(_TOO_DEEP) from None
    except (yaml.YAMLError, UnusableError):
        raise
    except (ValueError, LookupError, TypeError, AttributeError):
        # So PyYAML says that a scalar does not fit its tag: `!!int x`, or a number of 5000 digits.
        raise UnusableError(
            "holds a value that is not what it is marked as, or a number that is too long; put it"
            " in quotes"
        ) from None
    for document in found:
        _measure(document)
    return [_json(document) for document in found]


def _measure(document: Any) -> None:
    """Follow all aliases.

    Raises:
        UnusableError: there is no end to them, or none that anybody could wait for.
    """
    sizes: dict[int, int] = {}

    def size(value: Any, depth: int) -> int:
        if depth > _DEEPEST:
            raise UnusableError(_TOO_DEEP)
        if not isinstance(value, Mapping | list):
            return 1
        known = sizes.get(id(value))
        if known == 0:
            raise UnusableError("holds an alias to what it is itself a part of; take it out")
        if known is None:
            sizes[id(value)] = 0
            inner = value.values() if isinstance(value, Mapping) else value
            known = sizes[id(value)] = 1 + sum(size(one, depth + 1) for one in inner)
            if known > _MOST_VALUES:
                raise UnusableError(
                    f"has more than {_MOST_VALUES} values when its aliases are followed; write less"
                )
        return known

    size(document, 0)


def _json(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {_key(key): _json(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_json(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        raise UnusableError(f"holds the number {value}, which JSON has not; put it in quotes")
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise UnusableError(
        f"holds a {type(value).__name__}, which JSON has not; write it as a text, a list or an"
        " object"
    )


def _key(key: Any) -> str:
    """Return a key as kubectl makes it a text."""
    if isinstance(key, bool):
        return str(key).lower()
    if isinstance(key, str | int | float):
        return str(key)
    raise UnusableError(f"has the key {key!r:.40}, which is no text; put it in quotes")
