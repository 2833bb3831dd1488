"""A real agent as a process of its own, and what the kernel says of it."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from lossless.agent import start_drain
from lossless.agent.settings import PREFIX_ENV
from lossless.model import names
from lossless.model.drain.agent_config import AgentConfig
from lossless.model.policy import DrainPolicy
from tests.support.free_ports import free_port

#: Seconds after which something that should happen has not.
PATIENCE: Final = 60.0


class Agent:
    """A real agent; what it learns of its connections it remembers as in a pod."""

    def __init__(self, root: Path) -> None:
        """Start it with its files under ``root`` and a drain that does not end by itself."""
        self.status_file = root / names.STATUS_FILE[1:]
        self.control = root / names.CONTROL_SOCKET[1:]
        self._log = root / "log"
        for path in (self.status_file, self.control):
            path.parent.mkdir(parents=True)
        policy = DrainPolicy(quiet=600.0, timeout=3600.0)
        config = AgentConfig(rollout="bench", ports=(), drain=policy, agent_port=free_port())
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(sys.path),
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

    def memory(self, kind: str = "VmRSS") -> float:
        """Return its memory in MB.

        Args:
            kind: VmRSS is resident now, VmHWM the most it ever was, RssAnon not shared with
                others (proc_pid_status(5)).
        """
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            name, _, value = line.partition(":")
            if name == kind:
                return int(value.split()[0]) / 1024
        raise ValueError(f"/proc/{self.process.pid}/status has no {kind}")

    def cpu(self, seconds: float) -> float:
        """Return how many millicores it uses in the next ``seconds``, by the scheduler's count."""
        before, began = self._used(), time.perf_counter()
        time.sleep(seconds)
        return (self._used() - before) / (time.perf_counter() - began) * 1000

    def stop(self) -> None:
        """End it."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE)

    def _used(self) -> float:
        return int(Path(f"/proc/{self.process.pid}/schedstat").read_text().split()[0]) / 1e9


@contextlib.contextmanager
def agent() -> Iterator[Agent]:
    """Run an agent."""
    with tempfile.TemporaryDirectory() as root:
        running = Agent(Path(root))
        try:
            yield running
        finally:
            running.stop()
