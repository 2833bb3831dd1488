"""One rolling publish under load for each way, and what its clients saw."""

import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from e2e.hosts import network
from e2e.hosts.machines import Machines, Times
from e2e.hosts.ssh import Operator
from e2e.hosts.ways import WAYS
from e2e.load.plan import Plan
from e2e.load.report import LoadReport
from e2e.support.load import RunningLoad
from e2e.support.table import own_row, render

ROOT: Final = Path(tempfile.gettempdir()) / "lossless-hosts"
#: About 350 requests/s, so that two cores carry client, HAProxy and three hosts.
CONNECTIONS: Final = 24
THINK: Final = 0.06
#: Requests before and after a rollout: the load runs, and what a rollout has broken shows.
_AROUND: Final = 500
#: Fewer requests than this in a rollout prove nothing.
AT_LEAST: Final = 2 * _AROUND


@dataclass(frozen=True, slots=True)
class Result:
    """One rollout."""

    way: str
    seconds: float
    report: LoadReport


@dataclass(frozen=True, slots=True)
class Site:
    """All machines, and whoever rolls out on them."""

    machines: Machines
    operator: Operator
    times: Times


@contextmanager
def site(times: Times) -> Iterator[Site]:
    """Make hosts and load balancer, and remove everything at the end."""
    network.destroy()
    try:
        network.create()
        made = Machines(ROOT, times)
        operator = Operator(ROOT, made.hosts)
        made.start()
        operator.start()
        yield Site(made, operator, times)
        shutil.rmtree(ROOT, ignore_errors=True)
    finally:
        network.destroy()


@contextmanager
def load(made: Site) -> Iterator[list[LoadReport]]:
    """Load all hosts beside what is done within; the list then holds the report."""
    made.machines.settle()
    url = f"http://{network.BALANCER.address}/"
    running = RunningLoad(network.CLIENT, Plan(url, connections=CONNECTIONS, think=THINK))
    reports: list[LoadReport] = []
    try:
        running.goes_on(requests=_AROUND)
        yield reports
        running.goes_on(requests=_AROUND)
    finally:
        reports.append(running.stop())


def tell(made: Site, way: str) -> Result:
    """Roll out one way, under load."""
    with load(made) as reports:
        begun = time.monotonic()
        WAYS[way](made.machines, made.operator, made.times)
        seconds = time.monotonic() - begun
    return Result(way, seconds, reports[0])


def table(results: Sequence[Result]) -> str:
    """Return the table, for people."""
    return render([own_row(one.way, one.seconds, one.report) for one in results])


def verdict(results: Sequence[Result]) -> tuple[bool, str]:
    """Tell whether the rows that ran prove the promise, and in words.

    That takes naive, which has to lose some, and lossless; the sleeps are for the comparison.
    """
    found = {one.way: one for one in results}
    naive, sleeps, ours = (found.get(way) for way in ("naive", "sleeps", "lossless"))
    if naive is None or ours is None:
        return False, "Nothing is proved: that takes both the naive and the lossless row."
    few = [f"{one.way} {one.report.requests}" for one in results if one.report.requests < AT_LEAST]
    if few:
        return False, f"Nothing is proved: fewer than {AT_LEAST} requests: {', '.join(few)}."
    wrong: list[str] = []
    right: list[str] = []
    lost = naive.report.failed
    told = f"naive lost {lost}" if lost else "naive lost nothing, so this load proves nothing"
    (right if lost else wrong).append(told)
    lost = ours.report.failed
    (wrong if lost else right).append(f"lossless lost {lost or 'none'}")
    if sleeps is not None:
        faster = ours.seconds < sleeps.seconds
        told = f"it took {ours.seconds:.0f} s, the sleeps {sleeps.seconds:.0f} s"
        (right if faster else wrong).append(told)
    if wrong:
        return False, f"Not as promised: {'; '.join(wrong)}."
    return True, f"As promised: {'; '.join(right)}."
