"""A real Prometheus that scrapes what it is aimed at, and its HTTP API.

https://prometheus.io/docs/prometheus/latest/querying/api/
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, unquote

import yaml

from e2e.support.programs import running_program
from e2e.support.testbed import ROOT

PROGRAM: Final = "prometheus"
_START: Final = 60.0
#: Prints answers of the API, a line each, also those to what cannot be parsed (HTTP status 400).
_FETCH: Final = """
import json, sys, urllib.error, urllib.request
for url in json.load(sys.stdin):
    try:
        answer = urllib.request.urlopen(url, timeout=10)
    except urllib.error.HTTPError as refusal:
        answer = refusal
    print(answer.read().decode().replace(chr(10), " "))
"""

#: A series: ``metric``, its labels, and ``value``, a time and a text.
Series = dict[str, Any]


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

    def query(self, expression: str) -> list[Series]:
        """Return the series that an expression has now.

        Raises:
            QueryRefused: it cannot be parsed or run.
        """
        return self.queries([expression])[expression]

    def queries(self, expressions: Iterable[str]) -> dict[str, list[Series]]:
        """Return the same for several, by expression.

        Raises:
            QueryRefused: one cannot be parsed or run.
        """
        asked = list(dict.fromkeys(expressions))
        answers = self._ask(*(f"query?query={quote(expression)}" for expression in asked))
        return {
            expression: answer["result"] for expression, answer in zip(asked, answers, strict=True)
        }

    def rules(self) -> list[dict[str, Any]]:
        """Return the rules, each with its ``health``, ``state`` and ``lastError``."""
        return [rule for group in self._ask("rules")[0]["groups"] for rule in group["rules"]]

    def down(self) -> list[str]:
        """Return the targets that cannot be scraped, with the errors."""
        return [
            f"{target['scrapeUrl']}: {target['lastError'] or target['health']}"
            for target in self._ask("targets?state=active")[0]["activeTargets"]
            if target["health"] != "up"
        ]

    def scraped(self) -> bool:
        """Whether it has targets, and every one answered the last time."""
        return bool(self.query("up")) and not self.down()

    def ready(self) -> bool:
        """Whether it answers."""
        try:
            return self.query("vector(1)") != []
        except (QueryRefused, subprocess.CalledProcessError):
            # It still starts, or nobody listens yet.
            return False

    def _ask(self, *what: str) -> list[dict[str, Any]]:
        urls = [f"http://127.0.0.1:{self.port}/api/v1/{one}" for one in what]
        done = subprocess.run(
            self.command([sys.executable, "-c", _FETCH]),
            cwd=ROOT,
            input=json.dumps(urls),
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        answers = []
        for one, line in zip(what, done.stdout.splitlines(), strict=True):
            try:
                answer = json.loads(line)
            except ValueError:
                # While it starts it answers in words (HTTP status 503).
                raise QueryRefused(f"{unquote(one)}: {line}") from None
            if answer["status"] != "success":
                raise QueryRefused(f"{unquote(one)}: {answer['error']}")
            answers.append(answer["data"])
        return answers


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
    log = folder / "prometheus.log"
    with running_program(command(argv), log) as program:
        program.comes_to(made.ready, what="Prometheus answers", within=_START)
        yield made


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
