"""What the agent costs in a pod: memory, start, idle CPU, and the time of a look.

``python bench/agent.py`` opens connections on loopback in processes of its own and prints two
tables. The resources that the webhook requests for the injected container follow from them.
"""

import argparse
import asyncio
import contextlib
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
OPERATOR: Final = ROOT / "operator"
sys.path.insert(0, str(OPERATOR))

from lossless.agent import start_drain  # noqa: E402 # the path comes first
from lossless.agent.clock import Clock  # noqa: E402 # the same
from lossless.agent.ledger import Ledger  # noqa: E402 # the same
from lossless.agent.proc_net import parse_tcp  # noqa: E402 # the same
from lossless.agent.sampler import Sampler  # noqa: E402 # the same
from lossless.agent.settings import PREFIX_ENV  # noqa: E402 # the same
from lossless.agent.sockets import Sockets  # noqa: E402 # the same
from lossless.model import names  # noqa: E402 # the same
from lossless.model.agent_config import AgentConfig  # noqa: E402 # the same
from lossless.model.policy import DrainPolicy  # noqa: E402 # the same

#: Connections of one client process: each takes two descriptors.
CHUNK: Final = 5000
#: Seconds after which something that should happen has not.
PATIENCE: Final = 60.0

_CLIENTS: Final = """
import resource, socket, sys
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
ends = []
for _ in range(int(sys.argv[1])):
    client = socket.create_connection(listener.getsockname())
    server = listener.accept()[0]
    client.sendall(b"GET / HTTP/1.1\\r\\n\\r\\n")
    server.recv(100)
    server.sendall(b"HTTP/1.1 204 No Content\\r\\n\\r\\n")
    ends.append((client, server))
print(listener.getsockname()[1], flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def connections(count: int) -> Iterator[tuple[int, ...]]:
    """Hold ``count`` answered connections on loopback; yield the ports they go to."""
    with contextlib.ExitStack() as stack:
        ports = []
        for start in range(0, count, CHUNK):
            clients = subprocess.Popen(  # noqa: S603 # this interpreter, the text above
                [sys.executable, "-c", _CLIENTS, str(min(CHUNK, count - start))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            stack.callback(clients.communicate)
            if clients.stdout is None:
                raise AssertionError("a pipe was asked for")
            ports.append(int(clients.stdout.readline()))
        yield tuple(ports)


class Agent:
    """A real agent as a process of its own; its connections are all inside, and remembered."""

    def __init__(self, root: Path) -> None:
        """Start it with its files under ``root`` and a drain that does not end by itself."""
        self.status_file = root / names.STATUS_FILE[1:]
        self.control = root / names.CONTROL_SOCKET[1:]
        self._log = root / "log"
        for path in (self.status_file, self.control):
            path.parent.mkdir(parents=True)
        policy = DrainPolicy(quiet=600.0, timeout=3600.0)
        config = AgentConfig(rollout="bench", ports=(), drain=policy, agent_port=_free_port())
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join([str(OPERATOR), *sys.path[1:]]),
            PREFIX_ENV: str(root),
            names.CONFIG_ENV: config.to_json(),
        }
        self.begun = time.perf_counter()
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(  # noqa: S603 # this interpreter, this package
                [sys.executable, *names.AGENT_COMMAND[1:]],
                env=environment,
                stdout=log,
                stderr=log,
            )

    def wait_for(self, condition: Callable[[], bool]) -> float:
        """Return the seconds from its start until ``condition`` held."""
        while not condition():
            if time.perf_counter() - self.begun > PATIENCE:
                raise TimeoutError(f"the agent did not get that far:\n{self._log.read_text()}")
            time.sleep(0.001)
        return time.perf_counter() - self.begun

    def listens(self) -> bool:
        """Tell whether it answers over HTTP."""
        return b'"listening"' in self._log.read_bytes()

    def drain(self) -> None:
        """Start its drain."""
        start_drain.ask(str(self.control), PATIENCE)

    def resident(self) -> tuple[float, float]:
        """Return its resident memory and the part of it that is its own, in MB."""
        found = {}
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            name, _, value = line.partition(":")
            if name in ("VmRSS", "RssAnon"):
                found[name] = int(value.split()[0]) / 1024
        return found["VmRSS"], found["RssAnon"]

    def cpu(self) -> float:
        """Return its CPU seconds so far, by the scheduler's count."""
        return int(Path(f"/proc/{self.process.pid}/schedstat").read_text().split()[0]) / 1e9

    def stop(self) -> None:
        """End it."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE)


@contextlib.contextmanager
def agent() -> Iterator[Agent]:
    """Run an agent."""
    with tempfile.TemporaryDirectory() as root:
        running = Agent(Path(root))
        try:
            yield running
        finally:
            running.stop()


async def look(ports: tuple[int, ...], rounds: int) -> tuple[float, int]:
    """Return the median CPU seconds of a look, and how many connections it counted."""
    config = AgentConfig(rollout="bench", ports=ports, drain=DrainPolicy())
    ledger = Ledger(config, inside=lambda _local, _peer: False, nodes=())
    sampler = Sampler(Sockets(), ledger, clock=Clock(), log=lambda _event, **_fields: None)
    costs = []
    for _ in range(rounds):
        sample = await sampler.take()
        if sample.problem:
            raise OSError(sample.problem)
        costs.append(sampler.cost)
    known = sampler.known
    return sorted(costs)[rounds // 2], 0 if known is None else known.busy + known.idle


def read_files(rounds: int) -> float:
    """Return the median CPU seconds of reading /proc/net/tcp instead, which tells no ages."""
    costs = []
    for _ in range(rounds):
        begun = time.thread_time()
        for _socket in parse_tcp(Path("/proc/net/tcp").read_text(encoding="ascii")):
            pass
        costs.append(time.thread_time() - begun)
    return sorted(costs)[rounds // 2]


def report_start(rounds: int, seconds: float) -> None:
    """Print the table of an agent that serves."""
    status, listening, resident = [], [], []
    for _ in range(rounds):
        with agent() as running:
            status.append(running.wait_for(running.status_file.exists))
            listening.append(running.wait_for(running.listens))
            resident.append(running.resident())
    with agent() as running:
        running.wait_for(running.listens)
        before = running.cpu()
        time.sleep(seconds)
        used = running.cpu() - before
    rss, own = sorted(resident)[rounds // 2]
    _print(
        ("a pod that serves", ""),
        ("start to status file", f"{sorted(status)[rounds // 2] * 1000:.0f} ms"),
        ("start to listening", f"{sorted(listening)[rounds // 2] * 1000:.0f} ms"),
        ("resident memory", f"{rss:.1f} MB, {own:.1f} MB of it not shared"),
        (f"idle CPU over {seconds:.0f} s", f"{used / seconds * 1000:.2f} millicores"),
    )


def report_sockets(count: int, rounds: int) -> None:
    """Print the table of a pod with ``count`` connections."""
    with connections(count) as ports:
        cost, counted = asyncio.run(look(ports, rounds))
        files = read_files(rounds)
        with agent() as running:
            running.wait_for(running.listens)
            running.drain()
            time.sleep(3.0)
            rss, own = running.resident()
            before = running.cpu()
            time.sleep(10.0)
            used = (running.cpu() - before) / 10.0
    _print(
        (f"{counted} connections", "(the kernel also shows their other ends here)"),
        ("CPU of a look", f"{cost * 1000:.1f} ms"),
        ("/proc/net/tcp instead", f"{files * 1000:.1f} ms"),
        ("resident memory, draining", f"{rss:.1f} MB, {own:.1f} MB of it not shared"),
        ("CPU, draining", f"{used * 1000:.0f} millicores"),
    )


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="looks and starts measured")
    parser.add_argument("--seconds", type=float, default=31.0, help="of an idle agent")
    parser.add_argument("--connections", type=int, nargs="*", default=[100, 10_000])
    options = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    most = (hard - 100) // 2 * (max(options.connections, default=0) // CHUNK + 1)
    report_start(options.rounds, options.seconds)
    for count in options.connections:
        report_sockets(min(count, most), options.rounds)


def _free_port() -> int:
    import socket  # noqa: PLC0415 # only here

    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _print(*rows: tuple[str, str]) -> None:
    for name, value in rows:
        sys.stdout.write(f"{name:<28}{value}\n")
    sys.stdout.write("\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
