"""Questions about the Deployment: how many pods, how it replaces them."""

from collections.abc import Iterator
from typing import Final

from lossless.checks.finding import Trouble
from lossless.checks.setup import Setup, named
from lossless.model.durations import format_duration

#: apps/v1 DeploymentSpec.progressDeadlineSeconds, if a Deployment does not say.
_DEFAULT_DEADLINE: Final = 600


def one_replica(setup: Setup) -> Iterator[Trouble]:
    """Ask whether one pod carries everything."""
    if setup.workload is not None and setup.replicas == 1:
        scaled = setup.autoscaler is not None
        yield Trouble(
            setup.target if setup.autoscaler is None else named(setup.autoscaler),
            ("it may leave one replica" if scaled else "replicas is 1")
            + ": whenever the pod, its node or its zone fails there is nobody else, and"
            " a load balancer that drops terminating targets has none left during a drain",
            "run two replicas or more, spread over nodes",
        )


def recreate(setup: Setup) -> Iterator[Trouble]:
    """Ask whether all old pods go before the first new one comes."""
    if setup.is_deployment and setup.strategy.recreate:
        yield Trouble(
            setup.target,
            "strategy Recreate stops all pods before it starts new ones: each drains, but between"
            " them nobody serves",
            "use strategy RollingUpdate",
        )


def no_floor(setup: Setup) -> Iterator[Trouble]:
    """Ask whether the Deployment may take all pods away at once."""
    if not setup.is_deployment:
        return
    strategy, replicas = setup.strategy, setup.replicas
    if strategy.recreate or not replicas:
        return
    surge, unavailable = strategy.resolve(replicas)
    if strategy.floor(replicas) <= 0:
        yield Trouble(
            setup.target,
            f"with {replicas} replicas, maxSurge {strategy.max_surge} ({surge}) and maxUnavailable"
            f" {strategy.max_unavailable} ({unavailable}) it may stop every pod at once",
            "set maxUnavailable: 0 and maxSurge: 1",
        )


def slow_progress(setup: Setup) -> Iterator[Trouble]:
    """Ask whether a drain may take longer than the Deployment waits for progress."""
    if not setup.is_deployment or setup.valid is None:
        return
    deadline = setup.workload_spec.get("progressDeadlineSeconds")
    deadline = _DEFAULT_DEADLINE if deadline is None else int(deadline)
    timeout = setup.valid.drain.timeout
    if deadline <= timeout:
        yield Trouble(
            setup.target,
            f"progressDeadlineSeconds is {deadline}, and one drain may take"
            f" {format_duration(timeout)} (spec.drain.timeout): kubectl rollout status and CD tools"
            " report a failure while the rollout goes on",
            f"raise progressDeadlineSeconds above {int(timeout)} and the time a pod needs to start",
        )


def paused(setup: Setup) -> Iterator[Trouble]:
    """Ask whether the Deployment itself is paused."""
    if setup.is_deployment and setup.workload_spec.get("paused"):
        yield Trouble(
            setup.target,
            "the Deployment is paused (spec.paused): changes of its template roll nothing out",
            f"kubectl rollout resume deployment {setup.workload_name}",
        )


def no_ready_time(setup: Setup) -> Iterator[Trouble]:
    """Ask whether a load balancer gets time to see a new pod before the next old one goes."""
    balanced = [s for s in setup.services if (s.get("spec") or {}).get("type") == "LoadBalancer"]
    if setup.is_deployment and balanced and not setup.workload_spec.get("minReadySeconds"):
        yield Trouble(
            setup.target,
            "minReadySeconds is 0 behind a load balancer: a new pod counts as available before the"
            " load balancer may have seen it",
            "set minReadySeconds to about the time that it needs for a new target, such as 10",
        )
