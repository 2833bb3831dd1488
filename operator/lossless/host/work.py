"""Does single steps; which, and in what order, is ``publisher``'s."""

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lossless.agent.clock import Clock
from lossless.agent.log import Log
from lossless.host import commands, flags, looks, reopening
from lossless.host.config import HostConfig, Program
from lossless.host.draining import drain
from lossless.host.journal import Flag
from lossless.host.namespace import NetworkNamespace
from lossless.host.plan import Step
from lossless.host.store import Store
from lossless.model.durations import format_duration
from lossless.model.phases import Phase
from lossless.model.policy import OnTimeout
from lossless.model.report import Connections


class ClientsLeft(Exception):  # noqa: N818 # reads as the thing that happened
    """The drain's deadline has passed; the text says who is left."""


#: Steps that a signal cuts short. The others are over soon, or better not left half done.
PATIENT = frozenset({Step.DRAIN, Step.READY, Step.TRAFFIC})
COMMANDS = frozenset({Step.STOP_PROXY, Step.STOP_APP, Step.START_APP, Step.START_PROXY})


@dataclass(frozen=True, slots=True)
class Work:
    """One host's steps."""

    config: HostConfig
    store: Store
    namespace: NetworkNamespace
    log: Log
    clock: Clock

    async def do(
        self, step: Step, kept: Sequence[Flag], *, again: bool, tell: Callable[[str], None]
    ) -> str:
        """Do ``step``; return a line about how it went, or nothing.

        Args:
            step: which.
            kept: the flags as they were.
            again: it may have been done, or half done, before.
            tell: told what is waited for.

        Raises:
            ClientsLeft, CommandFailed, NotInTime, AskError, OSError, ValueError: it failed.
        """
        config = self.config
        match step:
            case Step.WITHDRAW:
                flags.withdraw(config.status_files)
            case Step.DRAIN:
                return await self._drain(tell)
            case Step.STOP_PROXY | Step.STOP_APP | Step.START_APP | Step.START_PROXY:
                return await self._command(step, again=again, tell=tell)
            case Step.READY:
                await looks.until_ready(config.ready, tell)
            case Step.REOPEN:
                await reopening.reopen(reopening.reopened(config))
            case Step.RESTORE:
                flags.restore(kept)
            case Step.TRAFFIC:
                return await self._traffic(tell)
        return ""

    async def _drain(self, tell: Callable[[str], None]) -> str:
        policy = self.config.drain
        report = await drain(
            self.config, self.store.directory, clock=self.clock, log=self.log, tell=tell
        )
        if report.phase is Phase.TIMED_OUT and policy.on_timeout is OnTimeout.PAUSE:
            raise ClientsLeft(left(report.reason, report.connections))
        return report.reason

    async def _traffic(self, tell: Callable[[str], None]) -> str:
        try:
            await looks.until_traffic(self.config, clock=self.clock, log=self.log, tell=tell)
        except looks.NotInTime as error:
            if self.config.load_balancer.required:
                raise
            return f"WARNING: {error}"
        return "a new connection has come"

    async def _command(self, step: Step, *, again: bool, tell: Callable[[str], None]) -> str:
        """Run a command, and see with our own eyes what came of it."""
        program, ports = self._program(step)
        stops = step in (Step.STOP_PROXY, Step.STOP_APP)
        if again and not stops and looks.listening(ports).issuperset(ports):
            return "it listened already"
        argv = program.stop if stops else program.start
        try:
            await commands.run(
                argv, seconds=program.timeout, output=self.store.output, namespace=self.namespace
            )
        except commands.CommandFailed as error:
            # Many a program cannot be stopped twice: its pid file is gone.
            if not (again and stops) or looks.listening(ports):
                raise
            return f"nothing listened any more ({error})"
        if stops or step is Step.START_PROXY:
            await looks.until_listening(ports, wanted=not stops, seconds=program.timeout, tell=tell)
        return ""

    def _program(self, step: Step) -> tuple[Program, tuple[int, ...]]:
        config = self.config
        if step in (Step.STOP_APP, Step.START_APP):
            return config.app, (config.ready.port,)
        if config.proxy is None:
            raise ValueError("no proxy is configured")
        return config.proxy, config.ports


def left(reason: str, connections: Connections) -> str:
    """Return why a drain was in vain, and what to look at if it was for a load balancer's checks.

    Args:
        reason: of the drain's report.
        connections: of the same.
    """
    if not connections.new:
        return reason
    return (
        f"{reason}; if a load balancer's health checks are what still comes, name the address that"
        " they come from in loadBalancer.checks"
    )


def describe(config: HostConfig, step: Step) -> str:  # noqa: PLR0911 # one for each kind of step
    """Return the deadline of ``step`` and what it does, for a dry run."""
    match step:
        case Step.WITHDRAW | Step.RESTORE:
            return f"at once: {', '.join(config.status_files)}"
        case Step.DRAIN:
            drivers = ", ".join(driver.name for driver in config.close) or "nobody else is told"
            policy = config.drain
            return (
                f"at least {format_duration(policy.propagation)}, quiet for"
                f" {format_duration(policy.quiet)}, at most {format_duration(policy.timeout)},"
                f" then {policy.on_timeout.value}; {drivers}"
            )
        case Step.STOP_PROXY if config.proxy is not None:
            return _shown(config.proxy.stop, config.proxy.timeout)
        case Step.START_PROXY if config.proxy is not None:
            return _shown(config.proxy.start, config.proxy.timeout)
        case Step.STOP_APP:
            return _shown(config.app.stop, config.app.timeout)
        case Step.START_APP:
            return _shown(config.app.start, config.app.timeout)
        case Step.READY:
            ready = config.ready
            wanted = " or ".join(str(status) for status in ready.status)
            return (
                f"at most {format_duration(ready.timeout)}: {ready.url} answers {wanted},"
                f" {ready.successes} times in a row"
            )
        case Step.REOPEN:
            undone = reopening.reopened(config)
            names = ", ".join(driver.name for driver in undone)
            return f"at most {format_duration(reopening.deadline(undone))}: {names}"
        case _:
            balancer = config.load_balancer
            then = "a failure" if balancer.required else "a warning"
            return f"at most {format_duration(balancer.timeout)}, then {then}"


def _shown(argv: Sequence[str], timeout: float) -> str:
    # The program and then the port each have the whole time.
    return f"at most {format_duration(timeout)}, and as long for its port: {shlex.join(argv)}"
