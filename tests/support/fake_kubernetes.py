"""An API server in memory: enough of Kubernetes' semantics for the controller's requests.

It keeps objects by path, lists with label selectors and page by page, watches from the version it
is asked for, checks uids and resource versions, merges pod conditions by type, and applies status.
What it does not know it refuses, so that a test cannot pass by asking for something that was never
answered.
"""

import asyncio
import base64
import copy
import itertools
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import jsonpatch
from aiohttp import web
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration

from lossless.cluster.client import Client, Timeouts

Raw = dict[str, Any]

_CLUSTER_SCOPED = frozenset({"mutatingwebhookconfigurations", "validatingwebhookconfigurations"})


class FakeKubernetes:
    """Objects by path, and a record of every write."""

    def __init__(self) -> None:
        self.objects: dict[str, Raw] = {}
        self.writes: list[tuple[str, str, Raw]] = []
        """Method, path and body."""
        self.requests: list[str] = []
        self.calls: set[tuple[str, str, bool]] = set()
        """Method and path of every request, and whether it is a watch."""
        self.refuse: Callable[[str, str], int | None] = lambda _method, _path: None
        """Returns a status code for a request that is to be refused."""
        self.documents: dict[str, Raw] = {}
        """Answers to other paths, such as those of discovery."""
        self.warnings: tuple[str, ...] = ()
        """Said to every dry run."""
        self.url = ""
        self.longest_page = 0
        """Of all lists that were answered, in objects."""
        self._snapshots: dict[int, list[tuple[str, Raw]]] = {}
        """What lists found whose next pages may be asked for, by version."""
        self._version = itertools.count(1)
        self._watchers: list[tuple[str, str, asyncio.Queue[bytes]]] = []
        self._history: list[_Event] = []

    def put(self, path: str, raw: Raw) -> Raw:
        """Store an object as somebody else would; watchers hear of it."""
        stored = copy.deepcopy(raw)
        metadata = stored.setdefault("metadata", {})
        parts = path.split("/")
        metadata.setdefault("name", parts[-1])
        if "namespaces" in parts:
            metadata.setdefault("namespace", parts[parts.index("namespaces") + 1])
        metadata.setdefault("uid", f"uid-{metadata['name']}")
        metadata["resourceVersion"] = str(next(self._version))
        kind = "MODIFIED" if path in self.objects else "ADDED"
        self.objects[path] = stored
        self._tell(kind, path, stored)
        return stored

    def remove(self, path: str, **last: Any) -> None:
        """Delete an object; watchers hear of it, with its last state."""
        gone = self.objects.pop(path) | last
        gone["metadata"]["resourceVersion"] = str(next(self._version))
        self._tell("DELETED", path, gone)

    def compact(self) -> None:
        """Forget the past as etcd does, so that the next page of a list that began is gone."""
        self._snapshots.clear()

    def written(self, method: str, part: str) -> list[Raw]:
        """Return the bodies written with a method to paths that contain a text."""
        return [body for m, path, body in self.writes if m == method and part in path]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        path = request.path
        self.requests.append(f"{request.method} {path}")
        self.calls.add((request.method, path, "watch" in request.query))
        code = self.refuse(request.method, path)
        if code is not None:
            return _refusal(code, "Refused")
        if "watch" in request.query:
            return await self._watch(request)
        if request.method == "GET":
            return self._read(request)
        if request.method == "POST" and path in self.documents:
            return web.json_response(self.documents[path], status=201)
        body = json.loads(await request.text() or "{}")
        if "dryRun" in request.query:
            return self._pretend(body)
        if request.method == "DELETE":
            answer = self._delete(path)
        elif path.endswith("/eviction"):
            answer = self._evict(path.removesuffix("/eviction"), body)
        else:
            answer = self._write(request.method, path, body, request.content_type)
        if answer.status < 300:
            self.writes.append((request.method, path, body))
        return answer

    def _read(self, request: web.Request) -> web.Response:
        path = request.path
        for known in (self.documents, self.objects):
            if path in known:
                return web.json_response(known[path])
        return self._list(request) if _is_collection(path) else _refusal(404, "NotFound")

    def _pretend(self, body: Raw) -> web.Response:
        answer = web.json_response(body, status=201)
        for text in self.warnings:
            # k8s.io/apimachinery net.NewWarningHeader
            quoted = text.replace("\\", "\\\\").replace('"', '\\"')
            answer.headers.add("Warning", f'299 - "{quoted}"')
        return answer

    def _delete(self, path: str) -> web.Response:
        if path not in self.objects:
            return _refusal(404, "NotFound")
        self.remove(path)
        return web.json_response({"kind": "Status", "status": "Success"})

    def _evict(self, path: str, body: Raw) -> web.Response:
        stored = self.objects.get(path)
        if stored is None:
            return _refusal(404, "NotFound")
        if body["deleteOptions"]["preconditions"]["uid"] != stored["metadata"]["uid"]:
            return _refusal(409, "Conflict")
        if stored["status"].get("phase") != "Pending":
            return _refusal(429, "TooManyRequests")
        self.remove(path)
        return web.json_response({"kind": "Status", "status": "Success"}, status=201)

    def _write(self, method: str, path: str, body: Any, content_type: str) -> web.Response:
        if method == "POST":
            return self._create(path, body)
        target = path.removesuffix("/status")
        stored = self.objects.get(target)
        if stored is None:
            return _refusal(404, "NotFound")
        metadata = (body.get("metadata") or {}) if isinstance(body, dict) else {}
        for field in ("uid", "resourceVersion"):
            if metadata.get(field, stored["metadata"][field]) != stored["metadata"][field]:
                return _refusal(409, "Conflict")
        changed = _changed(method, path, body, content_type, copy.deepcopy(stored))
        if isinstance(changed, web.Response):
            return changed
        return web.json_response(self.put(target, changed))

    def _create(self, path: str, body: Raw) -> web.Response:
        if not _is_collection(path) or "metadata" not in body:
            return _refusal(404, "NotFound")
        target = f"{path}/{body['metadata']['name']}"
        if target in self.objects:
            return _refusal(409, "AlreadyExists")
        return web.json_response(self.put(target, body), status=201)

    def _list(self, request: web.Request) -> web.Response:
        """Answer with a page, as k8s.io/apiserver pkg/storage/etcd3 does.

        Pages are in the order of the keys, all of the state that the first one saw, and say where
        the next one begins. A state that etcd has compacted is 410, with a token that goes on from
        the same key in what there is now.
        """
        token = request.query.get("continue", "")
        if not token:
            version, after = next(self._version), ""
            items = self._selected(request)
        else:
            try:
                told = json.loads(base64.urlsafe_b64decode(token))
                version, after = int(told["rv"]), str(told["start"])
            except ValueError:
                return _refusal(400, "BadRequest")
            if version < 0:
                version, items = next(self._version), self._selected(request)
            elif version in self._snapshots:
                items = self._snapshots[version]
            else:
                return _refusal(410, "Expired", {"continue": _token(-1, after)})
        left = [(where, raw) for where, raw in items if where > after]
        page = left[: int(request.query.get("limit") or 0) or len(left)]
        metadata = {"resourceVersion": str(version)}
        if len(page) < len(left):
            self._snapshots[version] = copy.deepcopy(items)
            metadata["continue"] = _token(version, page[-1][0])
        self.longest_page = max(self.longest_page, len(page))
        return web.json_response({"metadata": metadata, "items": [raw for _, raw in page]})

    def _selected(self, request: web.Request) -> list[tuple[str, Raw]]:
        """Return what a list selects, by key."""
        selector = _selector(request)
        return [
            (where, raw)
            for where, raw in sorted(self.objects.items())
            if _within(where, request.path) and _selected(raw, selector)
        ]

    async def _watch(self, request: web.Request) -> web.StreamResponse:
        lines: asyncio.Queue[bytes] = asyncio.Queue()
        path, selector = request.path, _selector(request)
        entry = (path, selector, lines)
        since = int(request.query.get("resourceVersion") or 0)
        for event in self._history:
            if event.version > since and event.is_for(path, selector):
                lines.put_nowait(event.line)
        self._watchers.append(entry)
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(await lines.get())
        finally:
            self._watchers.remove(entry)

    def _tell(self, kind: str, path: str, raw: Raw) -> None:
        line = json.dumps({"type": kind, "object": raw}).encode() + b"\n"
        event = _Event(int(raw["metadata"]["resourceVersion"]), path, raw, line)
        self._history.append(event)
        for collection, selector, lines in self._watchers:
            if event.is_for(collection, selector):
                lines.put_nowait(line)


