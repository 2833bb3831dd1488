"""An agent that answers what a test says, on loopback, for any pod."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from lossless.model.names import REPORT_PATH


class FakeAgent:
    """What it answers, and how often it was asked."""

    def __init__(self) -> None:
        self.status = 200
        self.text = "{}"
        self.asked = 0
        self.port = 0

    async def report(self, _: web.Request) -> web.Response:
        """Answer once more."""
        self.asked += 1
        return web.Response(text=self.text, status=self.status)


@asynccontextmanager
async def fake_agent() -> AsyncIterator[FakeAgent]:
    """Run one for the length of the block."""
    agent = FakeAgent()
    app = web.Application()
    app.router.add_get(REPORT_PATH, agent.report)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        agent.port = runner.addresses[0][1]
        yield agent
    finally:
        await runner.cleanup()
