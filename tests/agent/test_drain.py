"""The life of one pod, on a scripted network namespace and in real (short) time."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lossless.agent.addresses import pack, within_pod
from lossless.agent.clock import Clock
from lossless.agent.drain import Drain
from lossless.agent.files import Marker, write_marker
from lossless.agent.ledger import Ledger
from lossless.agent.paths import Paths
from lossless.agent.sampler import Sampler
from lossless.agent.settings import Settings
from lossless.model.drain.agent_config import AgentConfig
from lossless.model.drain.readings import Reading
from lossless.model.phases import Phase
from lossless.model.report import Driver, DriverState, Report, SourceState, parse_report
from tests.agent.builders import NODE, ScriptedSockets, a_config, sock, spoken
from tests.support.waiting import eventually

Counters = Callable[[float], Awaitable[tuple[Reading, ...]]]

QUICK = a_config(quiet=0.2, timeout=30.0)
BUSY = sock(info=spoken(9000, 10))


class Pod:
    """An agent's drain with everything around it within reach of a test."""

    def __init__(
        self,
        root: Path,
        *open_now: Any,
        config: AgentConfig = QUICK,
        clock: Clock | None = None,
        sandbox: str = "",
    ) -> None:
        """Make the files' directories; the status file is there, as ``__main__`` leaves it."""
        self.paths = Paths(
            status_files=(str(root / "serving"),),
            marker=str(root / "drain.json"),
            control=str(root / "control.sock"),
            last_words=str(root / "termination-log"),
            draining=str(root / "draining"),
            released=str(root / "released"),
        )
        (root / "serving").touch()
        self.root = root
        self.settings = Settings(
            config=config, paths=self.paths, pod="web-1", uid="u-1", sandbox=sandbox
        )
        self.sockets = ScriptedSockets(*open_now)
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.clock = clock or Clock()
        ledger = Ledger(config, inside=within_pod, nodes=[pack(NODE)])
        self.sampler = Sampler(self.sockets, ledger, clock=self.clock, log=self.log)
        self.drain = Drain(self.settings, self.sampler, clock=self.clock, log=self.log)

    def log(self, event: str, **fields: Any) -> None:
        """Keep an event."""
        self.events.append((event, fields))

    @contextmanager
    def running(self) -> Iterator[Drain]:
        """Run the drain beside the test."""
        task = asyncio.ensure_future(self.drain.run())
        try:
            yield self.drain
        finally:
            task.cancel()

    def last_words(self) -> Report:
        """Return the termination message."""
        return parse_report((self.root / "termination-log").read_text(), uid="u-1")

    def marker(self) -> dict[str, Any]:
        """Return the drain marker."""
        found: dict[str, Any] = json.loads((self.root / "drain.json").read_text())
        return found


async def test_an_empty_pod_is_released_soon(tmp_path: Path) -> None:
    """After propagation and quiet; everything that others look at says so."""
    pod = Pod(tmp_path, config=a_config(propagation=0.3, quiet=0.2))
    with pod.running() as drain:
        assert drain.ask_to_stop() == "started: at most 1m"
        assert (drain.phase, drain.started.is_set(), drain.ended.is_set()) == (
            Phase.DRAINING,
            True,
            False,
        )
        assert not (tmp_path / "serving").exists()
        assert (tmp_path / "draining").exists()
        assert pod.marker()["report"] == ""
        async with asyncio.timeout(10):
            await drain.ended.wait()

    report = drain.report()
    assert (report.phase, report.reason) == (Phase.DRAINED, "no connection left")
    assert 0.3 <= report.seconds < 5
    assert pod.last_words() == parse_report(report.to_json(), uid="u-1")
    assert parse_report(pod.marker()["report"], uid="u-1").phase is Phase.DRAINED
    assert [event for event, _ in pod.events] == ["drain started", "draining", "drain ended"]


