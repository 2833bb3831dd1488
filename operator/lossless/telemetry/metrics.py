"""The controller's Prometheus metrics: names and help texts in one place."""

from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)

_LATENCY: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_DRAIN: Final = (1.0, 5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 300.0, 600.0, 1800.0)
_WHICH: Final = ("namespace", "rollout")


class ControllerMetrics:
    """Metrics of one controller process, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self.leader = Gauge(
            "lossless_controller_leader",
            "1 while this process leads, 0 while it stands by.",
            registry=self.registry,
        )
        self.drains = Counter(
            "lossless_drains",
            "Drains that ended, by result: Drained, TimedOut or Lost.",
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
        self.held = Gauge(
            "lossless_held_gates",
            "New pods that wait for a drain to end before they take traffic.",
            _WHICH,
            registry=self.registry,
        )
        self.draining = Gauge(
            "lossless_draining_pods",
            "Pods that are asked to stop and whose drains have not ended.",
            _WHICH,
            registry=self.registry,
        )
        self.connections = Gauge(
            "lossless_draining_connections",
            "Client connections left on pods that are stopping, as far as known.",
            _WHICH,
            registry=self.registry,
        )
        self.paused = Gauge(
            "lossless_rollout_paused",
            "1 if the rollout is paused, by its spec or by a drain that timed out.",
            _WHICH,
            registry=self.registry,
        )
        self.ready = Gauge(
            "lossless_rollout_ready",
            "1 if the LosslessRollout protects its pods, 0 if something is to be done.",
            _WHICH,
            registry=self.registry,
        )
        self.suspended = Gauge(
            "lossless_injection_suspended",
            "1 while new pods start without an agent, because agents kept others from starting.",
            _WHICH,
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

    def forget(self, namespace: str, rollout: str) -> None:
        """Drop what is said of a LosslessRollout that is gone; counters stay."""
        for gauge in self._of_rollouts():
            gauge.remove(namespace, rollout)

    def forget_all(self) -> None:
        """Drop what is said of any LosslessRollout: somebody else looks after them now."""
        for gauge in self._of_rollouts():
            gauge.clear()

    def _of_rollouts(self) -> tuple[Gauge, ...]:
        return (
            self.held,
            self.draining,
            self.connections,
            self.paused,
            self.ready,
            self.suspended,
        )
