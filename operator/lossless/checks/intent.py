"""Questions about the LosslessRollout itself."""

from collections.abc import Iterator
from typing import Final

from lossless.checks.finding import Severity, Trouble
from lossless.checks.setup import Setup, qualified
from lossless.checks.told_to_leave import advice
from lossless.model.commands import unpause
from lossless.model.durations import format_duration
from lossless.model.fields import InvalidSpec
from lossless.model.policy import IdleConnections
from lossless.model.spec_fields import unknown_fields

#: Seconds below which a client that is merely slow looks like one that has gone. Connection pools
#: give a connection up after 30 s at the soonest (Java HttpClient 30 s, Go 90 s, browsers more).
SHORT_IDLE: Final = 30.0


def invalid(setup: Setup) -> Iterator[Trouble]:
    """Ask whether the spec can be acted on at all."""
    if isinstance(setup.spec, InvalidSpec):
        yield Trouble(
            setup.name,
            f"{setup.spec.field}: {setup.spec.value!r} cannot be acted on; nothing is protected",
            setup.spec.remedy,
        )


def unknown_field(setup: Setup) -> Iterator[Trouble]:
    """Ask whether everything that is written is a field."""
    for unknown in unknown_fields(setup.rollout):
        yield Trouble(
            f"{setup.name} {unknown.field}",
            "there is no such field: an API server drops it or refuses the object, and what it was"
            " to say does not hold",
            f"write {unknown.nearest}" if unknown.nearest else "take it out",
        )


def no_target(setup: Setup) -> Iterator[Trouble]:
    """Ask whether the workload exists; of kind Pod there is none to look for."""
    if setup.workload is not None or setup.is_for_pods:
        return
    if setup.live:
        yield Trouble(
            setup.name,
            f"there is no {setup.target}; nothing is protected",
            "correct spec.targetRef.name, or create it",
        )
    else:
        yield Trouble(
            setup.name,
            f"{setup.target} is not in these files, so most checks had nothing to look at",
            "name the file with the workload as well: -f FILE -f FILE",
            Severity.NOTE,
        )


def taken(setup: Setup) -> Iterator[Trouble]:
    """Ask whether another LosslessRollout has the same target."""
    if setup.rivals:
        others = ", ".join(sorted(qualified(rival) for rival in setup.rivals))
        yield Trouble(
            setup.name,
            f"{setup.target} is named by {others} as well; only the oldest one acts",
            "delete all but one",
        )


def no_close_driver(setup: Setup) -> Iterator[Trouble]:
    """Ask whether clients are told to leave."""
    if setup.valid and not setup.valid.close:
        timeout = format_duration(setup.valid.drain.timeout)
        yield Trouble(
            setup.name,
            "spec.close is empty: a client that keeps one connection busy is never told to leave"
            f" and holds every drain until its timeout, {timeout}",
            advice(setup),
        )


def short_idle(setup: Setup) -> Iterator[Trouble]:
    """Ask whether connections are discarded before their clients have given them up."""
    if setup.valid is None:
        return
    drain = setup.valid.drain
    if drain.idle_connections is IdleConnections.DISCARD and drain.client_idle_timeout < SHORT_IDLE:
        yield Trouble(
            setup.name,
            f"connections idle for {format_duration(drain.client_idle_timeout)} are discarded; many"
            f" clients use a connection again after {format_duration(SHORT_IDLE)} and more, and a"
            " request on one that was just discarded is lost",
            "raise spec.drain.clientIdleTimeout to your clients' idle timeout, or set"
            " idleConnections: Wait",
        )


def paused(setup: Setup) -> Iterator[Trouble]:
    """Ask whether the rollout is paused by hand."""
    if setup.valid and setup.valid.paused:
        metadata = setup.rollout.get("metadata") or {}
        resume = unpause(metadata.get("namespace", "default"), metadata.get("name", ""))
        yield Trouble(
            setup.name,
            "spec.paused is true: no new pod takes traffic in place of an old one",
            f"when you are done: {resume}",
        )
