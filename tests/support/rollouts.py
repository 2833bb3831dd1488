"""Builders for what `decide` looks at: a calm world in one call, each test changes one thing."""

from dataclasses import replace
from typing import Any, Final

from lossless.model.close_drivers import NginxClose
from lossless.model.phases import Phase
from lossless.model.policy import DrainPolicy, RolloutSpec
from lossless.model.report import Connections, Oldest, Report
from lossless.model.rollout.observation import Gate, Observation, Pod, Rollout, Workload
from lossless.model.rollout.strategy import Strategy
from lossless.model.status import RolloutStatus
from lossless.model.targets import Kind, TargetRef

#: Some moment, in seconds of the epoch; whole, as Kubernetes stores times.
NOW: Final = 1_800_000_000.0
OLD: Final = "web-old"
NEW: Final = "web-new"
#: Grace period of the pods that `stopping` makes.
GRACE: Final = 320.0


def a_spec(**changes: Any) -> RolloutSpec:
    """Return a valid spec with a close driver."""
    spec = RolloutSpec(target=TargetRef(Kind.DEPLOYMENT, "web"), close=(NginxClose(),))
    return replace(spec, **changes)


def a_drain(**changes: Any) -> DrainPolicy:
    """Return ``spec.drain`` with defaults."""
    return replace(DrainPolicy(), **changes)


def a_rollout(**changes: Any) -> Rollout:
    """Return a LosslessRollout that is an hour older than NOW."""
    rollout = Rollout(
        uid="llr-uid", created=NOW - 3600, generation=1, spec=a_spec(), status=RolloutStatus()
    )
    return replace(rollout, **changes)


def a_workload(replicas: int = 3, surge: int | str = 1, unavailable: int | str = 0) -> Workload:
    """Return a Deployment whose newest ReplicaSet is NEW."""
    return Workload(
        name="web",
        replicas=replicas,
        strategy=Strategy(max_surge=surge, max_unavailable=unavailable),
        revision="2",
        newest=NEW,
    )


def serving(name: str, replica_set: str = OLD, **changes: Any) -> Pod:
    """Return an injected pod that is Ready behind an open gate for ten minutes."""
    pod = Pod(
        name=name,
        uid=f"uid-{name}",
        created=NOW - 600,
        revision=replica_set,
        rollout="web",
        gated=True,
        gate=Gate(open=True, reason="NoRollout", since=NOW - 599),
        containers_ready=True,
        containers_ready_since=NOW - 599,
        ready=True,
        ready_since=NOW - 598,
    )
    return replace(pod, **changes)


def waiting(name: str, replica_set: str = NEW, *, ready_for: float = 5, **changes: Any) -> Pod:
    """Return an injected pod whose containers are ready and whose gate nobody has written yet."""
    pod = serving(
        name,
        replica_set,
        gate=None,
        created=NOW - ready_for - 5,
        containers_ready_since=NOW - ready_for,
        ready=False,
        ready_since=NOW - ready_for - 5,
        served=False,
    )
    return replace(pod, **changes)


def starting(name: str, replica_set: str = NEW, **changes: Any) -> Pod:
    """Return an injected pod whose containers are not ready."""
    return waiting(name, replica_set, containers_ready=False, **changes)


def stopping(name: str, replica_set: str = OLD, *, asked: float = 10, **changes: Any) -> Pod:
    """Return an injected pod that was asked to stop some seconds ago and drains."""
    pod = serving(
        name,
        replica_set,
        deletion=NOW - asked + GRACE,
        stop_asked=NOW - asked,
        evidence=a_report(name, seconds=asked),
    )
    return replace(pod, **changes)


def a_report(name: str, phase: Phase = Phase.DRAINING, **changes: Any) -> Report:
    """Return what the agent of `stopping(name)` says."""
    report = Report(
        pod=name,
        uid=f"uid-{name}",
        phase=phase,
        seconds=10.0,
        connections=Connections(active=1, idle=2, new=0),
        oldest=Oldest("10.0.0.9:40000", 10.0),
        reason="3 connections left",
    )
    return replace(report, **changes)


def a_world(*pods: Pod, **changes: Any) -> Observation:
    """Return an observation of `a_rollout` and `a_workload` with these pods."""
    seen = Observation(
        namespace="shop", name="web", rollout=a_rollout(), workload=a_workload(), pods=pods
    )
    return replace(seen, **changes)
