"""What is added to a pod: pure, idempotent, and nothing that is not ours is touched.

Theory of operation. The pod is brought to a wanted state; whatever is as wanted already yields no
operation. So a second pass over an injected pod (``reinvocationPolicy: IfNeeded``: other webhooks
may have added containers since) only completes what is missing. The grace period is the one thing
that is added to instead of set, so there an injected pod is recognised: by the agent's container
together with our annotation.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from lossless.model.agent_config import AgentConfig
from lossless.model.names import (
    AGENT_CONTAINER,
    AGENT_PORT,
    GATE,
    INJECTED_ANNOTATION,
    PRIVATE_VOLUME,
    ROLLOUT_LABEL,
    SHARED_MOUNT,
    SHARED_VOLUME,
    UNPROTECTED_ANNOTATION,
)
from lossless.model.policy import RolloutSpec
from lossless.model.targets import named_by
from lossless.webhook.agent_container import agent_container
from lossless.webhook.containers import (
    Place,
    counted_ports,
    readiness_probes,
    serving,
    tcp_ports,
)
from lossless.webhook.hooks import HOLD, reason_to_keep
from lossless.webhook.options import AgentSettings
from lossless.webhook.patching import Operation, Patch

#: core/v1 PodSpec.terminationGracePeriodSeconds, if a pod does not say.
_DEFAULT_GRACE: Final = 30
#: Seconds beyond drain and application: for the agent's last words and the kubelet's rounding.
_SPARE_GRACE: Final = 10
_LABEL_VALUE_MAX: Final = 63


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


def inject(
    pod: dict[str, Any], rollout: str, spec: RolloutSpec, settings: AgentSettings, *, gate: bool
) -> Injection:
    """Return what makes ``pod`` a protected one.

    Args:
        pod: as in an admission request; it is not changed.
        rollout: name of the LosslessRollout.
        spec: its spec.
        settings: of the installation.
        gate: whether a controller is there to open the readiness gate. If not, the pod leaves
            without the gate even if its template brings it along.
    """
    obstacle = _obstacle(pod, rollout)
    if obstacle:
        return Injection(warnings=(f"not injected: {obstacle}",))
    second_pass = _is_injected(pod)
    places = serving(pod)
    ports, unknown = counted_ports(spec.ports, places)
    config = AgentConfig(
        rollout=rollout,
        ports=ports,
        drain=spec.drain,
        probes=readiness_probes(places),
        close=spec.close,
        metrics=spec.metrics,
    )
    patch = Patch(pod)
    patch.put(("metadata", "labels", ROLLOUT_LABEL), rollout)
    patch.put(("metadata", "annotations", INJECTED_ANNOTATION), settings.version)
    warnings = [
        f"spec.ports: {name!r}: no container of this pod declares a TCP port of that name;"
        " declare it, or use a number"
        for name in unknown
    ]
    _put_volumes(patch)
    unprotected: dict[str, str] = {}
    for place in places:
        taken = _put_mount(patch, place)
        if taken:
            warnings.append(taken)
        reason = reason_to_keep(place.container, spec.drain)
        if reason:
            unprotected[place.name] = reason
        else:
            _put_hold(patch, place)
    warnings += [f"container {name}: {reason}" for name, reason in unprotected.items()]
    _put_unprotected(patch, unprotected)
    _put_gate(patch, wanted=gate)
    _put_grace(patch, spec.drain.timeout, second_pass=second_pass)
    _put_agent(patch, agent_container(settings, config, pod["spec"]))
    return Injection(
        operations=tuple(patch.operations),
        warnings=tuple(warnings),
        unprotected=unprotected,
        injected=True,
    )


def _is_injected(pod: Mapping[str, Any]) -> bool:
    annotations = pod.get("metadata", {}).get("annotations") or {}
    return INJECTED_ANNOTATION in annotations and any(
        container.get("name") == AGENT_CONTAINER
        for container in pod["spec"].get("initContainers") or ()
    )


def _obstacle(pod: Mapping[str, Any], rollout: str) -> str:
    """Return why the agent cannot go into this pod; empty if it can."""
    spec = pod["spec"]
    if len(rollout) > _LABEL_VALUE_MAX:
        return (
            f"the name of LosslessRollout {rollout} does not fit into a label"
            f" ({len(rollout)} characters, {_LABEL_VALUE_MAX} at most); give it a shorter one"
        )
    if spec.get("hostNetwork"):
        return (
            f"the pod uses hostNetwork, where agents of one node would share port {AGENT_PORT}"
            " and see each other's connections; use the pod network"
        )
    windows = "windows"
    system = (spec.get("os") or {}).get("name")
    if windows in (system, (spec.get("nodeSelector") or {}).get("kubernetes.io/os")):
        return "the agent runs on Linux only, and this is a Windows pod"
    named = named_by(pod)
    if named not in {"", rollout}:
        return (
            f"the label {ROLLOUT_LABEL}={named} of its template does not name LosslessRollout"
            f" {rollout}, which is for its workload; take the label away"
        )
    for place in serving(pod):
        for name, number in tcp_ports(place):
            if number == AGENT_PORT:
                return (
                    f"container {place.name} uses port {number}{name and f' ({name})'}, which is"
                    " the agent's; use another"
                )
    return "" if _is_injected(pod) else _name_clash(spec)


def _name_clash(spec: Mapping[str, Any]) -> str:
    for kind in ("containers", "initContainers"):
        if any(container.get("name") == AGENT_CONTAINER for container in spec.get(kind) or ()):
            return f"the pod has a container named {AGENT_CONTAINER}, which is not ours; rename it"
    for volume in spec.get("volumes") or ():
        if volume.get("name") in (SHARED_VOLUME, PRIVATE_VOLUME):
            return f"the pod has a volume named {volume['name']}, which is not ours; rename it"
    return ""


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


def _put_hold(patch: Patch, place: Place) -> None:
    hook = (place.container.get("lifecycle") or {}).get("preStop")
    if hook is None or not _holds(hook, HOLD):
        patch.put((*place.path, "lifecycle", "preStop"), dict(HOLD))


def _put_unprotected(patch: Patch, unprotected: Mapping[str, str]) -> None:
    path = ("metadata", "annotations", UNPROTECTED_ANNOTATION)
    if unprotected:
        patch.put(path, "; ".join(f"{name}: {reason}" for name, reason in unprotected.items()))
    elif UNPROTECTED_ANNOTATION in patch.document["metadata"]["annotations"]:
        patch.remove(path)


def _put_gate(patch: Patch, *, wanted: bool) -> None:
    gates = patch.document["spec"].get("readinessGates") or ()
    at = [index for index, gate in enumerate(gates) if gate.get("conditionType") == GATE]
    if wanted and not at:
        patch.append(("spec", "readinessGates"), {"conditionType": GATE})
    elif not wanted:
        for index in reversed(at):
            patch.remove(("spec", "readinessGates", index))


def _put_grace(patch: Patch, timeout: float, *, second_pass: bool) -> None:
    path = ("spec", "terminationGracePeriodSeconds")
    own = patch.document["spec"].get("terminationGracePeriodSeconds")
    own = _DEFAULT_GRACE if own is None else own
    least = math.ceil(timeout) + _SPARE_GRACE
    patch.put(path, max(own, least) if second_pass else max(0, own) + least)


def _put_agent(patch: Patch, wanted: dict[str, Any]) -> None:
    """Make the agent the first init container: it starts before and stops after all others."""
    containers = patch.document["spec"].get("initContainers") or []
    path = ("spec", "initContainers")
    at = [i for i, container in enumerate(containers) if container.get("name") == AGENT_CONTAINER]
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
