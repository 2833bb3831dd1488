"""A real Prometheus that scrapes what it is aimed at, and its HTTP API.

https://prometheus.io/docs/prometheus/latest/querying/api/
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import yaml

from e2e.support.eventually import eventually
from e2e.support.testbed import ROOT

PROGRAM: Final = "prometheus"
_START: Final = 60.0
#: Prints an answer of the API, also that to a query which cannot be parsed (HTTP status 400).
_FETCH: Final = """
import sys, urllib.error, urllib.request
try:
    answer = urllib.request.urlopen(sys.argv[1], timeout=10)
except urllib.error.HTTPError as refusal:
    answer = refusal
sys.stdout.write(answer.read().decode())
"""


class QueryRefused(RuntimeError):  # noqa: N818 # reads as the thing that happened
    """Prometheus did not answer a question; says why, for example where it cannot be parsed."""


@dataclass(frozen=True, slots=True)
class Prometheus:
    """One that runs."""

    port: int
    folder: Path
    command: Callable[[Sequence[str]], list[str]]
    """Makes a command line into one that runs where Prometheus does."""

    def aim(self, targets: Mapping[str, Sequence[str]]) -> None:
        """Scrape these from now on.

        Args:
            targets: ``address:port`` by component, which becomes the label ``aimed_at``.
        """
        groups = [
            {"targets": list(addresses), "labels": {"aimed_at": component}}
            for component, addresses in targets.items()
        ]
        fresh = self.folder / "targets.new"
        fresh.write_text(json.dumps(groups))
        # Prometheus must never read a half of it.
        fresh.replace(self.folder / "targets.json")

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Return the series that an expression has now, each with ``metric`` and ``value``.

        Raises:
            QueryRefused: it cannot be parsed or run.
        """
        found: list[dict[str, Any]] = self._ask(f"query?query={quote(expression)}")["result"]
        return found

    def rules(self) -> list[dict[str, Any]]:
        """Return the rules, each with its ``health``, ``state`` and ``lastError``."""
        return [rule for group in self._ask("rules")["groups"] for rule in group["rules"]]

    def down(self) -> list[str]:
        """Return the targets that cannot be scraped, with the errors."""
        return [
            f"{target['scrapeUrl']}: {target['lastError'] or target['health']}"
            for target in self._ask("targets?state=active")["activeTargets"]
            if target["health"] != "up"
        ]

    def scraped(self) -> bool:
        """Whether it has targets, and every one answered the last time."""
        return bool(self.query("up")) and not self.down()

    def ready(self) -> bool:
        """Whether it answers."""
        try:
            return self.query("vector(1)") != []
        except (QueryRefused, subprocess.SubprocessError):
            return False

    def _ask(self, what: str) -> dict[str, Any]:
        url = f"http://127.0.0.1:{self.port}/api/v1/{what}"
        done = subprocess.run(
            self.command([sys.executable, "-c", _FETCH, url]),
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
        try:
            answer: dict[str, Any] = json.loads(done.stdout)
        except ValueError as error:
            raise QueryRefused(f"{what}: {done.stdout[:200]!r}") from error
        if answer["status"] != "success":
            raise QueryRefused(f"{what}: {answer['error']}")
        data: dict[str, Any] = answer["data"]
        return data


@contextmanager
def prometheus(
    folder: Path,
    port: int,
    rules: Sequence[Path],
    command: Callable[[Sequence[str]], list[str]] = list,
) -> Iterator[Prometheus]:
    """Have a Prometheus run until the end; it scrapes and evaluates every second.

    Args:
        folder: an existing one, for its configuration, its data and its log.
        port: on the loopback of wherever it runs.
        rules: files with alerts.
        command: makes a command line into one that runs elsewhere.
    """
    made = Prometheus(port, folder, command)
    made.aim({})
    config = folder / "prometheus.yaml"
    config.write_text(yaml.safe_dump(_config(made.folder, rules)))
    argv = [
        PROGRAM,
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=warn",
    ]
    with (folder / "prometheus.log").open("w") as log:
        process = subprocess.Popen(
            command(argv), cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
        try:
            eventually(
                lambda: made.ready() or process.poll() is not None,
                what=f"Prometheus to answer; its log: {log.name}",
                within=_START,
            )
            assert process.poll() is None, Path(log.name).read_text()
            yield made
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _config(folder: Path, rules: Sequence[Path]) -> dict[str, Any]:
    return {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(path.resolve()) for path in rules],
        "scrape_configs": [
            {
                "job_name": "lossless",
                # As the chart's PodMonitors: `namespace` is the LosslessRollout's.
                "honor_labels": True,
                "file_sd_configs": [
                    {"files": [str(folder / "targets.json")], "refresh_interval": "1s"}
                ],
            }
        ],
    }
