"""Every request ends, and what came back instead of an answer is told apart."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from lossless.cluster.client import Client, ConfigurationError, resource_path
from lossless.cluster.errors import (
    AlreadyExistsError,
    ApiError,
    ConflictError,
    ForbiddenError,
    GoneError,
    InvalidError,
    NotFoundError,
    ThrottledError,
    UnreachableError,
    error_of,
)
from tests.cluster.scripted_api import client_of
from tests.support.free_ports import free_port


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        pytest.param({"api_version": "v1", "plural": "pods"}, "/api/v1/pods", id="core"),
        pytest.param(
            {"api_version": "v1", "plural": "pods", "namespace": "a", "name": "b"},
            "/api/v1/namespaces/a/pods/b",
            id="namespaced",
        ),
        pytest.param(
            {"api_version": "apps/v1", "plural": "deployments", "namespace": "a"},
            "/apis/apps/v1/namespaces/a/deployments",
            id="group",
        ),
        pytest.param(
            {"api_version": "v1", "plural": "nodes", "name": "a", "subresource": "status"},
            "/api/v1/nodes/a/status",
            id="subresource",
        ),
        pytest.param(
            {"api_version": "v1", "plural": "pods", "namespace": "../x", "name": "a?b"},
            "/api/v1/namespaces/..%2Fx/pods/a%3Fb",
            id="quoted",
        ),
    ],
)
def test_resource_paths(arguments: dict[str, str], path: str) -> None:
    """Names come from objects, so they are quoted."""
    assert resource_path(**arguments) == path


@pytest.mark.parametrize(
    ("status", "reason", "kind"),
    [
        (400, "BadRequest", InvalidError),
        (401, "Unauthorized", ForbiddenError),
        (403, "Forbidden", ForbiddenError),
        (404, "NotFound", NotFoundError),
        (409, "Conflict", ConflictError),
        (409, "AlreadyExists", AlreadyExistsError),
        (410, "Expired", GoneError),
        (422, "Invalid", InvalidError),
        (429, "TooManyRequests", ThrottledError),
        (418, "", ApiError),
        (500, "InternalError", UnreachableError),
        (504, "Timeout", UnreachableError),
    ],
)
def test_refusals_are_told_apart(status: int, reason: str, kind: type[ApiError]) -> None:
    """By what the caller has to do next; message and reason are kept."""
    body = json.dumps({"kind": "Status", "reason": reason, "message": "because"})
    error = error_of(status, body, request="GET /x", retry_after="7")

    assert type(error) is kind
    assert (error.status, error.reason, error.retry_after) == (status, reason, 7.0)
    assert str(error) == f"GET /x: {status} because"


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b"\xff", b"[" * 100_000, b"null"])
def test_a_refusal_in_any_words(body: bytes) -> None:
    """Proxies on the way answer what they like; dates in Retry-After are not for us."""
    error = error_of(403, body, retry_after="Mon, 23 Nov 2026 10:00:00 GMT")

    assert isinstance(error, ForbiddenError)
    assert error.retry_after == 0.0
    assert len(str(error)) < 600


@asynccontextmanager
async def answering(
    handler: Callable[[web.Request], Any], **timeouts: float
) -> AsyncIterator[Client]:
    """Run a server with one handler, and return a client for it."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        async with client_of(f"http://127.0.0.1:{runner.addresses[0][1]}", **timeouts) as client:
            yield client
    finally:
        await runner.cleanup()


async def test_what_is_sent() -> None:
    """Method, query, content type and body, as the API server expects them."""
    seen: list[tuple[str, str, dict[str, str], str, Any]] = []

    async def record(request: web.Request) -> web.Response:
        body = json.loads(await request.text()) if request.can_read_body else None
        query = dict(request.query)
        seen.append((request.method, request.path, query, request.content_type, body))
        assert request.headers["User-Agent"].startswith("lossless/")
        return web.json_response({"ok": True})

    async with answering(record) as client:
        await client.get("/p", {"labelSelector": "a in (b,c),d!=e f", "limit": "5"})
        await client.create("/p", {"a": 1})
        await client.replace("/p/x", {"a": 2})
        await client.patch("/p/x", {"a": 3})
        await client.patch("/p/x", [{"op": "add"}], content_type="application/json-patch+json")
        await client.apply("/p/x", {"a": 4}, manager="me")
        await client.delete("/p/x", {"gracePeriodSeconds": 1})
        await client.delete("/p/y")

    json_ = "application/json"
    assert seen == [
        ("GET", "/p", {"labelSelector": "a in (b,c),d!=e f", "limit": "5"}, json_, None),
        ("POST", "/p", {}, json_, {"a": 1}),
        ("PUT", "/p/x", {}, json_, {"a": 2}),
        ("PATCH", "/p/x", {}, "application/merge-patch+json", {"a": 3}),
        ("PATCH", "/p/x", {}, "application/json-patch+json", [{"op": "add"}]),
        (
            "PATCH",
            "/p/x",
            {"fieldManager": "me", "force": "true"},
            "application/apply-patch+yaml",
            {"a": 4},
        ),
        ("DELETE", "/p/x", {}, json_, {"gracePeriodSeconds": 1}),
        ("DELETE", "/p/y", {}, json_, None),
    ]