async def test_a_client_holds_the_pod_until_it_is_gone(tmp_path: Path) -> None:
    """And the report names it meanwhile."""
    pod = Pod(tmp_path, BUSY)
    with pod.running() as drain:
        drain.ask_to_stop()
        await eventually(lambda: pod.sampler.taken > 5)
        report = drain.report()
        assert (report.phase, report.connections.active) == (Phase.DRAINING, 1)
        assert report.oldest is not None
        assert report.oldest.peer == "10.2.0.7:4711"
        assert 0 < report.deadline <= 30
        assert report.reason.startswith("1 connection: 1 active; oldest 10.2.0.7:4711")

        pod.sockets.open.clear()
        await eventually(drain.ended.is_set)

    assert drain.phase is Phase.DRAINED


def counted(pod: Pod, read: Counters, *drivers: Driver) -> Drain:
    """Return a drain of ``pod`` with counters beside the kernel's, and close drivers."""
    pod.drain = Drain(
        pod.settings,
        pod.sampler,
        clock=pod.clock,
        log=pod.log,
        counters=read,
        drivers=lambda: drivers,
    )
    return pod.drain


async def test_a_counter_above_zero_holds_the_pod(tmp_path: Path) -> None:
    """Though the kernel sees nobody; the report names it, and says how far the drivers are."""
    pod = Pod(tmp_path)
    left = [2]

    async def read(_within: float) -> tuple[Reading, ...]:
        return (Reading("nginxStatus on port 8080", left[0]),)

    drain = counted(pod, read, Driver("nginx", DriverState.DONE))
    with pod.running():
        assert (await drain.look()).sources == ()
        drain.ask_to_stop()
        await eventually(lambda: pod.sampler.taken > 8)
        report = drain.report()
        assert report.phase is Phase.DRAINING
        assert report.reason == "nginxStatus on port 8080: 2 requests in flight"
        assert [(one.name, one.state) for one in report.sources] == [
            ("kernel", SourceState.DRAINED),
            ("nginxStatus on port 8080", SourceState.BUSY),
        ]
        assert report.drivers == (Driver("nginx", DriverState.DONE),)
        left[0] = 0
        await eventually(drain.ended.is_set)

    assert drain.phase is Phase.DRAINED
    assert [one.state for one in pod.last_words().sources] == [SourceState.DRAINED] * 2
    assert pod.last_words().drivers == (Driver("nginx", DriverState.DONE),)


async def test_a_counter_that_cannot_be_read_runs_into_the_deadline(tmp_path: Path) -> None:
    """Unknown is never zero, and no reading may take longer than the drain."""
    pod = Pod(tmp_path, config=a_config(quiet=0.1, timeout=0.6))
    given: list[float] = []

    async def read(within: float) -> tuple[Reading, ...]:
        given.append(within)
        return (Reading("envoyStats on port 9901", problem="Connection refused"),)

    drain = counted(pod, read)
    with pod.running():
        drain.ask_to_stop()
        await eventually(drain.ended.is_set)

    assert drain.phase is Phase.TIMED_OUT
    assert "envoyStats on port 9901 cannot be read: Connection refused" in drain.report().reason
    assert max(given) <= 0.6


async def test_who_comes_while_a_slow_counter_thinks_is_seen(tmp_path: Path) -> None:
    """The sockets are read last, so no look is older than its last step."""
    pod = Pod(tmp_path, config=a_config(quiet=0.1, timeout=30.0))
    asked = [0]

    async def read(_within: float) -> tuple[Reading, ...]:
        asked[0] += 1
        await asyncio.sleep(0.2)
        if asked[0] == 3:
            pod.sockets.open.append(BUSY)
        return (Reading("nginxStatus on port 8080", 0),)

    drain = counted(pod, read)
    with pod.running():
        drain.ask_to_stop()
        await eventually(lambda: asked[0] > 4)
        assert not drain.ended.is_set()
        pod.sockets.open.clear()
        await eventually(drain.ended.is_set)

    assert drain.report().phase is Phase.DRAINED


