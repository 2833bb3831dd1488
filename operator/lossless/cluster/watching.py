"""List and watch of one resource path: a store that follows the cluster, and its changes.

Theory of operation. A list gives every object and a resource version; a watch from that version
gives what happens next. When the server has forgotten the version (410 Gone), or a stream cannot
be trusted (garbage, an error event), the list is taken anew and compared with the store: what is
missing from it is reported as deleted. So there are no ghosts, which a watch alone would keep for
whatever vanished while nobody was watching.

The store keeps what ``parse`` returns and nothing else: 5,000 raw pods are some 250 MB.
"""

import asyncio
import json
import random
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, Generic, NamedTuple, TypeVar

import structlog

from lossless.cluster.client import Client, Raw
from lossless.cluster.errors import (
    ApiError,
    ForbiddenError,
    GoneError,
    SilentError,
    ThrottledError,
    UnreachableError,
    error_of,
)

T = TypeVar("T")
_log: Final = structlog.get_logger(__name__)


class Key(NamedTuple):
    """Which object of a resource."""

    namespace: str
    """Empty for cluster-scoped resources."""
    name: str


class Change(StrEnum):
    """What happened to an object."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"


@dataclass(frozen=True, slots=True)
class Changed(Generic[T]):
    """One object has changed; the store holds the new state already."""

    change: Change
    key: Key
    object: T
    """As ``parse`` returned it; for DELETED the last state that was seen."""


@dataclass(frozen=True, slots=True)
class Synced:
    """A list is complete: the store holds every object there is, and no other."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds that rule a watch."""

    server_timeout: float = 300.0
    """The server ends a watch in order after about so long."""
    relist: float = 0.0
    """List anew at least so often, whatever the watch says; 0: only when it must."""
    silence: float = 90.0
    """Without a byte for so long it connects anew; bookmarks come about once a minute."""
    backoff_first: float = 0.5
    backoff_most: float = 30.0
    short: float = 1.0
    """A watch that ends sooner, and without an event, counts as a failure."""


PAGE: Final = 500
#: Failed watches from one version before it is given up for a new list.
_TRIES_PER_VERSION: Final = 3


_BOOKMARK: Final = "BOOKMARK"
_ERROR: Final = "ERROR"
_KINDS: Final = frozenset({*Change, _BOOKMARK})


class _Version(NamedTuple):
    uid: str
    resource_version: str


class _BrokenStreamError(ApiError):
    """The stream said something that cannot be trusted; only a new list can."""


