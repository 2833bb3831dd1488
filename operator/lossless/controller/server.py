"""Metrics and probes over HTTP."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from lossless.model.names import HEALTH_PATH, METRICS_PATH

READY_PATH = "/readyz"


@asynccontextmanager
async def serving(
    registry: CollectorRegistry,
    *,
    unhealthy_reason: Callable[[], str],
    unready: Callable[[], str],
    host: str | None,
    port: int,
) -> AsyncIterator[int]:
    """Serve for the length of the block; yield the port.

    Args:
        registry: of the metrics.
        unhealthy_reason: why the process should be restarted; empty: it is well.
        unready: why it does not do its work yet; empty: it does.
        host: address to listen on; None: all.
        port: 0 for any that is free.

    Raises:
        OSError: the port is taken.
    """

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(
            body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST}
        )

    def probe(problem: Callable[[], str]) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(_: web.Request) -> web.Response:
            said = problem()
            return web.Response(text=said or "ok", status=503 if said else 200)

        return answer

    app = web.Application()
    app.router.add_get(METRICS_PATH, metrics)
    app.router.add_get(HEALTH_PATH, probe(unhealthy_reason))
    app.router.add_get(READY_PATH, probe(unready))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