@dataclass(frozen=True)
class _Event:
    version: int
    path: str
    object: Raw
    line: bytes

    def is_for(self, collection: str, selector: str) -> bool:
        return _within(self.path, collection) and _selected(self.object, selector)


def _changed(
    method: str, path: str, body: Any, content_type: str, stored: Raw
) -> Raw | web.Response:
    """Return an object after a write, or the refusal."""
    if method == "PUT":
        metadata = stored["metadata"] | (body.get("metadata") or {})
        replaced: Raw = stored | body | {"metadata": metadata}
        return replaced
    match content_type:
        case "application/strategic-merge-patch+json":
            status = stored.setdefault("status", {})
            known = {c["type"]: c for c in status.get("conditions", [])}
            known |= {c["type"]: c for c in body["status"]["conditions"]}
            status["conditions"] = [*known.values()]
        case "application/merge-patch+json":
            return _merged(stored, body)
        case "application/json-patch+json":
            try:
                patched: Raw = jsonpatch.apply_patch(stored, body)
            except jsonpatch.JsonPatchException:
                return _refusal(422, "Invalid")
            return patched
        case "application/apply-patch+yaml":
            key = "status" if path.endswith("/status") else "webhooks"
            stored[key] = body[key]
        case _:
            return _refusal(415, "UnsupportedMediaType")
    return stored


