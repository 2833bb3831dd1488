"""The agent's drain, run for a host: the same rule, the same evidence, the same words."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from lossless.agent.addresses import pack_all, within_host
from lossless.agent.clock import Clock
from lossless.agent.closing import Closing
from lossless.agent.counting import Counting
from lossless.agent.drain import Drain
from lossless.agent.ledger import Ledger
from lossless.agent.log import Log
from lossless.agent.paths import Paths
from lossless.agent.sampler import Sampler
from lossless.agent.settings import Settings
from lossless.agent.sockets import Sockets
from lossless.host.config import HostConfig
from lossless.model.counters import evidence_of
from lossless.model.drain.agent_config import AgentConfig
from lossless.model.report import Report

#: Seconds between two lines of progress.
_TELL: Final = 0.5


def a_sampler(config: HostConfig, clock: Clock, log: Log) -> tuple[Sampler, Ledger]:
    """Return what looks at the host's sockets.

    Only loopback is inside, and the kernel's counter of accepted connections is not used: it
    counts those of every service of the machine.
    """
    nodes, _ = pack_all(config.load_balancer.addresses)
    ledger = Ledger(agent_config(config), inside=within_host, nodes=nodes)
    return Sampler(Sockets(), ledger, clock=clock, log=log, shared=True), ledger


def agent_config(config: HostConfig) -> AgentConfig:
    """Return the host's configuration in the agent's terms.

    A load balancer's health checks are to a host what the kubelet's probes are to a pod. The
    agent's own port is none.
    """
    return AgentConfig(
        rollout="",
        ports=config.ports,
        drain=config.drain,
        probes=config.load_balancer.checks,
        status_files=tuple(config.status_files),
        agent_port=0,
        close=config.close,
        metrics=evidence_of(config.close, config.metrics),
    )


async def drain(
    config: HostConfig,
    directory: Path,
    *,
    clock: Clock,
    log: Log,
    tell: Callable[[str], None],
) -> Report:
    """Tell clients to leave, wait for the evidence or the deadline, and return how it ended.

    A drain that was cut off begins anew, with its whole deadline: how long ago the first one began
    says nothing about clients that have come back since.

    Args:
        config: of the host.
        directory: for the drain's own files.
        clock: for durations.
        log: told what happens.
        tell: told now and then what is waited for.
    """
    paths = Paths(
        status_files=tuple(config.status_files),
        marker=str(directory / "drain.json"),
        control="",
        last_words=str(directory / "drain-report.json"),
        draining=str(directory / "draining"),
    )
    _forget(paths.marker)
    sampler, _ = a_sampler(config, clock, log)
    closing = Closing(config.close, log=log)
    told = agent_config(config)
    running = Drain(
        Settings(config=told, paths=paths, pod=socket.gethostname()),
        sampler,
        clock=clock,
        log=log,
        counters=Counting(told.metrics, clock=clock, log=log).read if told.metrics else None,
        drivers=lambda: closing.states,
    )
    running.ask_to_stop()
    tasks = [asyncio.ensure_future(work) for work in (running.run(), closing.run())]
    try:
        while not running.ended.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(running.ended.wait(), _TELL)
            tell(running.report().reason)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return running.report()


def _forget(marker: str) -> None:
    with suppress(FileNotFoundError):
        Path(marker).unlink()