@pytest.mark.parametrize(
    ("lines", "warnings"),
    [
        pytest.param([], (), id="none"),
        pytest.param(['299 - "one"', '299 - "two"'], ("one", "two"), id="a line each"),
        pytest.param(['299 - "one", 299 - "t,w"'], ("one", "t,w"), id="one line"),
        pytest.param(['299 - "say \\"a\\\\b\\""'], ('say "a\\b"',), id="quoted"),
        pytest.param(["nonsense", '299 - "no end'], (), id="none that can be read"),
    ],
)
async def test_a_dry_run_returns_warnings(lines: list[str], warnings: tuple[str, ...]) -> None:
    """As the API server writes them, or as a proxy may have joined them."""

    async def warn(request: web.Request) -> web.Response:
        assert (request.method, dict(request.query)) == ("POST", {"dryRun": "All"})
        answer = web.json_response({})
        for line in lines:
            answer.headers.add("Warning", line)
        return answer

    async with answering(warn) as client:
        assert await client.dry_run("/p", {"a": 1}) == warnings


async def hang(_: web.Request) -> web.Response:
    """Answer never."""
    await asyncio.sleep(60)
    return web.Response()


async def trickle(request: web.Request) -> web.StreamResponse:
    """Answer a byte at a time, for ever."""
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b" ")
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("handler", [hang, trickle])
async def test_every_request_ends(handler: Callable[[web.Request], Any]) -> None:
    """A server that is slow in any way cannot hold us: the whole request has a deadline."""
    async with answering(handler, total=0.2) as client, asyncio.timeout(3):
        with pytest.raises(UnreachableError, match=r"GET /x: no answer in time"):
            await client.get("/x")


async def test_requests_of_the_official_client_end_too() -> None:
    """Its leader election waits five minutes for an answer by default."""
    async with answering(hang, total=0.2) as client, asyncio.timeout(3):
        with pytest.raises(TimeoutError):
            await client.api.call_api("GET", f"{client.api.configuration.host}/x")


async def test_nobody_listens() -> None:
    """A refused connection is an UnreachableError like any other silence."""
    async with client_of(f"http://127.0.0.1:{free_port()}") as client:
        with pytest.raises(UnreachableError, match="GET /x: "):
            await client.get("/x")


@pytest.mark.parametrize("text", ["", "{", "[]", "7", "[" * 100_000])
async def test_an_answer_that_is_no_object(text: str) -> None:
    """Success with rubbish is no success."""

    async def rubbish(_: web.Request) -> web.Response:
        return web.Response(text=text)

    async with answering(rubbish) as client:
        with pytest.raises(UnreachableError):
            await client.get("/x")


async def test_a_stream_that_is_refused() -> None:
    """The status of a stream is looked at before its lines."""

    async def gone(_: web.Request) -> web.Response:
        return web.json_response({"reason": "Expired", "message": "old"}, status=410)

    async with answering(gone) as client:
        with pytest.raises(GoneError):
            async with client.stream("/x", silence=1.0):
                pass


async def cut(request: web.Request) -> web.StreamResponse:
    """Break off the body of an error, as a proxy does whose upstream has gone."""
    response = web.StreamResponse(status=503, headers={"Content-Length": "500"})
    await response.prepare(request)
    await response.write(b"upstream")
    assert request.transport is not None
    request.transport.close()
    return response


async def stall(request: web.Request) -> web.StreamResponse:
    """Begin the body of an error and say nothing more."""
    response = web.StreamResponse(status=503, headers={"Content-Length": "500"})
    await response.prepare(request)
    await response.write(b"upstream")
    await asyncio.sleep(60)
    return response


@pytest.mark.parametrize("handler", [cut, stall])
async def test_an_error_whose_body_never_ends(handler: Callable[[web.Request], Any]) -> None:
    """The status counts, of a request as of a stream."""
    async with answering(handler, total=0.3) as client, asyncio.timeout(3):
        with pytest.raises(UnreachableError, match="GET /x: 503") as request:
            await client.get("/x")
        with pytest.raises(UnreachableError, match="GET /x: 503") as stream:
            async with client.stream("/x", silence=0.2):
                pass

    assert (request.value.status, stream.value.status) == (503, 503)


async def test_a_new_token_is_used_within_its_life() -> None:
    """In a pod the kubelet replaces the token; a client that read it once would be locked out."""
    seen: list[str | None] = []

    async def record(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Authorization"))
        return web.json_response({})

    async with answering(record) as client:

        def newest(configuration: Any) -> None:
            configuration.api_key["BearerToken"] = f"bearer {len(seen)}"

        client.api.configuration.api_key["BearerToken"] = "bearer first"
        client.api.configuration.refresh_api_key_hook = newest
        await client.get("/x")
        await client.get("/x")

    assert seen == ["bearer 0", "bearer 1"]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        pytest.param(None, "no such file, and this is not a pod", id="missing"),
        pytest.param("{}", "no way to an API server", id="empty"),
    ],
)
async def test_a_kubeconfig_that_cannot_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None, text: str
) -> None:
    """The message says what was tried."""
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    path = tmp_path / "kubeconfig"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConfigurationError, match=text):
        await Client.connect(path)


async def test_a_kubeconfig_that_can(tmp_path: Path) -> None:
    """Server and token are taken from it."""
    path = tmp_path / "kubeconfig"
    path.write_text(
        json.dumps(
            {
                "current-context": "c",
                "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
                "clusters": [{"name": "k", "cluster": {"server": "http://127.0.0.1:1"}}],
                "users": [{"name": "u", "user": {"token": "t"}}],
            }
        )
    )
    async with await Client.connect(path) as client:
        assert client.api.configuration.host == "http://127.0.0.1:1"
        assert client.api.configuration.api_key == {"BearerToken": "Bearer t"}
