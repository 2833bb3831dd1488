"""What is added to a pod: pure, idempotent, and nothing that is not ours is touched.

Theory of operation. The pod is brought to a wanted state; whatever is as wanted already yields no
operation. So a second pass over an injected pod (``reinvocationPolicy: IfNeeded``: other webhooks
may have added containers since) only completes what is missing. The grace period is the one thing
that is added to instead of set, so there an injected pod is recognised: by the agent's container
together with our annotation. What the first pass has replaced (a container's own hook, the pod's
own grace period) the second finds in what the agent is told.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from lossless.injection.agent_container import agent_container
from lossless.injection.agent_settings import AgentSettings
from lossless.injection.containers import (
    Place,
    counted_ports,
    readiness_probes,
    serving,
)
from lossless.injection.hooks import Decision, decide
from lossless.injection.obstacles import is_injected, obstacle_of, port_of_agent
from lossless.injection.patching import Operation, Patch
from lossless.injection.plan import make_plan
from lossless.injection.shared_paths import find_shared_paths
from lossless.injection.stopping_hooks import stopping_problem
from lossless.model.counters import evidence_of
from lossless.model.drain.agent_config import AgentConfig, parse_agent_config
from lossless.model.names import (
    AGENT_CONTAINER,
    AGENT_PORT,
    CONFIG_ENV,
    GATE,
    INCOMPLETE_ANNOTATION,
    INJECTED_ANNOTATION,
    PRIVATE_VOLUME,
    ROLLOUT_LABEL,
    SHARED_MOUNT,
    SHARED_VOLUME,
    STATUS_FILE_ENV,
    UNPROTECTED_ANNOTATION,
)
from lossless.model.policy import DrainPolicy, RolloutSpec

#: Characters of an annotation that tells people something.
_TOLD_MAX: Final = 2048


@dataclass(frozen=True, slots=True)
class Injection:
    """What to do with a pod."""

    operations: tuple[Operation, ...] = ()
    """JSON Patch; empty if the pod stays as it is."""
    warnings: tuple[str, ...] = ()
    unprotected: Mapping[str, str] = field(default_factory=dict)
    """Containers that will stop without waiting for the drain, and why."""
    injected: bool = False
    """Whether the pod has the agent, from now on or already."""
    agent_port: int = AGENT_PORT
    """On which that agent listens."""


def inject(  # noqa: PLR0913 # the pod, what is asked for it, and by which installation
    pod: dict[str, Any],
    rollout: str,
    spec: RolloutSpec,
    settings: AgentSettings,
    *,
    gate: bool,
    review: str = "REVIEW",
) -> Injection:
    """Return what makes ``pod`` a protected one.

    Args:
        pod: as in an admission request; it is not changed.
        rollout: name of the LosslessRollout.
        spec: its spec.
        settings: of the installation.
        gate: whether a controller is there to open the readiness gate. If not, the pod leaves
            without the gate even if its template brings it along.
        review: unique id of the admission; what is only shown needs none.
    """
    places = serving(pod)
    ports, unknown = counted_ports(spec.ports, places)
    host_network = bool(pod["spec"].get("hostNetwork"))
    port, clash = port_of_agent(pod, places, ports, host_network=host_network)
    obstacle = obstacle_of(pod, rollout) or clash
    if obstacle:
        return Injection(warnings=(f"not injected: {obstacle}",))
    before = _told_before(pod)
    shared = find_shared_paths(pod, places, spec)
    plan = make_plan(
        pod,
        spec,
        places,
        ports,
        before,
        agent_port=port,
        hold_key=review if host_network else "",
    )
    patch = Patch(pod)
    patch.put(("metadata", "labels", ROLLOUT_LABEL), rollout)
    patch.put(("metadata", "annotations", INJECTED_ANNOTATION), settings.version)
    warnings = [
        f"spec.ports: {name!r}: no container of this pod declares a TCP port of that name;"
        " declare it, or use a number"
        for name in unknown
    ]
    warnings += shared.problems
    warnings += plan.problems
    _put_volumes(patch)
    decisions: dict[str, Decision] = {}
    for place in places:
        taken = _put_mount(patch, place)
        if taken:
            warnings.append(taken)
        if place.name in shared.named_to:
            _put_status_file(patch, place, shared.named_to[place.name])
        warnings += stopping_problem(place, plan.hooks.get(place.name))
        decision = decide(place, plan.terms(place.name, sees_files=not taken), plan.hooks)
        if decision.hook is not None:
            _put_hook(patch, place, decision.hook)
        decisions[place.name] = decision
    warnings += plan.not_reloaded(decisions)
    unprotected = {name: made.reason for name, made in decisions.items() if made.reason}
    bare = [f"{name}: {why}" for name, why in unprotected.items()]
    _put_told(patch, UNPROTECTED_ANNOTATION, bare)
    _put_told(patch, INCOMPLETE_ANNOTATION, warnings)
    _put_gate(patch, wanted=gate)
    _put_grace(patch, plan.grace_with(decisions))
    config = AgentConfig(
        rollout=rollout,
        ports=ports,
        drain=spec.drain,
        probes=readiness_probes(places, host_network=host_network),
        status_files=shared.status_files,
        status_flag=spec.status_flag,
        close=spec.close,
        metrics=evidence_of(spec.close, spec.metrics),
        out_of_reach=shared.out_of_reach,
        agent_port=port,
        host_network=host_network,
        hold_key=plan.hold_key,
        hooks=tuple(made.own for made in decisions.values() if made.own is not None),
        file_holds=tuple(name for name, made in decisions.items() if made.by_file),
        barrier=plan.barrier(decisions),
        grace=plan.grace,
    )
    _put_agent(patch, agent_container(settings, config, pod["spec"], shared.mounts))
    return Injection(
        operations=tuple(patch.operations),
        warnings=(*warnings, *(f"container {text}" for text in bare)),
        unprotected=unprotected,
        injected=True,
        agent_port=port,
    )


def _told_before(pod: Mapping[str, Any]) -> AgentConfig | None:
    """Return what an earlier pass has told the agent; None if there was no earlier pass.

    Where that cannot be read, an agent would go by defaults, and so does this.
    """
    if not is_injected(pod):
        return None
    told = (
        variable.get("value") or ""
        for container in pod["spec"]["initContainers"]
        if container.get("name") == AGENT_CONTAINER
        for variable in container.get("env") or ()
        if variable.get("name") == CONFIG_ENV
    )
    try:
        return parse_agent_config(next(told, ""))
    except ValueError:
        return AgentConfig(rollout="", ports=(), drain=DrainPolicy())


def _put_volumes(patch: Patch) -> None:
    known = {volume.get("name") for volume in patch.document["spec"].get("volumes") or ()}
    for name in (SHARED_VOLUME, PRIVATE_VOLUME):
        if name not in known:
            patch.append(
                ("spec", "volumes"),
                {"name": name, "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}},
            )


def _put_mount(patch: Patch, place: Place) -> str:
    """Mount the shared volume into the container; return a warning if its place is taken."""
    mounts = place.container.get("volumeMounts") or ()
    taken = [mount.get("mountPath", "") for mount in mounts if mount.get("name") != SHARED_VOLUME]
    taken += [device.get("devicePath", "") for device in place.container.get("volumeDevices") or ()]
    if any(f"{path}/".startswith(f"{SHARED_MOUNT}/") for path in taken):
        # Below it, too: a container runtime could not make that mount point in a read-only one.
        return (
            f"container {place.name}: something else is mounted at or below {SHARED_MOUNT}, so it"
            " cannot see the status file; mount that elsewhere"
        )
    if not any(mount.get("name") == SHARED_VOLUME for mount in mounts):
        patch.append(
            (*place.path, "volumeMounts"),
            {"name": SHARED_VOLUME, "mountPath": SHARED_MOUNT, "readOnly": True},
        )
    return ""


def _put_status_file(patch: Patch, place: Place, path: str) -> None:
    """Tell the middleware which file to look at, unless the container says so itself."""
    known = {variable.get("name") for variable in place.container.get("env") or ()}
    if STATUS_FILE_ENV not in known:
        patch.append((*place.path, "env"), {"name": STATUS_FILE_ENV, "value": path})


def _put_hook(patch: Patch, place: Place, wanted: Mapping[str, Any]) -> None:
    hook = (place.container.get("lifecycle") or {}).get("preStop")
    if hook is None or not _holds(hook, wanted):
        patch.put((*place.path, "lifecycle", "preStop"), dict(wanted))


def _put_told(patch: Patch, annotation: str, texts: list[str]) -> None:
    path = ("metadata", "annotations", annotation)
    if texts:
        patch.put(path, "; ".join(texts)[:_TOLD_MAX])
    elif annotation in patch.document["metadata"]["annotations"]:
        patch.remove(path)


def _put_gate(patch: Patch, *, wanted: bool) -> None:
    gates = patch.document["spec"].get("readinessGates") or ()
    at = [index for index, gate in enumerate(gates) if gate.get("conditionType") == GATE]
    if wanted and not at:
        patch.append(("spec", "readinessGates"), {"conditionType": GATE})
    elif not wanted:
        for index in reversed(at):
            patch.remove(("spec", "readinessGates", index))


def _put_grace(patch: Patch, least: int) -> None:
    found = patch.document["spec"].get("terminationGracePeriodSeconds")
    patch.put(("spec", "terminationGracePeriodSeconds"), max(found or 0, least))


def _put_agent(patch: Patch, wanted: dict[str, Any]) -> None:
    """Make the agent the first init container: it starts before and stops after all others."""
    containers = patch.document["spec"].get("initContainers") or []
    path = ("spec", "initContainers")
    at = [i for i, container in enumerate(containers) if container.get("name") == AGENT_CONTAINER]
    for index in at:
        # OpenShift gives the agent its user between two passes, and after the last only validates.
        given = containers[index].get("securityContext") or {}
        wanted = {**wanted, "securityContext": {**given, **wanted["securityContext"]}}
    if at == [0]:
        if not _holds(containers[0], wanted):
            patch.put((*path, 0), wanted)
        return
    for index in reversed(at):
        patch.remove((*path, index))
    patch.insert(path, 0, wanted)


def _holds(found: Any, wanted: Any) -> bool:
    """Return whether ``found`` says all that ``wanted`` says; it may say more.

    Between two passes the API server adds defaults, and other webhooks add entries of their own.
    """
    if isinstance(wanted, Mapping):
        return isinstance(found, Mapping) and all(
            key in found and _holds(found[key], value) for key, value in wanted.items()
        )
    if isinstance(wanted, list) and wanted and isinstance(wanted[0], Mapping):
        return isinstance(found, list) and all(
            any(_holds(item, value) for item in found) for value in wanted
        )
    return bool(found == wanted)
