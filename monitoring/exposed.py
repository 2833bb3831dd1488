"""What the three processes expose, asked of their own code."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from lossless.agent.metrics import State, expose
from lossless.cluster.watching import Key
from lossless.controller.metrics import ControllerMetrics
from lossless.model.drain.drain_rule import Sample
from lossless.model.phases import Phase
from lossless.model.report import Connections, Driver, DriverState, Report, Source, SourceState
from lossless.model.rollout.measures import Measures, UnprotectedReason
from lossless.model.status import RolloutPhase
from lossless.webhook.metrics import Metrics

#: Labels whose values the user's objects, settings or machines decide.
OPEN: Final = frozenset({"namespace", "rollout", "version", "source", "driver", "device"})
#: A bucket's bound is part of a histogram, not something to select by.
_PARTS: Final = frozenset({"le"})


class Component(StrEnum):
    """Which process."""

    CONTROLLER = "controller"
    WEBHOOK = "webhook"
    AGENT = "agent"


@dataclass(frozen=True, slots=True)
class Family:
    """One metric as a person looks it up."""

    component: Component
    name: str
    """As it is written in a query; of a histogram, without ``_bucket``, ``_sum``, ``_count``."""
    kind: str
    """counter, gauge or histogram."""
    text: str
    labels: dict[str, tuple[str, ...]]
    """Names, and values where they are ours; empty where they are not."""
    samples: int
    """Series on the page."""

    @property
    def series(self) -> frozenset[str]:
        """The names of its series."""
        if self.kind == "histogram":
            return frozenset(f"{self.name}_{part}" for part in ("bucket", "sum", "count"))
        return frozenset({self.name})

    @property
    def ours(self) -> bool:
        """Whether it is a metric of Lossless, and not of any process."""
        return self.name.startswith("lossless_")


def families() -> tuple[Family, ...]:
    """Return every metric of every process."""
    pages = {
        Component.CONTROLLER: _controller(),
        Component.WEBHOOK: _webhook(),
        Component.AGENT: _agent(),
    }
    return tuple(family for one, page in pages.items() for family in parse(one, page))


def parse(component: Component, page: str) -> Iterator[Family]:
    """Yield the metrics of a page, in the Prometheus text format."""
    for family in text_string_to_metric_families(page):
        labels: dict[str, list[str]] = {}
        for sample in family.samples:
            for name, value in sample.labels.items():
                values = labels.setdefault(name, [])
                if value not in values:
                    values.append(value)
        yield Family(
            component=component,
            # The parser takes off what the text format requires of a counter.
            name=f"{family.name}_total" if family.type == "counter" else family.name,
            kind=family.type,
            text=family.documentation,
            labels={
                name: () if name in OPEN else tuple(values)
                for name, values in sorted(labels.items(), key=lambda one: one[0] not in OPEN)
                if name not in _PARTS
            },
            samples=len(family.samples),
        )


def _controller() -> str:
    metrics = ControllerMetrics()
    metrics.measure(
        Key("shop", "web"),
        Measures(
            phase=RolloutPhase.READY,
            replicas=0,
            updated=0,
            draining=0,
            held=0,
            connections=Connections(),
            unprotected=dict.fromkeys(UnprotectedReason, 0),
            ready=True,
            paused=False,
            suspended=False,
        ),
    )
    return generate_latest(metrics.registry).decode()


def _webhook() -> str:
    metrics = Metrics(
        leader=lambda: 1.0, certificate_expiry=lambda: 0.0, rollouts_silence=lambda: 0.0
    )
    return generate_latest(metrics.registry).decode()


def _agent() -> str:
    report = Report(
        "web-1",
        "u-1",
        Phase.DRAINING,
        sources=(Source("kernel", SourceState.BUSY, 1, 0.5),),
        drivers=(Driver("nginx", DriverState.DONE),),
    )
    return expose(
        State(
            report=report,
            sample=Sample(0.0),
            source="sock_diag",
            samples=1,
            failures=0,
            sample_seconds=0.0,
            holds=0,
            clients=0,
            version="",
        )
    )
