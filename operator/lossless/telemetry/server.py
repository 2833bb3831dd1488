"""Metrics and probes of a process over HTTP, in the clear."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple, Self

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from lossless.model.names import HEALTH_PATH, METRICS_PATH, READY_PATH


class Probe(NamedTuple):
    """What a probe finds, and says to people."""

    well: bool
    text: str

    @classmethod
    def of(cls, problem: str) -> Self:
        """Return what a probe finds where ``problem`` is; empty: nothing is wrong."""
        return cls(not problem, problem or "ok")


@asynccontextmanager
async def serving(
    registry: CollectorRegistry,
    *,
    healthy: Callable[[], Probe],
    ready: Callable[[], Probe],
    host: str | None,
    port: int,
) -> AsyncIterator[int]:
    """Serve for the length of the block; yield the port.

    Args:
        registry: of the metrics.
        healthy: whether the process may go on; it is restarted otherwise.
        ready: whether it does its work.
        host: address to listen on; None: all.
        port: 0 for any that is free.

    Raises:
        OSError: the port is taken.
    """

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(
            body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST}
        )

    def answering(probe: Callable[[], Probe]) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(_: web.Request) -> web.Response:
            found = probe()
            return web.Response(text=found.text, status=200 if found.well else 503)

        return answer

    app = web.Application()
    app.router.add_get(METRICS_PATH, metrics)
    app.router.add_get(HEALTH_PATH, answering(healthy))
    app.router.add_get(READY_PATH, answering(ready))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
