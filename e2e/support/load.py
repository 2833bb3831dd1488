"""Load from outside the cluster: our own client, and fortio beside it."""

import contextlib
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from e2e.load.plan import Plan
from e2e.load.report import LoadReport, parse_load_report
from e2e.support.eventually import eventually
from e2e.support.programs import ending_with_us
from e2e.support.seconds import Step, spent_on
from e2e.support.testbed import ROOT, Testbed

#: More than any rollout takes: fortio is stopped before.
_FORTIO_AT_MOST: Final = "30m"


class LoadFailed(RuntimeError):  # noqa: N818 # reads as the thing that happened
    """A load program ended on its own or said what cannot be read."""


class Place(Protocol):
    """Where clients are."""

    def client_command(self, argv: list[str], via: str | None = None) -> list[str]:
        """Return the command that runs ``argv`` there, near the node ``via`` if there is one."""
        ...


class RunningLoad:
    """Our client in the network namespace of a host outside what it loads."""

    def __init__(self, testbed: Place, plan: Plan, via: str | None = None) -> None:
        """Start it; it ends with ``stop``, or with this process."""
        self.plan = plan
        options = {
            "--connections": plan.connections,
            "--think": plan.think,
            "--body": plan.body,
            "--timeout": plan.timeout,
            "--seed": plan.seed,
        }
        flags = [text for name, value in options.items() for text in (name, str(value))]
        flags += ["--each", str(plan.each)] if plan.each is not None else []
        flags += ["--leave"] if plan.leave else []
        argv = [sys.executable, "-m", "e2e.load", plan.url, *flags]
        self._process = subprocess.Popen(
            testbed.client_command(argv, via),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._latest: LoadReport | None = None
        self._result: LoadReport | None = None
        self._reader = threading.Thread(target=self._read, name="load", daemon=True)
        self._reader.start()

    @property
    def so_far(self) -> LoadReport:
        """The latest report, at most half a second old.

        Raises:
            LoadFailed: the client has ended though nobody stopped it.
        """
        if self._latest is None:
            eventually(
                lambda: self._latest or self._process.poll() is not None,
                what="a first word of the load client",
                within=20,
                every=0.05,
            )
        if self._process.poll() is not None or self._latest is None:
            raise LoadFailed(f"the load client ended with {self._process.poll()} in mid-run")
        return self._latest

    @property
    def report(self) -> LoadReport:
        """The whole report of a load that was stopped.

        Raises:
            LoadFailed: it has not been stopped, or died.
        """
        if self._result is None:
            raise LoadFailed("no result: the load still runs, or died before it gave one")
        return self._result

    @spent_on(Step.LOAD)
    def goes_on(self, *, requests: int) -> None:
        """Wait until so many more requests have ended."""
        goal = self.so_far.requests + requests
        eventually(
            lambda: self.so_far,
            lambda report: report.requests >= goal,
            what=f"{requests} more requests",
            within=60 + self.plan.timeout,
        )

    @spent_on(Step.LOAD)
    def stop(self) -> LoadReport:
        """Let the requests in flight end, and return what was seen."""
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        try:
            self._process.wait(timeout=self.plan.timeout + 15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(timeout=10)
        if self._process.stdout is not None:
            self._process.stdout.close()
        return self.report

    def _read(self) -> None:
        assert self._process.stdout is not None  # asked for above
        for line in self._process.stdout:
            document = json.loads(line)
            if "result" in document:
                self._result = parse_load_report(json.dumps(document["result"]))
            else:
                self._latest = parse_load_report(json.dumps(document["so_far"]))


@dataclass(frozen=True, slots=True)
class FortioReport:
    """What fortio says of a run; it does not tell an EOF from a reset."""

    requests: int
    codes: dict[str, int]
    """Answers by status; ``-1`` is a request without an answer."""
    seconds: float
    p50: float
    """Seconds, like the next two; of all requests."""
    p99: float
    max: float

    @property
    def failed(self) -> int:
        """Requests that did not get a 200."""
        return sum(count for code, count in self.codes.items() if code != "200")


def parse_fortio(text: str) -> FortioReport:
    """Return the report in fortio's JSON.

    Raises:
        ValueError: not such a document.
    """
    try:
        raw = json.loads(text)
        histogram = raw["DurationHistogram"]
        percentiles = {row["Percentile"]: row["Value"] for row in histogram["Percentiles"]}
        codes = {str(code): int(count) for code, count in raw["RetCodes"].items()}
        return FortioReport(
            requests=sum(codes.values()),
            codes=codes,
            seconds=raw["ActualDuration"] / 1e9,
            p50=percentiles[50],
            p99=percentiles[99],
            max=histogram["Max"],
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not fortio's JSON: {type(error).__name__}: {error}") from error


@contextlib.contextmanager
def fortio(
    testbed: Testbed, url: str, *, connections: int = 8, qps: int = 100, via: str | None = None
) -> Iterator[list[FortioReport]]:
    """Run fortio beside what is done within; the list then holds its report.

    ``-stdclient`` is Go's net/http. It honours ``Connection: close`` and sends no POST twice
    unless not a byte of it was written, whereas fortio's own client does neither: it looks for
    the header only with ``-httpccch`` and repeats a request whose write failed (fortio
    fhttp/http_client.go).

    Raises:
        LoadFailed: fortio left no report.
    """
    reports: list[FortioReport] = []
    argv = [
        *(str(testbed.program("fortio")), "load", "-stdclient", "-quiet"),
        *(
            "-c",
            str(connections),
            "-qps",
            str(qps),
            "-t",
            _FORTIO_AT_MOST,
            "-nocatchup",
            "-uniform",
        ),
        *("-payload-size", "128", "-timeout", "10s", "-p", "50,99", "-allow-initial-errors"),
        *("-json", "-", url),
    ]
    process = subprocess.Popen(
        ending_with_us(testbed.client_command(argv, via)),
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield reports
    finally:
        process.send_signal(signal.SIGINT)
        try:
            said, errors = process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            said, errors = process.communicate()
    if not said.strip():
        raise LoadFailed(f"fortio ended with {process.returncode} and no report: {errors[-500:]}")
    reports.append(parse_fortio(said))
