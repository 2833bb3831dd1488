"""Ways of one look at all connections: the agent's two, ``ss -tni``, and ``/proc/net/tcp``."""

import asyncio
import resource
import statistics
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lossless.agent.clock import Clock
from lossless.agent.ledger import Ledger
from lossless.agent.proc_net import parse_tcp
from lossless.agent.sampler import Sampler
from lossless.agent.sockets import Sockets
from lossless.model.drain.agent_config import AgentConfig
from lossless.model.drain.evidence import TcpState
from lossless.model.policy import DrainPolicy

AGENT: Final = "the agent's look (sock_diag)"
FALLBACK: Final = "the same by /proc/net/tcp"
FILES: Final = "/proc/net/tcp only parsed"
SS: Final = "ss -tni, its text not parsed"


@dataclass(frozen=True)
class Look:
    """What one look took."""

    wall: float
    """Seconds until the answer was there."""
    cpu: float
    """Seconds of CPU, the kernel's part included."""
    sockets: int
    """Connections in it."""


def compare(ports: tuple[int, ...], rounds: int) -> dict[str, Look]:
    """Look in every way by turns, so that what else the machine does meets all; return medians."""
    ways: dict[str, Callable[[], Look]] = {
        AGENT: _agent(ports, Sockets(), "sock_diag"),
        FALLBACK: _agent(ports, Sockets(protocol=None), "proc"),
        FILES: _files,
        SS: _ss,
    }
    found: dict[str, list[Look]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, look in ways.items():
            found[name].append(look())
    return {
        name: Look(
            statistics.median(one.wall for one in looks),
            statistics.median(one.cpu for one in looks),
            min(one.sockets for one in looks),
        )
        for name, looks in found.items()
    }


def _agent(ports: tuple[int, ...], sockets: Sockets, source: str) -> Callable[[], Look]:
    config = AgentConfig(rollout="bench", ports=ports, drain=DrainPolicy())
    ledger = Ledger(config, inside=lambda _local, _peer: False, nodes=())
    sampler = Sampler(sockets, ledger, clock=Clock(), log=lambda _event, **_fields: None)
    runner = asyncio.Runner()

    def look() -> Look:
        began = time.perf_counter()
        sample = runner.run(sampler.take())
        wall = time.perf_counter() - began
        if sample.problem or sampler.source != source:
            raise OSError(sample.problem or f"the agent read {sampler.source}")
        return Look(wall, sampler.cost, sample.busy + sample.idle)

    return look


def _ss() -> Look:
    before, began = _children(), time.perf_counter()
    text = subprocess.run(["ss", "-tniH"], check=True, capture_output=True).stdout  # noqa: S607 # found on PATH
    wall = time.perf_counter() - began
    return Look(wall, _children() - before, text.count(b"ESTAB"))


def _files() -> Look:
    began, used = time.perf_counter(), time.thread_time()
    found = 0
    for one in parse_tcp(Path("/proc/net/tcp").read_text(encoding="ascii")):
        found += one.state == TcpState.ESTABLISHED
    return Look(time.perf_counter() - began, time.thread_time() - used, found)


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
