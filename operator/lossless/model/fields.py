"""Single fields of a spec, checked one by one: a refusal names field, value and remedy."""

import re
import reprlib
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, TypeVar

from lossless.model.durations import format_duration, parse_duration
from lossless.model.names import SHARED_MOUNT, STATUS_FILE

_E = TypeVar("_E", bound=StrEnum)
#: Characters of a value that a refusal shows.
_LINE: Final = 80
#: ``repr`` itself fails on what is nested as deep as a document may just be, and takes its time
#: with a megabyte.
_shown: Final = reprlib.Repr()
_shown.maxlevel = 4
_shown.maxstring = _shown.maxother = _shown.maxlong = _LINE
_shown.maxlist = _shown.maxdict = 10
_HIGHEST_PORT: Final = 65535
#: Linux PATH_MAX, without the closing zero byte.
_LONGEST_PATH: Final = 4095
#: ``sun_path`` of Linux ``struct sockaddr_un``, without the closing zero byte.
_LONGEST_SOCKET: Final = 107
#: What may stand in a request line after the method (RFC 9112 section 3.2.1), fragments apart.
URL_PATH: Final = r"^/[!-\"$-~]*$"
_LONGEST_URL: Final = 1024
#: An absolute path of a file: no empty, ``.`` or ``..`` part, no control character.
FILE_PATH: Final = r"^(/(\.{0,2}[^/.\x00-\x1f][^/\x00-\x1f]*|\.{3}[^/\x00-\x1f]*))+$"


class InvalidSpec(ValueError):  # noqa: N818 # the field's own word: reason Invalid
    """A field holds what cannot be acted on; says which, what it held and what to do."""

    def __init__(self, field: str, value: object, remedy: str) -> None:
        """Name the field (dotted path from the object's root), its value and the remedy."""
        shown = _shown.repr(value)
        shown = shown if len(shown) <= _LINE else shown[: _LINE - 3] + "..."
        super().__init__(f"{field}: {shown}: {remedy}")
        self.field = field
        self.value = value
        self.shown = shown
        self.remedy = remedy


def mapping(raw: Mapping[str, Any], at: str, key: str) -> Mapping[str, Any]:
    """Return the object ``at.key``; empty if it is not there.

    Raises:
        InvalidSpec: it is something else.
    """
    value = raw.get(key, {})
    if not isinstance(value, Mapping):
        raise InvalidSpec(f"{at}.{key}", value, "must be an object")
    return value


def text(raw: Mapping[str, Any], at: str, key: str, default: str | None = None) -> str:
    """Return the non-empty text ``at.key``.

    Raises:
        InvalidSpec: it is something else, or not there and has no ``default``.
    """
    value = raw.get(key, default)
    if not isinstance(value, str) or not value:
        raise InvalidSpec(f"{at}.{key}", value, "must be a non-empty string")
    return value


def matching(
    raw: Mapping[str, Any], field: tuple[str, str], pattern: str, longest: int, remedy: str
) -> str:
    """Return the text of ``field`` (where it stands, its key) if all of it matches ``pattern``.

    Its length is a bound of its own: an API server's expressions (RE2) cannot count that far.

    Raises:
        InvalidSpec: it does not, or has more than ``longest`` characters.
    """
    at, key = field
    value = raw.get(key)
    # fullmatch, because $ also matches before an end of line.
    if (
        not isinstance(value, str)
        or len(value) > longest
        or not re.fullmatch(pattern, value, re.ASCII)
    ):
        raise InvalidSpec(f"{at}.{key}", value, remedy)
    return value


def seconds(
    raw: Mapping[str, Any], at: str, key: str, default: float, bounds: tuple[float, float]
) -> float:
    """Return the duration ``at.key`` in seconds, from the lowest to the highest of ``bounds``.

    Raises:
        InvalidSpec: it is none, or out of bounds.
    """
    value = raw.get(key)
    if value is None:
        return default
    field = f"{at}.{key}"
    if not isinstance(value, str):
        raise InvalidSpec(field, value, "must be a duration in text, for example 60s")
    try:
        found = parse_duration(value)
    except ValueError as error:
        raise InvalidSpec(field, value, str(error)) from error
    lowest, highest = bounds
    if not lowest <= found <= highest:
        told = f"must be from {format_duration(lowest)} to {format_duration(highest)}"
        raise InvalidSpec(field, value, told)
    return found