def _is_collection(path: str) -> bool:
    parts = path.split("/")
    if parts[-1] == "namespaces":
        return True
    after = parts[parts.index("namespaces") + 2 :] if "namespaces" in parts else parts[-1:]
    return len(after) == 1 and parts[-2] not in _CLUSTER_SCOPED


def _within(path: str, collection: str) -> bool:
    parts = path.split("/")
    if path.rpartition("/")[0] == collection:
        return True
    if "namespaces" not in parts:
        return False
    at = parts.index("namespaces")
    return "/".join([*parts[:at], parts[-2]]) == collection


def _selector(request: web.Request) -> str:
    """Return both selectors as one: no label has the name of a field."""
    selectors = (request.query.get(name, "") for name in ("labelSelector", "fieldSelector"))
    return ",".join(filter(None, selectors))


def _merged(stored: Raw, patch: Raw) -> Raw:
    """Return ``stored`` after a JSON Merge Patch (RFC 7386)."""
    result = dict(stored)
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            inner = result.get(key)
            result[key] = _merged(inner if isinstance(inner, dict) else {}, value)
        else:
            result[key] = value
    return result


def _selected(raw: Raw, selector: str) -> bool:
    labels = raw["metadata"].get("labels") or {}
    for rule in filter(None, selector.split(",")):
        key, _, value = rule.partition("=")
        if key == "metadata.name":
            if raw["metadata"]["name"] != value:
                return False
            continue
        if key not in labels or (value and labels[key] != value):
            return False
    return True


def _token(version: int, after: str) -> str:
    """Return a continue token: opaque to clients, as the real one's."""
    return base64.urlsafe_b64encode(json.dumps({"rv": version, "start": after}).encode()).decode()


def _refusal(code: int, reason: str, metadata: Raw | None = None) -> web.Response:
    body: Raw = {
        "kind": "Status",
        "metadata": metadata or {},
        "code": code,
        "reason": reason,
        "message": f"{reason}, says the test",
    }
    return web.json_response(body, status=code)


@asynccontextmanager
async def fake_kubernetes() -> AsyncIterator[tuple[FakeKubernetes, Client]]:
    """Run one on loopback for the length of the block, with a client for it."""
    fake = FakeKubernetes()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", fake.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    fake.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    client = Client(ApiClient(Configuration(host=fake.url)), Timeouts(connect=1.0, total=2.0))
    try:
        async with client:
            yield fake, client
    finally:
        await runner.cleanup()
