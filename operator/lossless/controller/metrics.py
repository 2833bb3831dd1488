"""The controller's Prometheus metrics: names and help texts in one place.

No label holds the name of a pod: what there is of each LosslessRollout is bounded, and forgotten
with it.
"""

from collections.abc import Iterator
from typing import Final

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from lossless.cluster.watching import Key
from lossless.model.phases import ENDED, Phase
from lossless.model.rollout.drains import Outcome
from lossless.model.rollout.measures import Measures
from lossless.model.status import RolloutPhase
from lossless.telemetry.metrics import registry_of

_LATENCY: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_DRAIN: Final = (1.0, 5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 300.0, 600.0, 1800.0)
_WHICH: Final = ("namespace", "rollout")
#: How a look ended: it could do its work, the API server did not let it, or we are at fault.
LOOKS: Final = ("ok", "failed", "error")
_RESULTS: Final = tuple(phase.value for phase in Phase if phase in ENDED)


class ControllerMetrics:
    """Metrics of one controller process, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = registry_of("controller")
        self._rollouts = _Rollouts()
        self.registry.register(self._rollouts)
        self.leader = Gauge(
            "lossless_controller_leader",
            "1 while this process leads, 0 while it stands by.",
            registry=self.registry,
        )
        self.drains = Counter(
            "lossless_drains",
            "Drains that ended, by result.",
            (*_WHICH, "result"),
            registry=self.registry,
        )
        self.drain_seconds = Histogram(
            "lossless_drain_seconds",
            "How long drains took until their pods were released.",
            ("result",),
            buckets=_DRAIN,
            registry=self.registry,
        )
        self.replaced = Counter(
            "lossless_stuck_pods_replaced",
            "Pods evicted because their agents kept them from starting.",
            _WHICH,
            registry=self.registry,
        )
        self.reconcile = Histogram(
            "lossless_reconcile_seconds",
            "One look at a LosslessRollout: gather, decide, apply.",
            ("result",),
            buckets=_LATENCY,
            registry=self.registry,
        )
        self.gate = Histogram(
            "lossless_event_to_gate_seconds",
            "From the event that woke the controller to the gate that it opened.",
            buckets=_LATENCY,
            registry=self.registry,
        )
        self.queued = Gauge(
            "lossless_queue_length",
            "LosslessRollouts that wait to be looked at.",
            registry=self.registry,
        )
        # A series that appears with the first failure has no increase to alert on.
        for look in LOOKS:
            self.reconcile.labels(look)
        for result in _RESULTS:
            self.drain_seconds.labels(result)

    def measure(self, key: Key, measures: Measures) -> None:
        """Tell what a look at a LosslessRollout has shown."""
        self._rollouts.seen[key] = measures
        for result in _RESULTS:
            self.drains.labels(*key, result)
        self.replaced.labels(*key)

    def ended(self, key: Key, outcome: Outcome) -> None:
        """Count a drain that has ended."""
        self.drains.labels(*key, outcome.phase.value).inc()
        self.drain_seconds.labels(outcome.phase.value).observe(outcome.seconds)

    def forget(self, key: Key) -> None:
        """Drop all that is said of a LosslessRollout that is gone."""
        self._rollouts.seen.pop(key, None)
        which = dict(zip(_WHICH, key, strict=True))
        for counter in (self.drains, self.replaced):
            counter.remove_by_labels(which)

    def forget_all(self) -> None:
        """Drop what is said of the state of any: somebody else looks after them now."""
        self._rollouts.seen.clear()


class _Rollouts(Collector):
    """Of each LosslessRollout, what the last look at it has shown; unknown is left out."""

    def __init__(self) -> None:
        self.seen: dict[Key, Measures] = {}

    def collect(self) -> Iterator[GaugeMetricFamily]:
        phase = _family("rollout_phase", "1 for the phase that the LosslessRollout is in.", "phase")
        connections = _family(
            "draining_connections",
            "Client connections left on pods that drain; absent while those of no pod are known.",
            "state",
        )
        unprotected = _family(
            "unprotected_pods",
            "Pods that would stop without a drain, by the reason.",
            "reason",
        )
        numbers = {
            "replicas": _family(
                "rollout_replicas", "Pods of the workload that are not about to stop."
            ),
            "updated": _family(
                "rollout_updated_replicas", "Those of the replicas that are of the new revision."
            ),
            "draining": _family(
                "draining_pods", "Pods that are asked to stop and whose drains have not ended."
            ),
            "held": _family(
                "held_gates", "New pods that wait for a drain to end before they take traffic."
            ),
            "ready": _family(
                "rollout_ready",
                "1 if the LosslessRollout protects its pods, 0 if something is to be done.",
            ),
            "paused": _family(
                "rollout_paused",
                "1 if the rollout is paused, by its spec or by a drain that timed out.",
            ),
            "suspended": _family(
                "injection_suspended",
                "1 while new pods start without an agent, because agents kept others from"
                " starting.",
            ),
        }
        for key, seen in self.seen.items():
            for one in RolloutPhase:
                phase.add_metric((*key, one.value), one is seen.phase)
            if seen.connections is not None:
                connections.add_metric((*key, "active"), seen.connections.active)
                connections.add_metric((*key, "idle"), seen.connections.idle)
            for reason, count in (seen.unprotected or {}).items():
                unprotected.add_metric((*key, reason.value), count)
            for name, family in numbers.items():
                value: float | None = getattr(seen, name)
                if value is not None:
                    family.add_metric(key, value)
        yield from (phase, connections, unprotected, *numbers.values())


def _family(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"lossless_{name}", text, labels=(*_WHICH, *labels))
