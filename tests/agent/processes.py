"""Real agents as processes, with all their files under a directory of the test."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from lossless.agent import start_drain
from lossless.agent.settings import PREFIX_ENV
from lossless.model import names
from lossless.model.drain.agent_config import AgentConfig
from lossless.model.report import Report, parse_report
from tests.support.waiting import eventually_sync

OPERATOR = Path(__file__).parents[2] / "operator"


class AgentProcess:
    """One agent, started as the webhook's container starts it."""

    def __init__(
        self,
        root: Path,
        config: AgentConfig | str,
        *,
        within: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Make its directories.

        Args:
            root: stands in for the container's file system.
            config: what the webhook would put into its environment.
            within: a command that runs it elsewhere (nsenter).
            environment: more variables.
        """
        self.root = root
        self.status_file = root / names.STATUS_FILE[1:]
        self.marker = root / names.DRAIN_MARKER[1:]
        self.control = root / names.CONTROL_SOCKET[1:]
        self.termination_log = root / names.TERMINATION_LOG[1:]
        for path in (self.status_file, self.marker, self.termination_log):
            path.parent.mkdir(parents=True, exist_ok=True)
        text = config if isinstance(config, str) else config.to_json()
        self.environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join([str(OPERATOR), *sys.path[1:]]),
            PREFIX_ENV: str(root),
            names.CONFIG_ENV: text,
            names.POD_NAME_ENV: "web-1",
            names.POD_UID_ENV: "u-1",
        } | dict(environment or {})
        self._command = [*within, sys.executable, *names.AGENT_COMMAND[1:]]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it can be asked to stop."""
        self.control.unlink(missing_ok=True)
        with (self.root / "log").open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 # this interpreter, this package
                self._command, env=self.environment, stdout=log, stderr=log
            )
        eventually_sync(self.control.exists, "the agent listens")

    def drain(self) -> str:
        """Do what its preStop hook does."""
        return start_drain.ask(str(self.control), 10.0)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal; return the exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(10)

    @property
    def log(self) -> str:
        """Everything it has written to its output."""
        return (self.root / "log").read_text()

    def last_words(self) -> Report | None:
        """Return its termination message, if there is one."""
        try:
            return parse_report(self.termination_log.read_text(), uid="u-1")
        except (FileNotFoundError, ValueError):
            return None

    def result(self, within: float = 20.0) -> Report:
        """Return the report of the drain's end."""
        eventually_sync(self.last_words, "the drain has ended", within)
        report = self.last_words()
        assert report is not None
        return report

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)
        if error is not None:
            sys.stderr.write(self.log)
