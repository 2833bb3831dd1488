"""The sample service: what it answers, and how its variants differ."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from e2e.load.client import LoadClient
from e2e.load.plan import Plan
from e2e.sample.image.app import App, the_store
from e2e.sample.manifests import APP, NGINX, Sample, Variant, lossless_rollout, store
from lossless.model.policy import parse_spec
from tests.load.running import ended, run_until
from tests.support.serving import served


@pytest.fixture
async def address() -> AsyncIterator[tuple[str, int]]:
    """A running app."""
    app = App("web-1", "v7")
    async with served(app.serve) as port:
        yield "127.0.0.1", port


async def _ask(address: tuple[str, int], target: str, body: bytes = b"") -> bytes:
    reader, writer = await asyncio.open_connection(*address)
    head = f"POST {target} HTTP/1.1\r\nHost: x\r\ncontent-length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    writer.write_eof()
    try:
        return await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()


async def test_the_app_echoes_and_says_who_it_is(address: tuple[str, int]) -> None:
    """The load client can tell which pod and version answered, and that the body is its own."""
    host, port = address
    client = LoadClient(Plan(f"http://{host}:{port}/", connections=2, think=0.0))
    report = await run_until(client, ended(10))

    assert report.failed == 0
    assert report.pods["web-1"].version == "v7"


async def test_a_body_in_chunks_is_echoed_whole(address: tuple[str, int]) -> None:
    """So a proxy sends on what came over HTTP/2 without a length; the next request is its own."""
    reader, writer = await asyncio.open_connection(*address)
    writer.write(
        b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    )
    writer.write(b"POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\nf")
    writer.write_eof()

    answers = (await reader.read()).split(b"HTTP/1.1 200 OK")
    writer.close()
    await writer.wait_closed()

    assert [answer.rpartition(b"\r\n\r\n")[2] for answer in answers] == [b"", b"abcde", b"f"]


async def test_liveness_fails_from_the_moment_somebody_asks_for_it(
    address: tuple[str, int],
) -> None:
    """Only ``/alive`` changes; the app goes on to serve."""
    assert b" 200 " in await _ask(address, "/alive")
    await _ask(address, "/stick")

    assert b" 500 " in await _ask(address, "/alive")
    assert b" 200 " in await _ask(address, "/healthz")
    assert (await _ask(address, "/", b"hello")).endswith(b"hello")


async def test_a_slow_request_takes_as_long_as_it_says(address: tuple[str, int]) -> None:
    """It is in flight for that long and is then answered."""
    loop = asyncio.get_running_loop()
    begun = loop.time()

    answer = await _ask(address, "/slow?seconds=0.2", b"late")

    assert answer.endswith(b"late")
    assert loop.time() - begun >= 0.2


async def test_a_stopping_app_answers_what_it_has_been_asked() -> None:
    """``finish`` returns only when the request in flight has its answer."""
    app = App("web-1", "v1")
    async with served(app.serve) as port:
        asked = asyncio.create_task(_ask(("127.0.0.1", port), "/slow?seconds=0.3", b"x"))
        await asyncio.sleep(0.1)  # half-way through the request
        await app.finish()

        assert (await asked).endswith(b"x")


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        pytest.param(b"stored\n", "stored", id="stored"),
        pytest.param(b"", "lost: b''", id="the-sidecar-is-gone"),
        pytest.param(b"full\n", "lost: b'full\\n'", id="refused"),
    ],
)
async def test_the_app_knows_what_became_of_its_last_write(answer: bytes, told: str) -> None:
    """An answer that is not the sidecar's yes is a loss."""

    async def sidecar(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(answer)
        writer.close()

    async with served(sidecar) as port:
        store = await the_store(port)

        assert await store.write_last(after=0.0) == told


def _containers(variant: Variant) -> dict[str, dict[str, object]]:
    deployment = Sample(image="localhost/sample:1", variant=variant).deployment()
    containers = deployment["spec"]["template"]["spec"]["containers"]
    return {container["name"]: container for container in containers}


def test_the_variants_differ_only_in_how_they_stop() -> None:
    """Hooks and the nginx configuration apart, all three are one Deployment."""
    plain, sleep, lossless = (_containers(variant) for variant in Variant)

    assert sleep[NGINX].pop("lifecycle") == {"preStop": {"sleep": {"seconds": 10}}}
    assert sleep[APP].pop("lifecycle") == {"preStop": {"sleep": {"seconds": 12}}}
    assert sleep == plain
    assert plain[NGINX].pop("command") != lossless[NGINX].pop("command")
    assert lossless == plain


def test_the_samples_rollout_is_one_the_product_accepts() -> None:
    """The product reads it as it stands, with the durations that were asked for."""
    spec = parse_spec(lossless_rollout({"quiet": "2s"}, paused=True)["spec"])

    assert (spec.drain.quiet, spec.paused, spec.target.name) == (2.0, True, "web")


def test_a_sample_may_have_more_containers() -> None:
    """Fields of its own two are replaced, others are added with the same image and rights."""
    sample = Sample(
        image="localhost/sample:1",
        variant=Variant.SLEEP,
        env={"STORE_PORT": "5432"},
        containers={APP: {"command": ["other"]}, **store()},
        pod={"terminationGracePeriodSeconds": 5},
    )
    spec = sample.deployment()["spec"]["template"]["spec"]
    nginx, app, added = spec["containers"]

    assert [found["name"] for found in spec["containers"]] == [NGINX, APP, "store"]
    assert app["command"] == ["other"]
    assert app["env"] == [
        {"name": "VERSION", "value": "v1"},
        {"name": "STORE_PORT", "value": "5432"},
    ]
    assert (added["image"], added["securityContext"]) == (nginx["image"], nginx["securityContext"])
    assert "lifecycle" not in added
    assert spec["terminationGracePeriodSeconds"] == 5
