"""How the containers of one pod are held: who serves, who waits for whom, and for how long."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from lossless.injection.containers import Place, main_containers, tcp_ports
from lossless.injection.hooks import MARGIN, Decision, Terms
from lossless.injection.nginx_reload import Reloads, find_reloads
from lossless.model.drain.agent_config import DEFAULT_GRACE, AgentConfig
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
    problems: tuple[str, ...]
    """What could not be done as asked for, each with the remedy."""

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

    def not_reloaded(self, decisions: Mapping[str, Decision]) -> list[str]:
        """Return what keeps nginx from being reloaded, each with the remedy."""
        return [
            f"{reloading.field}: container {name} cannot have nginx reload in a drain, because it "
            + (
                "keeps its own preStop; remove that"
                if decisions[name].reason
                else f"cannot see {SHARED_MOUNT}; mount elsewhere what is there"
            )
            for name, reloading in self.reloads.of.items()
            if not decisions[name].by_file
        ]

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


def make_plan(  # noqa: PLR0913 # what is asked for, what is there, and what was there before
    pod: Mapping[str, Any],
    spec: RolloutSpec,
    places: tuple[Place, ...],
    counted: tuple[int, ...],
    before: AgentConfig | None,
    *,
    agent_port: int,
    hold_key: str,
) -> Plan:
    """Return the plan.

    Args:
        pod: as it is now.
        spec: of its LosslessRollout.
        places: of the containers that serve.
        counted: the ports whose connections count.
        before: what an earlier pass has told the agent; None if this is the first.
        agent_port: of the pod's agent.
        hold_key: that a first pass gives to the holds; empty: they need none.
    """
    main = main_containers(places, counted)
    ports = {number for place in main for _, number in tcp_ports(place) if number in counted}
    found = pod["spec"].get("terminationGracePeriodSeconds")
    own = DEFAULT_GRACE if found is None else max(0.0, float(found))
    by_file, problems = _by_file(pod, {place.name for place in places})
    shared = bool(pod["spec"].get("shareProcessNamespace"))
    reloads = find_reloads(spec, places, main, shared=shared)
    return Plan(
        spec=spec,
        grace=own if before is None else before.grace,
        hooks={} if before is None else {hook.container: hook for hook in before.hooks},
        sidecars=frozenset(
            place.name for place in places if not place.native and place not in main
        ),
        ports=tuple(sorted(ports)),
        by_file=by_file,
        reloads=reloads,
        agent_port=agent_port,
        hold_key=(before.hold_key if before is not None and hold_key else "") or hold_key,
        problems=problems + reloads.problems,
    )


def _by_file(
    pod: Mapping[str, Any], containers: set[str]
) -> tuple[frozenset[str], tuple[str, ...]]:
    names, problems = [], []
    for key, value in (pod["metadata"].get("annotations") or {}).items():
        if not key.startswith(HOLD_ANNOTATION_PREFIX):
            continue
        name = key.removeprefix(HOLD_ANNOTATION_PREFIX)
        if value != HOLD_BY_FILE:
            problems.append(
                f"annotation {key}: {value!r}: the only value is {HOLD_BY_FILE}; write that, or"
                " remove it"
            )
        elif name not in containers:
            problems.append(
                f"annotation {key}: no container {name} runs in this pod; correct the name"
            )
        else:
            names.append(name)
    return frozenset(names), tuple(problems)
