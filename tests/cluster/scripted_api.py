"""An API server that answers lists and watches exactly as a test has written down."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from kubernetes.aio.client.api_client import ApiClient
from kubernetes.aio.client.configuration import Configuration

from lossless.cluster.client import Client, Raw, Timeouts

#: What a watch does next: write these bytes, or a step below.
Step = bytes | str
CUT = "cut the connection"
END = "end in order"
HANG = "say nothing more"
ERROR = "answer 503 with a body that is longer than what follows"

PATH = "/api/v1/namespaces/shop/pods"


def pod(name: str, version: int, uid: str | None = None) -> Raw:
    """Return a pod-like object."""
    return {
        "metadata": {
            "namespace": "shop",
            "name": name,
            "uid": uid or f"uid-{name}",
            "resourceVersion": str(version),
        }
    }


def listing(version: int, *items: Raw, more: str = "") -> web.Response:
    """Return a page of a list; ``more`` is its continue token."""
    metadata = {"resourceVersion": str(version)} | ({"continue": more} if more else {})
    return web.json_response({"kind": "PodList", "metadata": metadata, "items": list(items)})


def status(code: int, reason: str = "") -> web.Response:
    """Return a refusal as an API server words it."""
    body = {"kind": "Status", "code": code, "reason": reason, "message": f"{reason} says the test"}
    return web.json_response(body, status=code)


def event(kind: str, raw: Raw) -> bytes:
    """Return one line of a watch."""
    return json.dumps({"type": kind, "object": raw}).encode() + b"\n"


class ScriptedApi:
    """Answers from two queues; an empty list queue repeats its last entry, an empty watch hangs."""

    def __init__(self) -> None:
        self.lists: deque[Callable[[], web.Response]] = deque()
        self.watches: deque[list[Step] | web.Response] = deque()
        self.queries: list[dict[str, str]] = []
        self.url = ""

    def watched_from(self) -> list[str]:
        """Return the resource version of every watch so far."""
        return [q["resourceVersion"] for q in self.queries if "watch" in q]

    def listed(self) -> int:
        """Return how many pages of lists were asked for."""
        return sum("watch" not in q for q in self.queries)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer the next entry of the script."""
        self.queries.append(dict(request.query))
        if "watch" not in request.query:
            answer = self.lists.popleft() if len(self.lists) > 1 else self.lists[0]
            return answer()
        script = self.watches.popleft() if self.watches else [HANG]
        if isinstance(script, web.Response):
            return script
        # What begins with an error is one, with a body that its length does not end.
        broken = script[:1] == [ERROR]
        response = web.StreamResponse(
            status=503 if broken else 200,
            headers={"Content-Type": "application/json"}
            | ({"Content-Length": "500"} if broken else {}),
        )
        await response.prepare(request)
        for step in script:
            if isinstance(step, bytes):
                await response.write(step)
            elif step == CUT:
                assert request.transport is not None
                request.transport.abort()
                break
            elif step == HANG:
                await asyncio.sleep(60)
        return response


@asynccontextmanager
async def scripted_api() -> AsyncIterator[ScriptedApi]:
    """Run a server on loopback for the length of the block."""
    api = ScriptedApi()
    app = web.Application()
    app.router.add_get(PATH, api.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    api.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield api
    finally:
        await runner.cleanup()


def client_of(url: str, **timeouts: Any) -> Client:
    """Return a client for a plain HTTP server."""
    return Client(ApiClient(Configuration(host=url)), Timeouts(**timeouts))
