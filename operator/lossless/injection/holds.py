"""How the containers of one pod are held: who serves, who waits for whom, and for how long."""

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from lossless.injection.admission_pod import AdmissionPod
from lossless.injection.containers import main_containers
from lossless.injection.hooks import MARGIN, HoldRequest, HookDecision, decide
from lossless.injection.nginx_reload import NginxReloads, Reloading, find_reloads, not_reloaded
from lossless.injection.patching import Path
from lossless.injection.problem import Problem, ProblemKind
from lossless.injection.stopping_hooks import ending_problem
from lossless.model.drain.agent_config import DEFAULT_GRACE
from lossless.model.drain.hooks import OwnHook, SleepHook
from lossless.model.drain.release_rule import Barrier
from lossless.model.names import HOLD_ANNOTATION_PREFIX, HOLD_BY_FILE, SHARED_MOUNT
from lossless.model.policy import RolloutSpec

#: Seconds beyond drain and application: for the agent's last words and the kubelet's rounding.
_SPARE_GRACE: Final = 10


@dataclass(frozen=True, slots=True)
class Holds:
    """How all of them are held."""

    decisions: tuple[HookDecision, ...]
    """In the order of the pod's containers."""
    own_hooks: tuple[OwnHook, ...]
    """What the agent does in the kubelet's place."""
    by_file: tuple[str, ...]
    """Containers that wait for a file."""
    barrier: Barrier
    key: str
    """That tells the pod's own agent from others; empty: holds carry none."""
    own_grace: float
    """Seconds the pod had to stop before it was injected."""
    grace: int
    """Seconds that cover the longest hold and the pod's own time after it."""
    unknown: tuple[Problem, ...]
    """Holds and reloads that cannot be had in such a pod."""
    not_reloaded: tuple[Problem, ...]
    """nginx that is not reloaded because of what its container has."""
    ended_early: tuple[Problem, ...]
    """Containers whose own hooks end their servers."""
    unprotected: tuple[Problem, ...]
    """Containers that are not held."""


def hold_containers(  # noqa: PLR0913 # what is asked for, what is there, and what it is held by
    pod: AdmissionPod,
    spec: RolloutSpec,
    counted: tuple[int, ...],
    hidden: Collection[Path],
    *,
    agent_port: int,
    review: str,
) -> Holds:
    """Return how the containers of a pod are held.

    Args:
        pod: as it came.
        spec: of its LosslessRollout.
        counted: the ports whose connections count.
        hidden: containers that cannot see the shared volume, by where they are in the pod.
        agent_port: of the pod's agent.
        review: unique id of the admission.
    """
    before, main = pod.before, main_containers(pod.containers, counted)
    own = DEFAULT_GRACE if pod.grace is None else max(0.0, float(pod.grace))
    by_file, unknown = _by_file(pod)
    reloads = find_reloads(spec, pod, main)
    roles = _Roles(
        spec=spec,
        grace=own if before is None else before.grace,
        sidecars=frozenset(
            one.name for one in pod.containers if not one.native and one not in main
        ),
        by_file=by_file,
        reloads=reloads.of,
        agent_port=agent_port,
        # The key of the first pass stands in the hooks.
        hold_key=((before.hold_key if before else "") or review) if pod.host_network else "",
    )
    told = {} if before is None else {hook.container: hook for hook in before.hooks}
    decisions = tuple(
        decide(one, roles.request(one.name, sees_files=one.path not in hidden), told)
        for one in pod.containers
    )
    made = dict(zip((one.name for one in pod.containers), decisions, strict=True))
    ports = {port.number for one in main for port in one.ports if port.number in counted}
    return Holds(
        decisions=decisions,
        own_hooks=tuple(one.own for one in made.values() if one.own is not None),
        by_file=tuple(name for name, one in made.items() if one.by_file),
        barrier=roles.barrier(made, tuple(sorted(ports))),
        key=roles.hold_key,
        own_grace=roles.grace,
        grace=roles.grace_with(decisions),
        unknown=unknown + reloads.problems,
        not_reloaded=tuple(_not_reloaded(reloads, made)),
        ended_early=tuple(
            problem
            for one in pod.containers
            if (problem := ending_problem(one, told.get(one.name))) is not None
        ),
        unprotected=tuple(one.problem for one in made.values() if one.problem is not None),
    )