async def test_the_deadline_ends_it_with_what_was_left(tmp_path: Path) -> None:
    """TimedOut is an answer too: the controller pauses on it."""
    pod = Pod(tmp_path, BUSY, config=a_config(quiet=0.1, timeout=0.5))
    with pod.running() as drain:
        drain.ask_to_stop()
        await eventually(drain.ended.is_set)

    report = pod.last_words()
    assert (report.phase, report.connections.active) == (Phase.TIMED_OUT, 1)
    assert report.reason.startswith("after 0.5s: 1 connection: 1 active")
    assert 0.5 <= report.seconds < 5


async def test_being_asked_again_joins(tmp_path: Path) -> None:
    """A kubelet that was restarted runs the hooks a second time; the deadline stays."""
    pod = Pod(tmp_path, BUSY)
    with pod.running() as drain:
        drain.ask_to_stop()
        marker = pod.marker()
        assert drain.ask_to_stop().startswith("joined: Draining for 0.")
        assert pod.marker() == marker
        pod.sockets.open.clear()
        await eventually(drain.ended.is_set)
        assert drain.ask_to_stop().startswith("joined: Drained for")


async def test_idle_connections_are_discarded_and_counted(tmp_path: Path) -> None:
    """The report always says how many."""
    pod = Pod(tmp_path, sock(info=spoken(61_000, 62_000)))
    with pod.running() as drain:
        drain.ask_to_stop()
        await eventually(drain.ended.is_set)

    assert (drain.report().phase, drain.report().discarded) == (Phase.DRAINED, 1)


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(OSError("no such protocol"), id="cannot-be-read"),
        pytest.param(ValueError("not a dump"), id="cannot-be-parsed"),
        pytest.param(RuntimeError("a mistake of ours"), id="mistake"),
        pytest.param(MemoryError(), id="no-memory"),
    ],
)
async def test_unknown_is_never_zero(tmp_path: Path, failure: Exception) -> None:
    """A pod whose connections cannot be counted runs into its deadline, and says why."""
    pod = Pod(tmp_path, config=a_config(quiet=0.1, timeout=0.6))
    pod.sockets.failure = failure
    with pod.running() as drain:
        drain.ask_to_stop()
        await eventually(drain.ended.is_set)

    assert drain.phase is Phase.TIMED_OUT
    assert type(failure).__name__ in drain.report().reason


async def test_a_gap_in_the_evidence_starts_quiet_anew(tmp_path: Path) -> None:
    """Who came and went in it was not seen."""
    pod = Pod(tmp_path, config=a_config(quiet=0.5))
    with pod.running() as drain:
        drain.ask_to_stop()
        await eventually(lambda: pod.sampler.taken > 2)
        pod.sockets.failure = OSError("gone")
        await eventually(lambda: pod.sampler.failed > 2)
        pod.sockets.failure = None
        back = pod.clock.boot()
        await eventually(drain.ended.is_set)

    assert drain.phase is Phase.DRAINED
    assert pod.clock.boot() - back >= 0.5


async def test_an_agent_that_begins_again_joins_its_drain(tmp_path: Path) -> None:
    """The same start, the same deadline, and the status file stays away."""
    boot, wall = Clock().boot(), Clock().wall()
    write_marker(str(tmp_path / "drain.json"), Marker(boot - 20.0, wall - 20.0))
    pod = Pod(tmp_path, BUSY)

    assert pod.drain.phase is Phase.DRAINING
    assert pod.drain.started.is_set()
    assert not (tmp_path / "serving").exists()
    assert (tmp_path / "draining").exists()
    assert 9 < pod.drain.report().deadline <= 10
    with pod.running() as drain:
        pod.sockets.open.clear()
        await eventually(drain.ended.is_set)

    assert drain.report().seconds >= 20


