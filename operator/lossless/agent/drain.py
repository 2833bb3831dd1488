"""The life of one pod as its agent sees it: serving, draining, and one of two ends."""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

from lossless.agent import files
from lossless.agent.clock import Clock
from lossless.agent.log import Log
from lossless.agent.sampler import Sampler
from lossless.agent.settings import Settings
from lossless.model.drain.drain_rule import (
    CONSECUTIVE,
    Drained,
    Sample,
    Unknown,
    Verdict,
    judge,
    next_event,
    sources_of,
)
from lossless.model.drain.readings import Reading
from lossless.model.drain.release_rule import DrainState
from lossless.model.durations import format_duration
from lossless.model.phases import ENDED, Event, Phase, advance
from lossless.model.report import Connections, Driver, Report, parse_report

#: Seconds between two samples of a draining pod, if they cost little.
PACE: Final = 0.1
#: Seconds between them at most, if they cost much.
SLOWEST: Final = 5.0
#: Seconds without sampling for each second of CPU that a sample costs: under a tenth of a core.
REST: Final = 9.0
#: The same while serving, for under half a millicore. An occasional look gives each connection
#: a history that can prove it idle later (``model.evidence``). Go's servers send a keepalive
#: after 15 idle seconds, which wipes out what is not remembered by then.
SERVING_PACE: Final = 10.0
SERVING_REST: Final = 2000.0
#: Seconds between two log lines about what a drain waits for.
TELL_PACE: Final = 10.0
#: A sample asked for by a scrape or a report is at least this old before another is taken.
FRESH: Final = 1.0


