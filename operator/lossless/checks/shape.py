"""The shapes that fields of Kubernetes objects may have, as small readers that are put together.

A reader takes a value and the field that it stands in, and returns the value, or raises
``InvalidSpec`` with field, value and remedy. ``null`` is what it is to an API server: the field is
not there. A field that no reader knows is kept as it is and never looked at.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from lossless.model.fields import InvalidSpec

Shape = Callable[[Any, str], Any]

_INT32: Final = 2**31 - 1
_HIGHEST_PORT: Final = 65535
#: What a chart or another template has where its values go.
_UNFILLED: Final = "{{"
_RENDER: Final = (
    "is a template's place that nothing has filled in; render it first, for example: helm template"
    " CHART, and name what comes of it"
)


def text(value: Any, at: str) -> str:
    """Return a text."""
    if isinstance(value, str):
        return value
    raise _invalid(
        at, value, "must be a text; put it in quotes" if _scalar(value) else "must be a text"
    )


def private_text(value: Any, at: str) -> str:
    """Return a text that may be a secret, so that no message shows what else it is."""
    if isinstance(value, str):
        return value
    raise InvalidSpec(at, type(value).__name__, "must be a text; put it in quotes")


def flag(value: Any, at: str) -> bool:
    """Return true or false."""
    if isinstance(value, bool):
        return value
    raise _invalid(at, value, "must be true or false, without quotes")


def whole(lowest: int = 0, highest: int = _INT32) -> Shape:
    """Return the reader of a whole number within bounds."""

    def read(value: Any, at: str) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= highest:
            return value
        remedy = f"must be a whole number from {lowest} to {highest}"
        quoted = isinstance(value, str) and value.strip().isdecimal()
        raise _invalid(at, value, f"{remedy}, without quotes" if quoted else remedy)

    return read


port_number: Final = whole(1, _HIGHEST_PORT)


def port(value: Any, at: str) -> int | str:
    """Return a port's number or its name, which has a letter in it (IANA_SVC_NAME)."""
    if isinstance(value, str) and value and not value.strip().isdecimal():
        return _filled(value, at)
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _HIGHEST_PORT:
        return value
    remedy = f"must be a number from 1 to {_HIGHEST_PORT}, without quotes, or a port's name"
    raise _invalid(at, value, remedy)


def share(value: Any, at: str) -> int | str:
    """Return a number of pods, or a percentage of them."""
    digits = value.removesuffix("%") if isinstance(value, str) and value.endswith("%") else ""
    if digits.isascii() and digits.isdecimal() and len(digits) <= len("1000"):
        return str(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _INT32:
        return value
    raise _invalid(at, value, "must be a whole number without quotes, or a percentage such as 25%")


def anything(value: Any, at: str) -> Any:  # noqa: ARG001 # a shape like the others
    """Return a value that is only handed on."""
    return value


def one_of(*words: str) -> Shape:
    """Return the reader of a text that is one of few."""

    def read(value: Any, at: str) -> str:
        if value in words and isinstance(value, str):
            return value
        *others, last = words
        raise _invalid(at, value, f"must be {', '.join(others)} or {last}")

    return read


def items(of: Shape) -> Shape:
    """Return the reader of a list."""

    def read(value: Any, at: str) -> list[Any]:
        if not isinstance(value, list):
            raise _invalid(at, value, "must be a list; begin each item with a dash")
        return [of(item, f"{at}[{index}]") for index, item in enumerate(value)]

    return read


def by_name(of: Shape) -> Shape:
    """Return the reader of an object with names of the user's own; ``null`` takes one away."""

    def read(value: Any, at: str) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise _invalid(at, value, "must be an object of names and values")
        return {str(name): of(inner, f"{at}.{name}") for name, inner in _given(value).items()}

    return read


texts: Final = by_name(text)


def fields(known: Mapping[str, Shape], *required: str) -> Shape:
    """Return the reader of an object whose fields have shapes of their own.

    Args:
        known: the shape of each field that is looked at.
        required: fields that must be there.
    """

    def read(value: Any, at: str) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise _invalid(at, value, f"must be an object with {_listed(known)}")
        found = {
            name: known[name](inner, f"{at}.{name}".lstrip(".")) if name in known else inner
            for name, inner in value.items()
            if inner is not None or name not in known
        }
        for name in required:
            if name not in found:
                raise _invalid(at, value, f"has no {name}; add it")
        return found

    return read


def _listed(known: Mapping[str, Shape]) -> str:
    names = list(known)
    return ", ".join(names[:3]) + (" and so on" if len(names) > 3 else "")  # noqa: PLR2004 # enough to know it by


def _given(value: Mapping[str, Any]) -> dict[str, Any]:
    return {name: inner for name, inner in value.items() if inner is not None}


def _filled(value: str, at: str) -> str:
    if _UNFILLED in value:
        raise InvalidSpec(at, value, _RENDER)
    return value


def _scalar(value: Any) -> bool:
    return isinstance(value, bool | int | float)


def _invalid(at: str, value: Any, remedy: str) -> InvalidSpec:
    unfilled = isinstance(value, str) and _UNFILLED in value
    return InvalidSpec(at or "the object", value, _RENDER if unfilled else remedy)
