"""How the containers of one pod are held: who serves, who waits for whom, and for how long."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lossless.injection.admission_pod import AdmissionPod
from lossless.injection.containers import main_containers
from lossless.injection.hooks import MARGIN, Decision, Terms
from lossless.injection.nginx_reload import Reloads, find_reloads, not_reloaded
from lossless.injection.problem import Problem, ProblemKind
from lossless.model.drain.agent_config import DEFAULT_GRACE
from lossless.model.drain.hooks import OwnHook, SleepHook
from lossless.model.drain.release_rule import Barrier
from lossless.model.names import HOLD_ANNOTATION_PREFIX, HOLD_BY_FILE, SHARED_MOUNT
from lossless.model.policy import RolloutSpec

#: Seconds beyond drain and application: for the agent's last words and the kubelet's rounding.
_SPARE_GRACE: Final = 10


@dataclass(frozen=True, slots=True)
class Plan:
    """What holds for a pod as a whole."""

    spec: RolloutSpec
    grace: float
    """Seconds the pod had to stop before it was injected."""
    hooks: Mapping[str, OwnHook]
    """What an earlier pass has told the agent to do in the kubelet's place, by container."""
    sidecars: frozenset[str]
    """Plain sidecars: neither main nor native."""
    ports: tuple[int, ...]
    """That count and that a main container declares."""
    by_file: frozenset[str]
    """Containers that the pod template wants to be held by a file."""
    reloads: Reloads
    agent_port: int
    hold_key: str
    """That holds carry; empty: they carry none."""
    problems: tuple[Problem, ...]
    """What could not be done as asked for."""

    def terms(self, container: str, *, sees_files: bool) -> Terms:
        """Return what is asked of one container's hold."""
        drain, sidecars = self.spec.drain, self.spec.sidecars
        sidecar = container in self.sidecars
        reloading = self.reloads.of.get(container)
        sleeps = sidecar and sidecars.sleeps and reloading is None
        return Terms(
            least=drain.propagation + drain.quiet,
            limit=math.ceil(drain.timeout + (self.grace if sidecar else 0.0)) + MARGIN,
            by_file=container in self.by_file or reloading is not None,
            sees_files=sees_files,
            sleep=math.ceil(sidecars.sleep) if sleeps else 0,
            reloading=reloading,
            agent_port=self.agent_port,
            hold_key=self.hold_key,
        )

    def not_reloaded(self, decisions: Mapping[str, Decision]) -> list[Problem]:
        """Return what keeps nginx from being reloaded."""
        found = []
        for name, reloading in self.reloads.of.items():
            if decisions[name].by_file:
                continue
            why, remedy = f"cannot see {SHARED_MOUNT}", "mount elsewhere what is there"
            if decisions[name].problem is not None:
                why, remedy = "keeps its own preStop", "remove that"
            reason = f"container {name} cannot have nginx reload in a drain, because it {why}"
            found.append(not_reloaded(reloading.field, reason, remedy))
        return found

    def barrier(self, decisions: Mapping[str, Decision]) -> Barrier:
        """Return who waits for the main containers' end: the sidecars that are held.

        Where it is not known on what the main ones listen, their end cannot be seen, and all are
        let go together.
        """
        waiting = tuple(
            name
            for name, made in decisions.items()
            if name in self.sidecars and made.hook is not None and "sleep" not in made.hook
        )
        if not waiting or not self.ports:
            return Barrier()
        return Barrier(waiting, self.ports, self.grace)

    def grace_with(self, decisions: Mapping[str, Decision]) -> int:
        """Return the grace period that covers the longest hold and the pod's own time after it."""
        longest = [self.spec.drain.timeout]
        for made in decisions.values():
            if isinstance(made.own, SleepHook):
                longest.append(made.own.seconds)
            if made.hook is not None and "sleep" in made.hook:
                longest.append(made.hook["sleep"]["seconds"])
        return math.ceil(max(longest) + self.grace) + _SPARE_GRACE


def make_plan(
    pod: AdmissionPod,
    spec: RolloutSpec,
    counted: tuple[int, ...],
    *,
    agent_port: int,
    hold_key: str,
) -> Plan:
    """Return the plan.

    Args:
        pod: as it came.
        spec: of its LosslessRollout.
        counted: the ports whose connections count.
        agent_port: of the pod's agent.
        hold_key: that a first pass gives to the holds; empty: they need none.
    """
    before, main = pod.before, main_containers(pod.containers, counted)
    ports = {port.number for one in main for port in one.ports if port.number in counted}
    own = DEFAULT_GRACE if pod.grace is None else max(0.0, float(pod.grace))
    by_file, problems = _by_file(pod)
    reloads = find_reloads(spec, pod.containers, main)
    return Plan(
        spec=spec,
        grace=own if before is None else before.grace,
        hooks={} if before is None else {hook.container: hook for hook in before.hooks},
        sidecars=frozenset(
            one.name for one in pod.containers if not one.native and one not in main
        ),
        ports=tuple(sorted(ports)),
        by_file=by_file,
        reloads=reloads,
        agent_port=agent_port,
        hold_key=(before.hold_key if before is not None and hold_key else "") or hold_key,
        problems=problems + reloads.problems,
    )


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
