"""The agent's numbers in the Prometheus text format (exposition format 0.0.4)."""

import resource
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from lossless.model.drain.drain_rule import Sample
from lossless.model.phases import Phase
from lossless.model.report import Driver, DriverState, Report, Source, SourceState

_OWN_PHASES: Final = (Phase.SERVING, Phase.DRAINING, Phase.DRAINED, Phase.TIMED_OUT)


@dataclass(frozen=True, slots=True)
class State:
    """Everything that is exposed."""

    report: Report
    sample: Sample | None
    """The latest; None before the first."""
    source: str
    """sock_diag or proc."""
    samples: int
    failures: int
    sample_seconds: float
    """CPU time of the latest sample."""
    holds: int
    clients: int
    """Connections to the agent itself."""
    version: str


@dataclass(frozen=True, slots=True)
class _Family:
    name: str
    kind: str
    text: str
    values: tuple[tuple[Mapping[str, str], float], ...]


def expose(state: State) -> str:
    """Return the exposition; connections that could not be counted are left out, not zero."""
    lines: list[str] = []
    for family in _families(state):
        lines.append(f"# HELP {family.name} {family.text}")
        lines.append(f"# TYPE {family.name} {family.kind}")
        for labels, value in family.values:
            shown = ",".join(f'{key}="{_escape(text)}"' for key, text in labels.items())
            lines.append(
                f"{family.name}{{{shown}}} {value!r}" if shown else f"{family.name} {value!r}"
            )
    return "\n".join(lines) + "\n"


def _families(state: State) -> Iterable[_Family]:
    report, sample = state.report, state.sample
    known = sample is not None and not sample.problem
    # As of controller and webhook (`lossless.telemetry.metrics`, which the agent may not import).
    yield _gauge(
        "lossless_build_info",
        "1, with the version that runs.",
        1,
        component="agent",
        version=state.version,
    )
    yield _Family(
        "lossless_agent_phase",
        "gauge",
        "1 for the phase the pod is in.",
        tuple(({"phase": one.value}, int(one is report.phase)) for one in _OWN_PHASES),
    )
    yield _gauge(
        "lossless_agent_draining",
        "1 from the start of the drain on.",
        int(report.phase is not Phase.SERVING),
    )
    yield _gauge(
        "lossless_agent_drain_seconds",
        "How long the drain has taken, or took.",
        report.seconds,
    )
    yield _gauge(
        "lossless_agent_drain_deadline_seconds",
        "Time left until the pod may stop in any case; 0 unless draining.",
        report.deadline,
    )
    yield _gauge(
        "lossless_agent_discarded_connections",
        "Idle connections that no longer counted when the pod was released.",
        report.discarded,
    )
    yield _gauge(
        "lossless_agent_readable",
        "1 if the connections could be counted at the latest look.",
        int(known),
        source=state.source,
    )
    if sample is not None and known:
        yield from _connections(sample)
    yield from _evidence(report.sources)
    yield from _close_drivers(report.drivers)
    yield _counter("lossless_agent_samples_total", "Looks at all connections.", state.samples)
    yield _counter(
        "lossless_agent_sample_failures_total",
        "Looks at which the connections could not be counted.",
        state.failures,
    )
    yield _gauge(
        "lossless_agent_sample_cpu_seconds", "CPU time of the latest look.", state.sample_seconds
    )
    yield _gauge("lossless_agent_holds", "preStop hooks that are held back now.", state.holds)
    yield _gauge(
        "lossless_agent_clients", "Connections to the agent itself, holds included.", state.clients
    )
    yield _counter(
        "process_cpu_seconds_total", "CPU time of the agent.", round(time.process_time(), 3)
    )
    yield _gauge(
        "process_max_resident_memory_bytes",
        "Largest resident memory of the agent so far.",
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    )


def _connections(sample: Sample) -> Iterable[_Family]:
    states = {
        "active": sample.active,
        "ambiguous": sample.ambiguous,
        "opening": sample.opening,
        "closing": sample.closing,
        "idle": sample.idle,
    }
    yield _Family(
        "lossless_agent_connections",
        "gauge",
        "Inbound connections from outside the pod, by what they do.",
        tuple(({"state": state}, count) for state, count in states.items()),
    )
    yield _gauge(
        "lossless_agent_expired_connections",
        "Of the idle ones, those silent for clientIdleTimeout.",
        sample.expired,
    )
    yield _gauge(
        "lossless_agent_new_connections",
        "Opened by clients within the last quiet seconds; 0 unless draining.",
        sample.new,
    )
    yield _gauge(
        "lossless_agent_inside_connections",
        "Connections within the pod, which do not count.",
        sample.inside,
    )
    yield _gauge(
        "lossless_agent_accept_backlog",
        "Connections that the application has not accepted.",
        sample.backlog,
    )


def _evidence(sources: Collection[Source]) -> Iterable[_Family]:
    if not sources:
        return
    yield _Family(
        "lossless_agent_source_state",
        "gauge",
        "1 for what a source of evidence said last; only once draining.",
        tuple(
            ({"source": one.name, "state": state}, int(one.state is state))
            for one in sources
            for state in SourceState
        ),
    )
    yield _Family(
        "lossless_agent_source_value",
        "gauge",
        "What a source of evidence counts; absent if it cannot be read.",
        tuple(({"source": s.name}, s.value) for s in sources if s.value is not None),
    )
    yield _Family(
        "lossless_agent_source_age_seconds",
        "gauge",
        "Time since a source of evidence was last read.",
        tuple(({"source": one.name}, one.age) for one in sources),
    )


def _close_drivers(drivers: Collection[Driver]) -> Iterable[_Family]:
    if drivers:
        yield _Family(
            "lossless_agent_close_driver_state",
            "gauge",
            "1 for how far a close driver is; only once draining.",
            tuple(
                ({"driver": one.name, "state": state}, int(one.state is state))
                for one in drivers
                for state in DriverState
            ),
        )


def _gauge(name: str, text: str, value: float, **labels: str) -> _Family:
    return _Family(name, "gauge", text, ((labels, value),))


def _counter(name: str, text: str, value: float) -> _Family:
    return _Family(name, "counter", text, (({}, value),))


def _escape(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