class Drain:
    """Walks the phases; the only place that changes one."""

    def __init__(  # noqa: PLR0913 # what it asks, and its clocks
        self,
        settings: Settings,
        sampler: Sampler,
        *,
        clock: Clock,
        log: Log,
        counters: Callable[[float], Awaitable[tuple[Reading, ...]]] | None = None,
        drivers: Callable[[], tuple[Driver, ...]] = tuple,
        reloads: Callable[[Sample, float, float], str] | None = None,
    ) -> None:
        """Begin where the marker of an earlier run says, else serving.

        Args:
            settings: the pod's policy and files.
            sampler: looks at the sockets.
            clock: for durations.
            log: told what happens.
            counters: reads all counters beside the kernel's within so many seconds.
            drivers: tells how far the close drivers are.
            reloads: asks for a reload of nginx by a sample, the drain's start and the time;
                returns what went wrong, or nothing.
        """
        self._settings = settings
        self._policy = settings.config.drain
        self._sampler = sampler
        self._counters = counters
        self._drivers = drivers
        self._reloads = reloads
        self._counting_cost = 0.0
        self._clock = clock
        self._log = log
        self._phase = Phase.SERVING
        self._started = 0.0
        self._started_wall = 0.0
        self._watched = 0.0
        self._counted = 0.0
        self._samples: deque[Sample] = deque(maxlen=CONSECUTIVE)
        self._verdict: Verdict = Unknown("no connection has been looked at yet")
        self._final: Report | None = None
        self._problems: dict[str, str] = {"environment": settings.problem}
        self._told = 0.0
        self.started = asyncio.Event()
        """Set once a drain has started."""
        self.ended = asyncio.Event()
        """Set once the pod may stop."""
        self._resume()

    @property
    def phase(self) -> Phase:
        """Serving, Draining, Drained or TimedOut."""
        return self._phase

    @property
    def seconds(self) -> float:
        """How long the drain has taken, or took; 0 while serving."""
        if self._final is not None:
            return self._final.seconds
        return self._clock.boot() - self._started if self._phase is Phase.DRAINING else 0.0

    def state(self) -> DrainState:
        """Return when the drain started, and when it ended if it has; on the boot clock."""
        ended = None if self._final is None else self._started + self._final.seconds
        return DrainState(self._started, self._policy.timeout, ended)

    def ask_to_stop(self) -> str:
        """Start the drain, or join the one that is under way or over; return a line about it."""
        before = self._phase
        self._phase = advance(before, Event.STOP_ASKED)
        if before is not Phase.SERVING:
            self._log("drain joined", phase=self._phase.value, seconds=self.seconds)
            return f"joined: {self._phase.value} for {self.seconds:.1f} s"
        self._started = self._clock.boot()
        self._started_wall = self._clock.wall()
        paths = self._settings.paths
        # Before the status file goes: what has been announced must survive a restart.
        self.note("marker", files.write_marker(paths.marker, self._marker()))
        self._hide()
        self._begin()
        self._log(
            "drain started",
            propagation=self._policy.propagation,
            quiet=self._policy.quiet,
            timeout=self._policy.timeout,
        )
        return f"started: at most {format_duration(self._policy.timeout)}"

    async def run(self) -> None:
        """Sample now and then while serving, all the time while draining, then no more."""
        while self._phase is Phase.SERVING:
            await _sleep(max(SERVING_PACE, self._sampler.cost * SERVING_REST), self.started)
            if self._phase is Phase.SERVING:
                await self._safely(self._sampler.take)
        while self._phase is Phase.DRAINING:
            await self._safely(self._step)
            if self._phase is Phase.DRAINING:
                left = self._started + self._policy.timeout - self._clock.boot()
                cost = self._sampler.cost + self._counting_cost
                pause = min(max(PACE, cost * REST), SLOWEST)
                await asyncio.sleep(min(pause, max(left, 0.0)))

    async def look(self) -> Report:
        """Return the report, on a fresh sample if nobody is sampling at the moment."""
        if self._phase is Phase.SERVING:
            await self._safely(lambda: self._sampler.recent(FRESH))
        return self.report()

    def report(self) -> Report:
        """Return what is known right now."""
        if self._final is not None:
            return self._final
        if self._phase is Phase.DRAINING:
            return self._report(self._verdict.reason)
        last = self._sampler.last
        problem = last.problem if last is not None else ""
        return self._report(f"cannot count connections: {problem}" if problem else "")

    def leave(self) -> None:
        """Leave word that the agent was told to end, if that is in the middle of the drain.

        A pod in which another one is started after that has survived (``survival``).
        """
        if self._phase is Phase.DRAINING:
            left = replace(self._marker(), stopped=True)
            self.note("marker", files.write_marker(self._settings.paths.marker, left))

    def last_words(self) -> None:
        """Write the termination message: how the drain ended, or where it was cut off."""
        report = self.report()
        if report.phase is Phase.DRAINING:
            report = replace(report, reason=f"stopped while draining: {report.reason}")
        problem = files.write_last_words(self._settings.paths.last_words, report.to_json())
        self.note("last words", problem)

    def _report(self, reason: str, discarded: int = 0) -> Report:
        draining = self._phase is Phase.DRAINING
        seconds = self.seconds
        looked = self._samples[-1] if self._samples else None
        sample = self._sampler.known
        problems = [problem for problem in self._problems.values() if problem]
        return Report(
            pod=self._settings.pod,
            uid=self._settings.uid,
            phase=self._phase,
            seconds=seconds,
            deadline=max(0.0, self._policy.timeout - seconds) if draining else 0.0,
            connections=Connections() if sample is None else sample.connections,
            oldest=None if sample is None else sample.oldest,
            discarded=discarded,
            reason="; ".join([reason, *problems] if reason else problems),
            sources=()
            if looked is None
            else sources_of(looked, self._policy, self._counted, self._clock.boot()),
            drivers=() if self._phase is Phase.SERVING else self._drivers(),
        )

    async def _step(self) -> None:
        readings: tuple[Reading, ...] = ()
        if self._counters is not None:
            left = self._started + self._policy.timeout - self._clock.boot()
            used = time.thread_time()
            # Before the sockets, which show whoever comes while a slow counter thinks: the pod
            # must not be released by a look that is a second old.
            readings = await self._counters(left)
            self._counting_cost = time.thread_time() - used
        sample = replace(await self._sampler.take(), readings=readings)
        if not sample.problem and (not self._samples or self._samples[-1].problem):
            # What came and went before it was watched has not been seen.
            self._watched = sample.at
        if not sample.problem:
            self._counted = sample.at
        self._samples.append(sample)
        self._conclude()

    def _conclude(self) -> None:
        now = self._clock.boot()
        self._verdict = judge(tuple(self._samples), self._policy, self._started, self._watched, now)
        event = next_event(self._verdict, self._policy, self._started, now)
        if event is not None:
            self._end(event, now)
            return
        if self._reloads is not None:
            self.note("reload file", self._reloads(self._samples[-1], self._started, now))
        if now - self._told >= TELL_PACE:
            self._told = now
            self._log("draining", seconds=now - self._started, reason=self._verdict.reason)

    def _end(self, event: Event, now: float) -> None:
        seconds = now - self._started
        reason, discarded = self._verdict.reason, 0
        if isinstance(self._verdict, Drained):
            discarded = self._verdict.discarded
        else:
            reason = f"after {format_duration(self._policy.timeout)}: {reason}"
        self._phase = advance(self._phase, event)
        try:
            self._final = replace(self._report(reason, discarded), seconds=seconds)
            self.note("marker", files.write_marker(self._settings.paths.marker, self._marker()))
            self.last_words()
            self._log(
                "drain ended",
                phase=self._phase.value,
                seconds=seconds,
                reason=reason,
                discarded=discarded,
            )
        finally:
            self.ended.set()

    def _begin(self) -> None:
        """Forget what was seen while serving, and watch for new connections from now on."""
        self._sampler.watch()
        self._counted = self._clock.boot()
        self._samples.clear()
        self._verdict = Unknown("no connection has been looked at yet")
        self.started.set()

    def _hide(self) -> None:
        paths = self._settings.paths
        self.note("draining file", files.show(paths.draining))
        for path in paths.status_files:
            self.note(path, files.hide_status(path))

    def _marker(self) -> files.Marker:
        return files.Marker(
            self._started,
            self._started_wall,
            "" if self._final is None else self._final.to_json(),
            self._settings.sandbox,
        )

    def _resume(self) -> None:
        """Join the drain of an earlier run, if there was one.

        Whether the pod has survived that drain is settled before (``survival``).
        """
        paths = self._settings.paths
        boot, wall = self._clock.boot(), self._clock.wall()
        marker = files.read_marker(paths.marker, boot, wall)
        if marker is None:
            return
        self._phase = advance(self._phase, Event.STOP_ASKED)
        self._started = marker.started_by(boot, wall)
        self._started_wall = marker.started_wall
        self._hide()
        try:
            final = parse_report(marker.report, uid=self._settings.uid)
        except ValueError:
            # No report, or none that can be read: the drain goes on, with the same deadline.
            final = None
        if final is not None and final.phase in ENDED:
            self._phase, self._final = final.phase, final
            self.ended.set()
        self._begin()
        self._log("drain resumed", phase=self._phase.value, seconds=self.seconds)

    async def _safely(self, step: Callable[[], Awaitable[object]]) -> None:
        """Run one step; a mistake in it is logged, and never stops the agent."""
        try:
            await step()
        except Exception as error:  # noqa: BLE001 # whatever it is, dying now would kill requests
            self._log("mistake", error=f"{type(error).__name__}: {error}")
            now = self._clock.boot()
            self._verdict = Unknown(f"mistake: {error!r:.80}")
            self._samples.append(Sample(now, problem=self._verdict.reason))
            if self._phase is Phase.DRAINING and now - self._started >= self._policy.timeout:
                self._end(Event.DEADLINE_PASSED, now)

    def note(self, what: str, problem: str) -> None:
        """Remember what is wrong with something, for the report; empty if nothing is any more."""
        if problem and self._problems.get(what) != problem:
            self._log("problem", what=what, problem=problem)
        self._problems[what] = problem


async def _sleep(seconds: float, unless: asyncio.Event) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(unless.wait(), seconds)
