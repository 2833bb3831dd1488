"""The three processes with their real servers, and Prometheus' own programs."""

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp
import pytest

from lossless.model.names import METRICS_PATH
from monitoring.exposed import Component
from tests.agent.builders import a_config
from tests.agent.processes import OPERATOR, AgentProcess
from tests.controller.running import DISCOVERY, kubeconfig
from tests.injection.pods import pod, review
from tests.support.fake_kubernetes import fake_kubernetes
from tests.support.free_ports import free_port
from tests.support.raw_objects import (
    DEPLOYMENTS,
    PODS,
    REPLICA_SETS,
    ROLLOUTS,
    raw_deployment,
    raw_pod,
    raw_replica_set,
    raw_rollout,
)
from tests.support.required import cannot_run
from tests.webhook.running import protect, renew, serving

#: Metrics that the agent of ``pages`` does not have: its pod has no close driver.
SOMETIMES: Final = frozenset({"lossless_agent_close_driver_state"})
_CONTROLLER: Final = """
import asyncio, json, sys
from lossless.controller.options import ControllerOptions
from lossless.controller.process import run
asyncio.run(run(ControllerOptions(**json.loads(sys.argv[1]))))
"""


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        cannot_run(f"{name} is not installed: see monitoring/debian-packages.txt")
    return found


@pytest.fixture(scope="session")
def promtool() -> str:
    """Return the path of promtool; without it the test is skipped, or fails if it is required."""
    return _program("promtool")


@pytest.fixture(scope="session")
def prometheus_program() -> str:
    """Return the path of Prometheus, in the same way."""
    return _program("prometheus")


@dataclass(frozen=True, slots=True)
class Pages:
    """Where the three processes serve their metrics."""

    ports: dict[Component, int]
    session: aiohttp.ClientSession

    async def read(self, component: Component) -> str:
        """Return a page as it is served now."""
        url = f"http://127.0.0.1:{self.ports[component]}{METRICS_PATH}"
        async with self.session.get(url) as answer:
            assert answer.status == 200
            return await answer.text()


@pytest.fixture
async def pages(tmp_path: Path) -> AsyncIterator[Pages]:
    """A controller that leads and has looked, a webhook that has answered, a pod that drains."""
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())
        ports = {
            Component.CONTROLLER: await _controller(stack, tmp_path),
            Component.WEBHOOK: await _webhook(stack),
            Component.AGENT: await _agent(stack, tmp_path),
        }
        found = Pages(ports, session)
        await _seen(found, Component.CONTROLLER, 'lossless_rollout_ready{namespace="shop"')
        await _seen(found, Component.WEBHOOK, 'lossless_webhook_reviews_total{result="injected"} 1')
        await _seen(found, Component.AGENT, "lossless_agent_draining 1")
        yield found


async def _seen(pages: Pages, component: Component, text: str) -> None:
    async def shows() -> bool:
        return text in await pages.read(component)

    await _until(shows)


async def _controller(stack: AsyncExitStack, folder: Path) -> int:
    fake, _ = await stack.enter_async_context(fake_kubernetes())
    fake.documents |= DISCOVERY
    fake.put(f"{DEPLOYMENTS}/web", raw_deployment(1))
    fake.put(f"{REPLICA_SETS}/web-new", raw_replica_set("new", 1))
    fake.put(f"{PODS}/n", raw_pod("n"))
    fake.put(f"{ROLLOUTS}/web", raw_rollout())
    port = free_port()
    options = {
        "namespace": "lossless",
        "identity": "controller-0",
        "kubeconfig": kubeconfig(fake.url, folder),
        "host": "127.0.0.1",
        "http_port": port,
    }
    # A process of its own: kopf ends with everything else that runs in its loop.
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-c", _CONTROLLER, json.dumps(options)),
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(OPERATOR), *sys.path[1:]])},
    )
    stack.push_async_callback(process.wait)
    stack.callback(process.terminate)
    await _until(_listens(port))
    return port


async def _webhook(stack: AsyncExitStack) -> int:
    fake, client = await stack.enter_async_context(fake_kubernetes())
    protect(fake)
    renew(fake)
    running = await stack.enter_async_context(serving(fake, client))
    await running.ask(review(pod()))
    return running.webhook.http_port


async def _agent(stack: AsyncExitStack, folder: Path) -> int:
    config = a_config(agent_port=free_port(), propagation=60.0)
    agent = stack.enter_context(AgentProcess(folder, config))
    await _until(_listens(config.agent_port))
    await asyncio.to_thread(agent.drain)
    return config.agent_port


def _listens(port: int) -> Callable[[], Awaitable[bool]]:
    async def listens() -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return False
        writer.close()
        await writer.wait_closed()
        return True

    return listens


async def _until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(15):
        while not await holds():  # noqa: ASYNC110 # another process sets no Event of ours
            await asyncio.sleep(0.05)