def choice(raw: Mapping[str, Any], at: str, key: str, default: _E) -> _E:
    """Return the member of ``default``'s enumeration that ``at.key`` names.

    Raises:
        InvalidSpec: it names none.
    """
    value = raw.get(key, default.value)
    for member in type(default):
        if member.value == value:
            return member
    *others, last = (member.value for member in type(default))
    raise InvalidSpec(f"{at}.{key}", value, f"must be {', '.join(others)} or {last}")


def whole(
    raw: Mapping[str, Any], at: str, key: str, default: int | None, bounds: tuple[int, int]
) -> int:
    """Return the whole number ``at.key``, from the lowest to the highest of ``bounds``.

    Raises:
        InvalidSpec: it is none, out of bounds, or not there and has no ``default``.
    """
    value = raw.get(key, default)
    lowest, highest = bounds
    if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
        raise InvalidSpec(f"{at}.{key}", value, f"must be a number from {lowest} to {highest}")
    return value


def port(raw: Mapping[str, Any], at: str, key: str = "port", default: int | None = None) -> int:
    """Return the port ``at.key``.

    Raises:
        InvalidSpec: it is none, or not there and has no ``default``.
    """
    return whole(raw, at, key, default, (1, _HIGHEST_PORT))


def url_path(raw: Mapping[str, Any], at: str, default: str) -> str:
    """Return ``at.path`` as it stands in a request line.

    Raises:
        InvalidSpec: it cannot stand there.
    """
    return matching(
        {"path": default} | dict(raw),
        (at, "path"),
        URL_PATH,
        _LONGEST_URL,
        "must begin with / and hold no space, # or non-ASCII letter; write those as %20 and so on",
    )


def file_path(raw: Mapping[str, Any], at: str, key: str) -> str:
    """Return ``at.key``, the absolute path of a file that the agent and a container share.

    Raises:
        InvalidSpec: it is none, or one of ours that is nobody else's to use.
    """
    value = raw.get(key)
    if (
        not isinstance(value, str)
        or len(value) > _LONGEST_PATH
        or not re.fullmatch(FILE_PATH, value)
    ):
        remedy = "must be the absolute path of a file, without . or .. in it"
        raise InvalidSpec(f"{at}.{key}", value, remedy)
    if value != STATUS_FILE and f"{value}/".startswith(f"{SHARED_MOUNT}/"):
        remedy = f"{SHARED_MOUNT} is ours, and there only {STATUS_FILE} can be named"
        raise InvalidSpec(f"{at}.{key}", value, remedy)
    return value


def only_key(raw: object, at: str, known: tuple[str, ...], noun: str) -> str:
    """Return the one key of the object at ``at``, one of ``known``.

    Raises:
        InvalidSpec: it has none, several, or an unknown one.
    """
    if not isinstance(raw, Mapping) or len(raw) != 1 or next(iter(raw)) not in known:
        remedy = f"must name exactly one {noun}: {', '.join(known[:-1])} or {known[-1]}"
        raise InvalidSpec(at, raw, remedy)
    return str(next(iter(raw)))


def only_endpoint(raw: Mapping[str, Any], at: str) -> tuple[str, int]:
    """Return socket and port of HAProxy's runtime API; the one that is not used is empty or 0.

    Raises:
        InvalidSpec: none or both are there, or it is wrong.
    """
    if ("socket" in raw) == ("port" in raw):
        remedy = "must name either socket (a path) or port (on 127.0.0.1) of HAProxy's runtime API"
        raise InvalidSpec(at, dict(raw), remedy)
    if "socket" in raw:
        path = file_path(raw, at, "socket")
        if len(path.encode()) > _LONGEST_SOCKET:
            remedy = f"is longer than a socket's path can be, {_LONGEST_SOCKET} bytes; shorten it"
            raise InvalidSpec(f"{at}.socket", path, remedy)
        return path, 0
    return "", port(raw, at)