@pytest.mark.parametrize("phase", [Phase.DRAINED, Phase.TIMED_OUT])
async def test_an_agent_that_begins_again_knows_that_its_drain_is_over(
    tmp_path: Path, phase: Phase
) -> None:
    """It answers holds at once and counts nothing any more.

    In the same process, after a failure of its own: a new process is one of a pod that lives on
    (``test_survival``).
    """
    final = Report("web-1", "u-1", phase, seconds=12.0, discarded=2, reason="as it was")
    write_marker(str(tmp_path / "drain.json"), Marker(1.0, 1.0, final.to_json()))
    pod = Pod(tmp_path, BUSY)
    async with asyncio.timeout(10):
        await pod.drain.run()

    assert pod.drain.ended.is_set()
    assert pod.drain.report() == final
    assert pod.sockets.readings == 0


@pytest.mark.parametrize(
    "report",
    [
        pytest.param("{", id="damaged"),
        pytest.param(Report("web-1", "u-2", Phase.DRAINED).to_json(), id="of-another-pod"),
        pytest.param(Report("web-1", "u-1", Phase.DRAINING).to_json(), id="not-an-end"),
    ],
)
async def test_a_marker_without_an_end_goes_on(tmp_path: Path, report: str) -> None:
    """Only a report of an end, and of this pod, ends it."""
    boot, wall = Clock().boot(), Clock().wall()
    write_marker(str(tmp_path / "drain.json"), Marker(boot, wall, report))

    assert Pod(tmp_path).drain.phase is Phase.DRAINING


async def test_files_that_cannot_be_written_are_reported(tmp_path: Path) -> None:
    """The drain goes on without them."""
    (tmp_path / "termination-log").mkdir()
    (tmp_path / "drain.json.new").mkdir()
    pod = Pod(tmp_path)
    with pod.running() as drain:
        drain.ask_to_stop()
        await eventually(drain.ended.is_set)

    assert drain.phase is Phase.DRAINED
    assert "drain.json: Is a directory" in drain.report().reason
    assert sum(event == "problem" for event, _ in pod.events) == 2


async def test_an_agent_that_is_told_to_end_leaves_word(tmp_path: Path) -> None:
    """Only in the middle of a drain; the drain's start and its pod sandbox stay as they were."""
    pod = Pod(tmp_path, BUSY, sandbox="a")
    with pod.running() as drain:
        drain.leave()
        assert not (tmp_path / "drain.json").exists()
        drain.ask_to_stop()
        before = pod.marker()
        drain.leave()

        assert pod.marker() == before | {"stopped": True}
        assert (before["stopped"], before["sandbox"]) == (False, "a")


async def test_words_when_it_is_cut_off(tmp_path: Path) -> None:
    """The grace period is over before the deadline: what was left is still said."""
    pod = Pod(tmp_path, BUSY)
    with pod.running() as drain:
        drain.ask_to_stop()
        await eventually(lambda: pod.sampler.taken > 2)
        drain.last_words()

    report = pod.last_words()
    assert (report.phase, report.connections.active) == (Phase.DRAINING, 1)
    assert report.reason.startswith("stopped while draining: 1 connection: 1 active")


async def test_a_serving_pod_is_hardly_looked_at(tmp_path: Path) -> None:
    """A report takes a sample, the next one right after it does not."""
    pod = Pod(tmp_path, BUSY)
    with pod.running() as drain:
        first, second = await drain.look(), await drain.look()

    assert (first.phase, first.connections.active) == (Phase.SERVING, 1)
    assert (second, pod.sockets.readings) == (first, 1)


async def test_a_serving_pod_that_cannot_be_counted_says_so(tmp_path: Path) -> None:
    """Long before its drain."""
    pod = Pod(tmp_path)
    pod.sockets.failure = OSError("no such protocol")

    assert (await pod.drain.look()).reason == "cannot count connections: OSError: no such protocol"


async def test_a_broken_environment_is_in_every_report(tmp_path: Path) -> None:
    """The pod drains by default values; somebody should know."""
    pod = Pod(tmp_path)
    settings = replace(pod.settings, problem="LOSSLESS_CONFIG is not set")
    drain = Drain(settings, pod.sampler, clock=pod.clock, log=pod.log)

    assert drain.report().reason == "LOSSLESS_CONFIG is not set"
