"""Walks the plan: journal, step, journal; and back, if something fails and it is not too late."""

import os
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from lossless.agent.causes import AskError
from lossless.agent.log import Log
from lossless.host import reopening
from lossless.host.commands import CommandFailed
from lossless.host.exits import Exit
from lossless.host.flags import present, remember
from lossless.host.journal import Journal, Outcome
from lossless.host.looks import NotInTime, listening
from lossless.host.plan import (
    TITLES,
    Marks,
    Step,
    Verb,
    is_online,
    remaining,
    retreat,
    steps_of,
)
from lossless.host.progress import Progress
from lossless.host.signals import Interrupted, Interrupts, unless
from lossless.host.standing import past, whereabouts
from lossless.host.store import Store
from lossless.host.work import COMMANDS, PATIENT, ClientsLeft, Work

_FAILURES: Final = (ClientsLeft, CommandFailed, NotInTime, AskError, OSError, ValueError)
#: Exit code of a program that a signal has ended, as shells have it.
_SIGNALLED: Final = 128


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run is going to do."""

    journal: Journal
    steps: tuple[Step, ...]
    again: bool
    """Whether an earlier run may have done some of it."""


class Publisher:
    """One run on one host; the caller holds the lock."""

    def __init__(  # noqa: PLR0913 # what it works with, and whom it tells
        self,
        work: Work,
        store: Store,
        *,
        command: str,
        progress: Progress,
        log: Log,
        interrupts: Interrupts,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """Compose it; nothing happens yet.

        Args:
            work: does single steps.
            store: keeps the journal.
            command: ``lossless host {} --config FILE``, for people.
            progress: what they see.
            log: what is kept.
            interrupts: asked between steps.
            wall: seconds since 1970.
        """
        self._work = work
        self._config = work.config
        self._store = store
        self._command = command
        self._progress = progress
        self._log = log
        self._interrupts = interrupts
        self._wall = wall
        self._journal = Journal("", Verb.PUBLISH, 0, 0.0, 0.0)
        self._at: Step | None = None

    def plan(self, verb: Verb, *, restart: bool) -> Plan:
        """Return what ``verb`` is going to do; says first if an earlier run was cut off.

        Raises:
            OSError, ValueError: the flags or the sockets cannot be read.
        """
        now, before = self._wall(), None
        try:
            before = self._store.read()
        except (OSError, ValueError) as error:
            self._progress.say(f"{self._store.journal} cannot be read ({error}).")
            again = True
        else:
            again = before is not None and before.unfinished
        steps = self._steps(verb)
        files = self._config.status_files
        flags = present(files)
        there = [path for path, seen in flags.items() if seen is not False]
        marks, run = Marks(), f"{int(now)}-{os.getpid()}"
        if before is not None and before.unfinished:
            self._progress.say(past(before, now))
            if verb is Verb.PUBLISH and before.resumable and not restart:
                whole = steps
                steps = remaining(
                    steps,
                    before.marks,
                    flagged=bool(there),
                    listening=bool(listening(self._config.ports)),
                    failed=before.outcome is Outcome.STRANDED,
                )
                run = before.run
                if steps != whole:
                    marks = Marks(before.marks.begun, before.marks.done.difference(steps))
                    at = TITLES[steps[0]]
                    self._progress.say(f"Going on at the step '{at}'; --restart begins anew.")
                elif there:
                    self._progress.say(
                        f"{', '.join(there)} is there, so clients may be served: beginning anew,"
                        " and draining them first."
                    )
        known = () if before is None else before.flags
        journal = Journal(
            run=run,
            verb=verb,
            pid=os.getpid(),
            started=now,
            at=now,
            marks=marks,
            flags=remember(files, known),
            was_offline=before is not None
            and (before.outcome is Outcome.OFFLINE or (before.unfinished and before.was_offline))
            and not any(flags.values()),
        )
        # `online` may find the proxy running, which then is not started a second time.
        return Plan(journal, steps, again or verb is Verb.ONLINE)

    async def run(self, plan: Plan) -> int:
        """Carry ``plan`` out; return the exit code."""
        self._journal = plan.journal
        verb = plan.journal.verb
        self._log("run started", run=plan.journal.run, verb=verb.value, pid=os.getpid())
        try:
            self._store.write(self._journal)
            await self._walk(plan.steps, again=plan.again, forward=True)
        except Interrupted:
            reason = f"{self._interrupts.name} came"
            await self._leave(reason)
            return _SIGNALLED + self._interrupts.number
        except ClientsLeft as error:
            left = await self._leave(str(error))
            return Exit.CLIENTS_LEFT if left is Outcome.BACK else Exit.FAILED
        except _FAILURES as error:
            await self._leave(str(error))
            return Exit.FAILED
        outcome = Outcome.OFFLINE if verb is Verb.OFFLINE else Outcome.ONLINE
        seconds = self._wall() - plan.journal.started
        self._end(outcome, "")
        where = "offline" if verb is Verb.OFFLINE else "online"
        self._progress.say(f"{socket.gethostname()} is {where}; {verb.value} took {seconds:.1f} s.")
        return Exit.OK

    async def _walk(self, steps: Sequence[Step], *, again: bool, forward: bool) -> None:
        for index, step in enumerate(steps, 1):
            if forward:
                self._interrupts.check()
            self._at = step
            self._note(self._journal.begin(step, self._wall()), needed=forward)
            title = TITLES[step]
            self._progress.begin(index, len(steps), title)
            self._log("step", step=step.value, state="begun")
            try:
                said = await self._step(step, again=again or not forward, forward=forward)
            except Interrupted:
                self._progress.failed(f"{self._interrupts.name} came")
                raise
            except _FAILURES as error:
                self._progress.failed(str(error))
                self._log("step", step=step.value, state="failed", reason=str(error))
                raise
            self._note(self._journal.finish(step, self._wall()), needed=forward)
            self._progress.done(said)
            self._log("step", step=step.value, state="done", reason=said)

    async def _step(self, step: Step, *, again: bool, forward: bool) -> str:
        said = ""

        async def doing() -> None:
            nonlocal said
            said = await self._work.do(
                step, self._journal.flags, again=again, tell=self._progress.update
            )

        if forward and step in PATIENT:
            await unless(doing(), self._interrupts.asked)
        elif forward and step in COMMANDS:
            # A command is not cut off by the first Ctrl-C: half stopped is worse than stopped.
            await unless(doing(), self._interrupts.insisted)
        else:
            await doing()
        return said

    async def _leave(self, reason: str) -> Outcome:
        """Put the host into the safest state that can be reached; say and return which it is."""
        journal, say = self._journal, self._progress.say
        if is_online(journal.marks):
            self._end(Outcome.ONLINE, reason)
            say(f"The host is online; only this was left undone: {reason}.")
            return Outcome.ONLINE
        back = None
        if journal.verb is not Verb.ONLINE:
            known = {*self._steps(Verb.PUBLISH), *self._steps(Verb.ONLINE)}
            back = retreat(journal.marks, known, was_offline=journal.was_offline)
        if back is not None:
            say("The application has not been stopped: the host is put back as it was.")
            try:
                await self._walk(back, again=True, forward=False)
            except (*_FAILURES, Interrupted) as error:
                reason = f"{reason}; and it could not be put back: {error}"
            else:
                offline = journal.was_offline
                outcome = Outcome.OFFLINE if offline else Outcome.BACK
                self._end(outcome, reason)
                say(
                    "The host is offline, as it was before, and its application has not been"
                    " stopped."
                    if offline
                    else "The host is online again, with the application that ran before."
                )
                return outcome
        self._end(Outcome.STRANDED, reason)
        say(past(self._journal, self._wall()))
        say(whereabouts(present(self._config.status_files), self._at, self._command))
        return Outcome.STRANDED

    def _end(self, outcome: Outcome, reason: str) -> None:
        self._note(self._journal.end(outcome, reason, self._wall()), needed=False)
        self._log("run ended", run=self._journal.run, outcome=outcome.value, reason=reason)

    def _note(self, journal: Journal, *, needed: bool) -> None:
        """Write ``journal``; past the point of no return a full disk is no reason to stop."""
        self._journal = journal
        try:
            self._store.write(journal)
        except OSError as error:
            if needed and Step.STOP_APP not in journal.marks.begun - {journal.marks.half}:
                raise
            self._progress.say(f"WARNING: {self._store.journal} cannot be written: {error}")

    def _steps(self, verb: Verb) -> tuple[Step, ...]:
        proxy = self._config.proxy is not None
        return steps_of(verb, proxy=proxy, reopens=bool(reopening.reopened(self._config)))