@dataclass(frozen=True, slots=True)
class _Roles:
    """What each container is to the others."""

    spec: RolloutSpec
    grace: float
    """Seconds the pod had to stop before it was injected."""
    sidecars: frozenset[str]
    """Plain sidecars: neither main nor native."""
    by_file: frozenset[str]
    """Containers that the pod template wants to be held by a file."""
    reloads: Mapping[str, Reloading]
    agent_port: int
    hold_key: str

    def request(self, container: str, *, sees_files: bool) -> HoldRequest:
        """Return what is asked of one container's hold."""
        drain, sidecars = self.spec.drain, self.spec.sidecars
        sidecar = container in self.sidecars
        reloading = self.reloads.get(container)
        sleeps = sidecar and sidecars.sleeps and reloading is None
        return HoldRequest(
            least=drain.propagation + drain.quiet,
            limit=math.ceil(drain.timeout + (self.grace if sidecar else 0.0)) + MARGIN,
            by_file=container in self.by_file or reloading is not None,
            sees_files=sees_files,
            sleep=math.ceil(sidecars.sleep) if sleeps else 0,
            reloading=reloading,
            agent_port=self.agent_port,
            hold_key=self.hold_key,
        )

    def barrier(self, decisions: Mapping[str, HookDecision], ports: tuple[int, ...]) -> Barrier:
        """Return who waits for the main containers' end: the sidecars that are held.

        Where it is not known on what the main ones listen, their end cannot be seen, and all are
        let go together.
        """
        waiting = tuple(
            name
            for name, made in decisions.items()
            if name in self.sidecars and made.hook is not None and "sleep" not in made.hook
        )
        return Barrier(waiting, ports, self.grace) if waiting and ports else Barrier()

    def grace_with(self, decisions: Iterable[HookDecision]) -> int:
        """Return the grace period that covers the longest hold and the pod's own time after it."""
        longest = [self.spec.drain.timeout]
        for made in decisions:
            if isinstance(made.own, SleepHook):
                longest.append(made.own.seconds)
            if made.hook is not None and "sleep" in made.hook:
                longest.append(made.hook["sleep"]["seconds"])
        return math.ceil(max(longest) + self.grace) + _SPARE_GRACE


def _not_reloaded(
    reloads: NginxReloads, decisions: Mapping[str, HookDecision]
) -> Iterator[Problem]:
    for name, reloading in reloads.of.items():
        made = decisions[name]
        if made.by_file:
            continue
        why, remedy = f"cannot see {SHARED_MOUNT}", "mount elsewhere what is there"
        if made.problem is not None:
            why, remedy = "keeps its own preStop", "remove that"
        reason = f"container {name} cannot have nginx reload in a drain, because it {why}"
        yield not_reloaded(reloading.field, reason, remedy)


def _by_file(pod: AdmissionPod) -> tuple[frozenset[str], tuple[Problem, ...]]:
    containers = {container.name for container in pod.containers}
    names, problems = [], []
    for key, value in pod.annotations.items():
        if not key.startswith(HOLD_ANNOTATION_PREFIX):
            continue
        name = key.removeprefix(HOLD_ANNOTATION_PREFIX)
        if value != HOLD_BY_FILE:
            only = f"{value!r}: the only value is {HOLD_BY_FILE}"
            problems.append(_unknown_hold(key, only, "write that, or remove it"))
        elif name not in containers:
            nobody = f"no container {name} runs in this pod"
            problems.append(_unknown_hold(key, nobody, "correct the name"))
        else:
            names.append(name)
    return frozenset(names), tuple(problems)


def _unknown_hold(key: str, reason: str, remedy: str) -> Problem:
    return Problem(ProblemKind.HOLD_UNKNOWN, f"annotation {key}", reason, remedy)
