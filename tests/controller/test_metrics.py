"""The controller's metrics: what is known of each LosslessRollout, while it is there."""

from dataclasses import replace

from lossless.cluster.watching import Key
from lossless.controller.metrics import ControllerMetrics
from lossless.model.phases import Phase
from lossless.model.report import Connections
from lossless.model.rollout.drains import Outcome
from lossless.model.rollout.measures import Measures, UnprotectedReason
from lossless.model.status import RolloutPhase

WEB = Key("shop", "web")
API = Key("shop", "api")
SEEN = Measures(
    phase=RolloutPhase.PROGRESSING,
    replicas=3,
    updated=1,
    draining=1,
    held=1,
    connections=Connections(active=2, idle=5),
    unprotected=dict.fromkeys(UnprotectedReason, 0) | {UnprotectedReason.OLDER: 2},
    ready=True,
    paused=False,
    suspended=False,
)
UNKNOWN = replace(
    SEEN,
    phase=RolloutPhase.DEGRADED,
    replicas=None,
    updated=None,
    draining=None,
    held=None,
    connections=None,
    unprotected=None,
    ready=False,
)


def series(metrics: ControllerMetrics, key: Key) -> dict[tuple[str, ...], float]:
    """Return all that is said of a LosslessRollout, by name and further label values."""
    which = dict(zip(("namespace", "rollout"), key, strict=True))
    return {
        (sample.name, *(sample.labels[name] for name in sample.labels if name not in which)): (
            sample.value
        )
        for family in metrics.registry.collect()
        for sample in family.samples
        if which.items() <= sample.labels.items()
    }


def test_a_look_is_told() -> None:
    """By state and reason, with the zeros that an alert's increase begins at."""
    metrics = ControllerMetrics()
    metrics.measure(WEB, SEEN)

    found = series(metrics, WEB)

    assert found["lossless_rollout_phase", "Progressing"] == 1
    assert sum(v for (name, *_), v in found.items() if name == "lossless_rollout_phase") == 1
    assert found["lossless_draining_connections", "active"] == 2
    assert found["lossless_draining_connections", "idle"] == 5
    assert found["lossless_unprotected_pods", "older"] == 2
    assert found["lossless_unprotected_pods", "missed"] == 0
    assert found["lossless_rollout_updated_replicas",] == 1
    assert found["lossless_rollout_ready",] == 1
    for result in ("Drained", "TimedOut", "Lost"):
        assert found["lossless_drains_total", result] == 0


def test_what_is_unknown_is_left_out() -> None:
    """A zero would say that nobody is there."""
    metrics = ControllerMetrics()
    metrics.measure(WEB, SEEN)
    metrics.measure(WEB, UNKNOWN)

    found = series(metrics, WEB)

    assert found["lossless_rollout_ready",] == 0
    assert found["lossless_rollout_phase", "Degraded"] == 1
    assert {name for name, *_ in found} == {
        "lossless_rollout_phase",
        "lossless_rollout_ready",
        "lossless_rollout_paused",
        "lossless_injection_suspended",
        "lossless_drains_total",
        "lossless_stuck_pods_replaced_total",
    }


def test_a_rollout_that_is_gone_leaves_nothing() -> None:
    """Namespaces that come and go would fill the page; the others stay."""
    metrics = ControllerMetrics()
    for key in (WEB, API):
        metrics.measure(key, SEEN)
        metrics.ended(key, Outcome("web-1", "u-1", Phase.LOST, 12.0))
    metrics.forget(WEB)
    metrics.forget(WEB)

    assert series(metrics, WEB) == {}
    assert series(metrics, API)["lossless_drains_total", "Lost"] == 1


def test_one_that_leads_no_more_keeps_its_counts() -> None:
    """The state is another's to tell; what this process has seen end stays counted."""
    metrics = ControllerMetrics()
    metrics.measure(WEB, SEEN)
    metrics.ended(WEB, Outcome("web-1", "u-1", Phase.TIMED_OUT, 300.0))
    metrics.forget_all()

    assert {name for name, *_ in series(metrics, WEB)} == {
        "lossless_drains_total",
        "lossless_stuck_pods_replaced_total",
    }
    assert series(metrics, WEB)["lossless_drains_total", "TimedOut"] == 1
