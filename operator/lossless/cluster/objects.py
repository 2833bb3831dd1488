"""Raw objects, parsed once: what of a pod and of a LosslessRollout a decision needs.

Nothing here raises for what an API server may return: what is missing is empty.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lossless.cluster.client import Raw
from lossless.cluster.rollout_status import parse_status
from lossless.cluster.timestamps import parse_time
from lossless.model.fields import InvalidSpec
from lossless.model.names import (
    AGENT_CONTAINER,
    AGENT_PORT_NAME,
    GATE,
    INCOMPLETE_ANNOTATION,
    INJECT_LABEL,
    RESUME_ANNOTATION,
    REVISION_LABEL,
    ROLLOUT_LABEL,
    UNPROTECTED_ANNOTATION,
)
from lossless.model.phases import ENDED
from lossless.model.policy import RolloutSpec, parse_spec
from lossless.model.report import parse_report
from lossless.model.rollout.observation import Departure, Evidence, Gate, Pod, Rollout, Unknown
from lossless.model.status import Cause
from lossless.model.targets import Target, controller_of, creator_of, target_of

#: Seconds after a pod's start within which the kubelet first says that it is not Ready. If that
#: was said later, the pod had been Ready before: a condition's time changes with its status only.
_AT_START: Final = 2.0
_FINISHED: Final = frozenset({"Succeeded", "Failed"})
#: Conditions of a pod that come before its first container: it has a node, it has a network.
_BEFORE_CONTAINERS: Final = ("PodScheduled", "PodReadyToStartContainers")


def metadata_of(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return ``metadata`` of an object."""
    return raw.get("metadata") or {}


def pod_of(raw: Raw) -> Pod:
    """Return the pod; how its drain stands is asked elsewhere."""
    metadata, spec, status = metadata_of(raw), raw.get("spec") or {}, raw.get("status") or {}
    labels, annotations = metadata.get("labels") or {}, metadata.get("annotations") or {}
    conditions = {c.get("type"): c for c in status.get("conditions") or ()}
    gates = {gate.get("conditionType") for gate in spec.get("readinessGates") or ()}
    agents = [c for c in spec.get("initContainers") or () if c.get("name") == AGENT_CONTAINER]
    deletion = metadata.get("deletionTimestamp")
    ends = parse_time(deletion) if deletion else None
    grace = float(metadata.get("deletionGracePeriodSeconds") or 0)
    ready = conditions.get("Ready")
    agent_status = _agent_status(status)
    agent = agent_status.get("state") or {}
    ended = (agent_status.get("lastState") or {}).get("terminated") or {}
    waiting, running = agent.get("waiting") or {}, agent.get("running")
    return Pod(
        name=metadata.get("name", ""),
        uid=metadata.get("uid", ""),
        created=parse_time(metadata.get("creationTimestamp")),
        revision=_revision_of(raw),
        rollout=labels.get(ROLLOUT_LABEL, "") if agents else "",
        declined=labels.get(INJECT_LABEL) == "false",
        unprotected=annotations.get(UNPROTECTED_ANNOTATION, ""),
        incomplete=annotations.get(INCOMPLETE_ANNOTATION, ""),
        gated=GATE in gates,
        gate=_gate(conditions.get(GATE)),
        served=_true(ready) or _since(ready) - parse_time(status.get("startTime")) > _AT_START,
        address=status.get("podIP") or "",
        agent_port=_agent_port(agents),
        containers_ready=_true(conditions.get("ContainersReady")),
        containers_ready_since=_since(conditions.get("ContainersReady")),
        ready=_true(ready),
        ready_since=_since(ready),
        finished=status.get("phase") in _FINISHED,
        deletion=ends,
        stop_asked=0.0 if ends is None else ends - grace,
        agent_waits=waiting.get("reason") or "",
        agent_says=waiting.get("message") or "",
        agent_since=None if running is None else parse_time(running.get("startedAt")),
        agent_due=_agent_due(spec, status, conditions),
        agent_ran=parse_time(ended.get("finishedAt")) - parse_time(ended.get("startedAt")),
        agent_ended=parse_time(ended.get("finishedAt")),
        begun=_begun(status, conditions),
    )


def last_words(raw: Raw) -> Evidence | None:
    """Return what a pod's agent left as its termination message; None while the agent runs."""
    ended = (_agent_status(raw.get("status") or {}).get("state") or {}).get("terminated")
    if ended is None:
        return None
    code, message = ended.get("exitCode"), ended.get("message") or ""
    if not message:
        return Unknown(f"its agent ended with exit code {code} and without a report")
    try:
        report = parse_report(message, uid=metadata_of(raw).get("uid", ""))
    except ValueError as error:
        return Unknown(f"its agent ended with exit code {code} and no usable report: {error}")
    if report.phase not in ENDED:
        return Unknown(f"its agent ended while it was {report.phase.value}: {report.reason}")
    return report


@dataclass(frozen=True, slots=True)
class PodEventSummary:
    """What is kept of a labelled pod between two events: whom to wake, and its last words."""

    uid: str
    rollout: str
    """The label's value."""
    creator: Target | None
    """What it was created for; None if for nothing that is known."""
    departure: Departure | None
    """What is to be known if the next event says that it is gone; None: nothing is lost."""


