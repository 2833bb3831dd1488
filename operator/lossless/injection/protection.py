"""What makes a pod a protected one: every decision about it, from the pod as it was read. Pure.

Theory of operation. The pod is brought to a wanted state, whatever an earlier pass has done
(``reinvocationPolicy: IfNeeded``: other webhooks may have added containers since). The grace period
is the one thing that is added to instead of set, so there an injected pod is recognised: by the
agent's container together with our annotation. What the first pass has replaced (a container's own
hook, the pod's own grace period) the second finds in what the agent is told.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lossless.injection.admission_pod import AdmissionPod
from lossless.injection.agent_container import agent_container
from lossless.injection.agent_settings import AgentSettings
from lossless.injection.containers import counted_ports
from lossless.injection.holds import hold_containers
from lossless.injection.obstacles import agent_port_in
from lossless.injection.patching import Path
from lossless.injection.problem import Problem, ProblemKind
from lossless.injection.shared_paths import find_shared_paths
from lossless.model.counters import evidence_of
from lossless.model.drain.agent_config import AgentConfig
from lossless.model.policy import RolloutSpec


@dataclass(frozen=True, slots=True)
class WantedContainer:
    """What one container needs."""

    path: Path
    """Where it is in the pod."""
    sees_files: bool
    """The shared volume is mounted into it."""
    status_file: str
    """What its middleware looks at, if that is not our own file; else empty."""
    pre_stop: Mapping[str, Any] | None
    """Its hook; None: it stays as it is."""


@dataclass(frozen=True, slots=True)
class Protection:
    """A pod as it should be; how it gets there, ``writing`` says."""

    config: AgentConfig
    agent: Mapping[str, Any]
    """The agent's container."""
    version: str
    """Of whoever injects."""
    containers: tuple[WantedContainer, ...]
    gate: bool
    """It has the readiness gate; else it has none."""
    grace: int
    """Seconds; the pod's own grace period is at least so long."""
    incomplete: tuple[Problem, ...]
    """What is not as it was asked for."""
    unprotected: tuple[Problem, ...]
    """Containers that stop without waiting for the drain."""

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All of them, in the order in which people are told."""
        return (*self.incomplete, *self.unprotected)


def problems_of(decided: Protection | Problem) -> tuple[Problem, ...]:
    """Return everything that people are to be told of a pod."""
    return (decided,) if isinstance(decided, Problem) else decided.problems


def protect(  # noqa: PLR0913 # the pod, what is asked for it, and by which installation
    pod: AdmissionPod,
    rollout: str,
    spec: RolloutSpec,
    settings: AgentSettings,
    *,
    gate: bool,
    review: str = "REVIEW",
) -> Protection | Problem:
    """Return what makes ``pod`` a protected one, or what keeps the agent out of it.

    Args:
        pod: as it came.
        rollout: name of the LosslessRollout.
        spec: its spec.
        settings: of the installation.
        gate: whether a controller is there to open the readiness gate. If not, the pod leaves
            without the gate even if its template brings it along.
        review: unique id of the admission; what is only shown needs none.
    """
    ports, unknown = counted_ports(spec.ports, pod.containers)
    port = agent_port_in(pod, rollout, ports)
    if isinstance(port, Problem):
        return port
    shared = find_shared_paths(pod, spec)
    holds = hold_containers(pod, spec, ports, shared.hidden, agent_port=port, review=review)
    config = AgentConfig(
        rollout=rollout,
        ports=ports,
        drain=spec.drain,
        probes=pod.probes,
        status_files=shared.status_files,
        status_flag=spec.status_flag,
        close=spec.close,
        metrics=evidence_of(spec.close, spec.metrics),
        out_of_reach=shared.out_of_reach,
        agent_port=port,
        host_network=pod.host_network,
        hold_key=holds.key,
        hooks=holds.own_hooks,
        file_holds=holds.by_file,
        barrier=holds.barrier,
        grace=holds.own_grace,
    )
    return Protection(
        config=config,
        agent=agent_container(settings, config, pod, shared.mounts),
        version=settings.version,
        containers=tuple(
            WantedContainer(
                path=one.path,
                sees_files=one.path not in shared.hidden,
                status_file=shared.named_to.get(one.name, ""),
                pre_stop=decision.hook,
            )
            for one, decision in zip(pod.containers, holds.decisions, strict=True)
        ),
        gate=gate,
        grace=holds.grace,
        incomplete=(
            *map(_not_declared, unknown),
            *shared.problems,
            *holds.unknown,
            *holds.ended_early,
            *shared.hidden.values(),
            *holds.not_reloaded,
        ),
        unprotected=holds.unprotected,
    )


def _not_declared(name: str) -> Problem:
    return Problem(
        ProblemKind.PORT_NOT_DECLARED,
        "spec.ports",
        f"{name!r}: no container of this pod declares a TCP port of that name",
        "declare it, or use a number",
    )