class Watch(Generic[T]):
    """Follows one resource path. Iterate ``events()`` once; read ``objects`` at any time."""

    def __init__(  # noqa: PLR0913 # all but three are keywords with defaults
        self,
        client: Client,
        path: str,
        parse: Callable[[Raw], T],
        *,
        label_selector: str = "",
        field_selector: str = "",
        timing: Timing = Timing(),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Describe what to follow; nothing is sent before ``events()`` is iterated.

        Args:
            client: where to ask.
            path: of a collection, see ``resource_path``.
            parse: makes of a raw object what the store keeps. It must not raise and must not
                keep the raw object unless that is small; what it raises ends ``events()``.
            label_selector: as in ``kubectl -l``; applied by the server.
            field_selector: as in ``kubectl --field-selector``.
            timing: see there.
            clock: monotonic seconds.
        """
        self._client = client
        self._path = path
        self._parse = parse
        self._selectors = {
            name: value
            for name, value in (
                ("labelSelector", label_selector),
                ("fieldSelector", field_selector),
            )
            if value
        }
        self._timing = timing
        self._clock = clock
        self._objects: dict[Key, T] = {}
        self._versions: dict[Key, _Version] = {}
        self._synced = False
        self._forbidden = False
        self._contact: float | None = None
        self._listed = 0.0
        self._failures = 0
        self._log = _log.bind(path=path)

    @property
    def objects(self) -> Mapping[Key, T]:
        """A live, read-only view of the store."""
        return MappingProxyType(self._objects)

    @property
    def synced(self) -> bool:
        """Whether a list has been completed at least once."""
        return self._synced

    @property
    def forbidden(self) -> bool:
        """Whether the server's last answer was that we may not see this."""
        return self._forbidden

    def silence(self) -> float:
        """Return the seconds since the server was last heard; infinite if it never was."""
        return float("inf") if self._contact is None else self._clock() - self._contact

    async def events(self) -> AsyncGenerator[Changed[T] | Synced, None]:
        """Yield changes for ever; ends only by cancellation, ``aclose()`` or a raising ``parse``.

        No API error ends it: it retries with backoff and jitter, logs, and ``silence()`` grows.
        """
        version = ""
        while True:
            try:
                if not version or self._relist_is_due():
                    listed, version = await self._list()
                    for change in self._replace_all(listed):
                        yield change
                    self._synced, self._forbidden = True, False
                    self._listed = self._clock()
                    yield Synced()
                began, heard = self._clock(), False
                async with aclosing(self._watch(version)) as stream:
                    async for kind, raw in stream:
                        heard, self._failures = True, 0
                        version = raw["metadata"]["resourceVersion"]
                        for change in self._take(kind, raw):
                            yield change
                if heard or self._clock() - began >= self._timing.short:
                    self._failures = 0
                else:
                    await self._back_off(UnreachableError("the watch ended as soon as it began"))
            except SilentError:
                # Bookmarks are not promised, so silence may mean that nothing happens: the next
                # connection tells, from the same version.
                self._log.info("watch silent", seconds=self._timing.silence)
            except ApiError as error:
                self._forbidden = isinstance(error, ForbiddenError)
                unheard = isinstance(error, UnreachableError | ThrottledError)
                if not unheard or self._failures >= _TRIES_PER_VERSION:
                    version = ""
                await self._back_off(error)

    def _relist_is_due(self) -> bool:
        return 0 < self._timing.relist <= self._clock() - self._listed

    async def _back_off(self, error: ApiError) -> None:
        self._failures += 1
        pause = 0.0
        if self._failures > 1 or not isinstance(error, GoneError):
            exponent = min(self._failures - 1, 16)
            ceiling = min(self._timing.backoff_most, self._timing.backoff_first * 2**exponent)
            jittered = ceiling * random.uniform(0.5, 1.0)  # noqa: S311 # jitter
            pause = max(error.retry_after, jittered)
        told = {"failures": self._failures, "retry_in": round(pause, 2)}
        if isinstance(error, GoneError):
            self._log.info("relist", cause=str(error), **told)
        else:
            self._log.warning("watch failed", error=str(error), **told)
        await asyncio.sleep(pause)

    async def _list(self) -> tuple[dict[Key, tuple[_Version, T]], str]:
        """Return every object, parsed, and the resource version of the list."""
        found: dict[Key, tuple[_Version, T]] = {}
        params = {**self._selectors, "limit": str(PAGE)}
        while True:
            try:
                page = await self._client.get(self._path, params)
            except GoneError:
                if "continue" not in params:
                    raise
                # The first pages are too old to go on with: all at once, as client-go does.
                found, params = {}, dict(self._selectors)
                continue
            self._contact = self._clock()
            metadata, items = page.get("metadata"), page.get("items")
            version = metadata.get("resourceVersion") if isinstance(metadata, dict) else None
            if not isinstance(metadata, dict) or not isinstance(items, list | None) or not version:
                raise UnreachableError("the answer is not a list", request=f"GET {self._path}")
            for raw in items or ():
                try:
                    key, identity = _key(raw), _version(raw)
                except (KeyError, TypeError, AttributeError) as error:
                    raise UnreachableError(
                        "the list holds what is not an object", request=f"GET {self._path}"
                    ) from error
                found[key] = identity, self._parse(raw)
            if not metadata.get("continue"):
                return found, str(version)
            params["continue"] = metadata["continue"]
            # Parsing many pages must not keep everything else in this process waiting.
            await asyncio.sleep(0)

    async def _watch(self, version: str) -> AsyncGenerator[tuple[str, Raw], None]:
        """Yield what the server says, checked to be an event about an object."""
        timing = self._timing
        longest = min(timing.server_timeout, timing.relist or timing.server_timeout)
        seconds = max(1, round(longest * random.uniform(0.9, 1.1)))  # noqa: S311 # jitter
        params = {
            **self._selectors,
            "watch": "true",
            "resourceVersion": version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(seconds),
        }
        async with self._client.stream(self._path, params, silence=timing.silence) as lines:
            self._contact = self._clock()
            async for line in lines:
                self._contact = self._clock()
                if not line.endswith(b"\n"):
                    raise UnreachableError("the watch was cut in the middle of an event")
                yield _event(line)

    def _take(self, kind: str, raw: Raw) -> list[Changed[T]]:
        if kind == _BOOKMARK:
            return []
        key, parsed = _key(raw), self._parse(raw)
        if kind != Change.DELETED:
            return self._put(key, _version(raw), parsed)
        if self._versions.pop(key, None) is None:
            return []
        del self._objects[key]
        return [Changed(Change.DELETED, key, parsed)]

    def _replace_all(self, listed: Mapping[Key, tuple[_Version, T]]) -> list[Changed[T]]:
        changes = [self._forget(key) for key in [*self._objects] if key not in listed]
        for key, (version, parsed) in listed.items():
            changes += self._put(key, version, parsed)
        return changes

    def _put(self, key: Key, version: _Version, parsed: T) -> list[Changed[T]]:
        known = self._versions.get(key)
        if known == version:
            return []
        changes: list[Changed[T]] = []
        if known is not None and known.uid != version.uid:
            changes.append(self._forget(key))
            known = None
        self._objects[key], self._versions[key] = parsed, version
        changes.append(Changed(Change.MODIFIED if known else Change.ADDED, key, parsed))
        return changes

    def _forget(self, key: Key) -> Changed[T]:
        del self._versions[key]
        return Changed(Change.DELETED, key, self._objects.pop(key))


def _event(line: bytes) -> tuple[str, Raw]:
    """Return the kind and the object that one line of a watch stands for.

    What a bad line held is not told: it may be part of a Secret.
    """
    try:
        event = json.loads(line)
        kind, raw = event["type"], event["object"]
        if kind == _ERROR:
            broken = error_of(int(raw["code"]), json.dumps(raw))
        elif kind in _KINDS and _version(raw).resource_version and (kind == _BOOKMARK or _key(raw)):
            return kind, raw
        else:
            broken = _BrokenStreamError("a watch event without a known type or a version")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _BrokenStreamError(f"a line of {len(line)} bytes is no watch event") from error
    if isinstance(broken, GoneError | _BrokenStreamError):
        raise broken
    raise _BrokenStreamError(f"the server ended the watch: {broken}")


def _key(raw: Mapping[str, Any]) -> Key:
    metadata = raw["metadata"]
    return Key(metadata.get("namespace", ""), metadata["name"])


def _version(raw: Mapping[str, Any]) -> _Version:
    metadata = raw["metadata"]
    return _Version(metadata.get("uid", ""), metadata["resourceVersion"])