def pod_event_summary_of(raw: Raw) -> PodEventSummary:
    """Return what an event about a labelled pod leaves to remember."""
    pod, metadata = pod_of(raw), metadata_of(raw)
    departure = None
    if pod.rollout:
        departure = Departure(
            name=pod.name,
            uid=pod.uid,
            evidence=last_words(raw)
            or Unknown("it was gone before its agent ended: its node is lost, or it was killed"),
            served=pod.served,
        )
    return PodEventSummary(
        uid=pod.uid,
        rollout=(metadata.get("labels") or {}).get(ROLLOUT_LABEL, ""),
        creator=creator_of(raw),
        departure=departure,
    )


def rollout_of(raw: Raw) -> Rollout | None:
    """Return the LosslessRollout; None if it is being deleted."""
    metadata = metadata_of(raw)
    if metadata.get("deletionTimestamp"):
        return None
    return Rollout(
        uid=metadata.get("uid", ""),
        created=parse_time(metadata.get("creationTimestamp")),
        generation=int(metadata.get("generation") or 0),
        spec=_spec(raw),
        status=parse_status(raw.get("status")),
        resume=(metadata.get("annotations") or {}).get(RESUME_ANNOTATION, ""),
    )


@dataclass(frozen=True, slots=True)
class Claim:
    """Which workload a LosslessRollout is for, whether its spec is valid or not."""

    created: str
    """RFC 3339 in UTC: text order is time order."""
    name: str
    target: Target | None
    """None: it names none."""
    resume: str = ""
    generation: int = 0
    unpullable: bool = False
    """Its pods cannot pull the agent's image, and it does not try to."""

    @property
    def age(self) -> tuple[str, str]:
        """Sorts the oldest first, and by name what is equally old."""
        return self.created, self.name


def claim_of(raw: Mapping[str, Any]) -> Claim:
    """Return the claim; one that is being deleted claims nothing."""
    metadata = metadata_of(raw)
    return Claim(
        created=str(metadata.get("creationTimestamp") or ""),
        name=metadata.get("name", ""),
        target=target_of(raw),
        unpullable=_unpullable(raw.get("status")),
        resume=(metadata.get("annotations") or {}).get(RESUME_ANNOTATION, ""),
        generation=int(metadata.get("generation") or 0),
    )


def _spec(raw: Raw) -> RolloutSpec | InvalidSpec:
    try:
        return parse_spec(raw.get("spec") or {})
    except InvalidSpec as invalid:
        return invalid


def _unpullable(status: object) -> bool:
    suspension = parse_status(status).injection
    # Who tries again does not know any more: without a new pod that could last for weeks.
    return suspension is not None and suspension.cause is Cause.IMAGE and not suspension.trying


def _revision_of(raw: Mapping[str, Any]) -> str:
    owner = controller_of(raw)
    if owner.get("kind") == "ReplicaSet":
        return str(owner.get("name") or "")
    return str((metadata_of(raw).get("labels") or {}).get(REVISION_LABEL) or "")


def _agent_status(status: Mapping[str, Any]) -> Mapping[str, Any]:
    listed = status.get("initContainerStatuses") or ()
    return next((entry for entry in listed if entry.get("name") == AGENT_CONTAINER), {})


def _agent_due(
    spec: Mapping[str, Any], status: Mapping[str, Any], conditions: Mapping[str, Any]
) -> float:
    """Return since when only the agent itself can keep the agent from starting.

    The kubelet does not say when it began to try: but when the pod had its node, when it had its
    network, and when each of the containers that start before the agent had ended or started.
    """
    names = [container.get("name") for container in spec.get("initContainers") or ()]
    earlier = names[: names.index(AGENT_CONTAINER)] if AGENT_CONTAINER in names else []
    times = [
        _since(condition)
        for condition in map(conditions.get, _BEFORE_CONTAINERS)
        if _true(condition)
    ]
    for entry in status.get("initContainerStatuses") or ():
        if entry.get("name") in earlier:
            state = entry.get("state") or {}
            times += [
                parse_time((state.get("terminated") or {}).get("finishedAt")),
                parse_time((state.get("running") or {}).get("startedAt")),
            ]
    return max(times, default=0.0)


def _begun(status: Mapping[str, Any], conditions: Mapping[str, Any]) -> bool:
    """Return whether a container of the user's has run.

    ``Initialized`` says so: it is True once all init containers have ended or, as sidecars, have
    started, and stays so while a container runs, whatever becomes of a sidecar (KEP-753;
    k8s.io/kubernetes pkg/kubelet/status/generate.go, GeneratePodInitializedCondition). It may
    become False again while all of them wait for their restart; their last states tell it then.
    """
    states = [
        entry.get(state) or {}
        for entry in status.get("containerStatuses") or ()
        for state in ("state", "lastState")
    ]
    return _true(conditions.get("Initialized")) or any(
        state.get("running") is not None or state.get("terminated") is not None for state in states
    )


def _agent_port(agents: Sequence[Mapping[str, Any]]) -> int | None:
    # Of the container, not of an annotation: what a pod's containers declare never changes.
    declared = (port for agent in agents for port in agent.get("ports") or ())
    return next(
        (
            port["containerPort"]
            for port in declared
            if port.get("name") == AGENT_PORT_NAME and isinstance(port.get("containerPort"), int)
        ),
        None,
    )


def _gate(condition: Mapping[str, Any] | None) -> Gate | None:
    if condition is None:
        return None
    return Gate(
        open=condition.get("status") == "True",
        reason=condition.get("reason") or "",
        message=condition.get("message") or "",
        since=_since(condition),
    )


def _true(condition: Mapping[str, Any] | None) -> bool:
    return condition is not None and condition.get("status") == "True"


def _since(condition: Mapping[str, Any] | None) -> float:
    return 0.0 if condition is None else parse_time(condition.get("lastTransitionTime"))
