"""The names of all fields of a LosslessRollout, and what is written that is none of them. Pure.

An API server drops what it does not know, and says so only to those who ask it to; a manifest has
it still. A test holds the table equal to the CRD's schema.
"""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

Fields = Mapping[str, "Fields | None"]
"""By name: the fields within, or None if there are none or any. Those of a list are its items'."""

_ANSWER: Final[Fields] = {"status": None, "body": None}
_FILE: Final[Fields] = {"statusFile": None}
_RELOAD: Final[Fields] = {"reload": None, "container": None, "command": None}
SPEC: Final[Fields] = {
    "targetRef": {"apiVersion": None, "kind": None, "name": None},
    "ports": None,
    "drain": {
        "clientIdleTimeout": None,
        "idleConnections": None,
        "propagation": None,
        "quiet": None,
        "timeout": None,
        "onTimeout": None,
    },
    "close": {
        "nginx": {**_FILE, "http2": _RELOAD, "reload": {"container": None, "command": None}},
        "envoy": {"adminPort": None},
        "haproxy": {"socket": None, "port": None, "variable": None},
        "http": {
            "port": None,
            "path": None,
            "method": None,
            "headers": {"name": None, "value": None},
            "body": None,
            "timeout": None,
            "retries": None,
        },
        "file": {"path": None, "action": None},
        "middleware": _FILE,
    },
    "metrics": {
        "nginxStatus": {"port": None, "path": None},
        "envoyStats": {"port": None},
        "haproxyStats": {"socket": None, "port": None},
        "prometheus": {
            "port": None,
            "path": None,
            "metric": None,
            "labels": None,
            "zeroMeans": None,
        },
    },
    "sidecars": {"order": None, "sleep": None},
    "statusFlag": {"path": None, "serving": _ANSWER, "draining": _ANSWER},
    "pacing": {"maxDraining": None},
    "paused": None,
}
ROLLOUT: Final[Fields] = {
    "apiVersion": None,
    "kind": None,
    "metadata": None,
    "spec": SPEC,
    "status": None,
}


@dataclass(frozen=True, slots=True)
class UnknownField:
    """Something that is written and does nothing."""

    field: str
    """Dotted path from the object's root."""
    nearest: str
    """The field that is probably meant, as such a path; empty if none is near."""


def unknown_fields(rollout: Mapping[str, Any]) -> Iterator[UnknownField]:
    """Yield what a LosslessRollout says that no version of it knows, in order."""
    yield from _unknown(rollout, ROLLOUT, "")


def _unknown(raw: Any, known: Fields, at: str) -> Iterator[UnknownField]:
    if isinstance(raw, list):
        for index, item in enumerate(raw):
            yield from _unknown(item, known, f"{at}[{index}]")
        return
    if not isinstance(raw, Mapping):
        return
    for name, value in raw.items():
        field = f"{at}.{name}".lstrip(".")
        if name not in known:
            yield UnknownField(field, _nearest(str(name), known, at))
        elif known[name] is not None:
            yield from _unknown(value, known[name] or {}, field)


def _nearest(name: str, known: Fields, at: str) -> str:
    """Return the known field whose name is most like another: one beside it, or one elsewhere."""
    beside = _alike(name, known)
    if beside:
        return f"{at}.{beside}".lstrip(".")
    everywhere = dict(reversed([(path.rpartition(".")[2], path) for path in _paths(ROLLOUT, "")]))
    elsewhere = _alike(name, everywhere)
    return everywhere.get(elsewhere, "")


def _alike(name: str, known: Mapping[str, Any]) -> str:
    by_letters = {one.lower(): one for one in reversed(list(known))}
    found = difflib.get_close_matches(name.lower(), by_letters, n=1, cutoff=0.7)
    return by_letters[found[0]] if found else ""


def _paths(known: Fields, at: str) -> Iterator[str]:
    for name, inner in known.items():
        path = f"{at}.{name}".lstrip(".")
        yield path
        if inner is not None:
            yield from _paths(inner, path)
