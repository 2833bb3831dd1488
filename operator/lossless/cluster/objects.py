"""Raw objects, parsed once: what of a pod and of a LosslessRollout a decision needs.

Nothing here raises for what an API server may return: what is missing is empty.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from lossless.cluster.agent_state import agent_state_of, agent_status_of, agents_of
from lossless.cluster.client import Raw
from lossless.cluster.conditions import is_true, since
from lossless.cluster.rollout_status import parse_injection, parse_status
from lossless.cluster.timestamps import parse_time
from lossless.model.fields import InvalidSpec
from lossless.model.names import (
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


def metadata_of(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return ``metadata`` of an object."""
    return raw.get("metadata") or {}


def labels_of(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return ``metadata.labels`` of an object."""
    return metadata_of(raw).get("labels") or {}


def annotations_of(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return ``metadata.annotations`` of an object."""
    return metadata_of(raw).get("annotations") or {}


def spec_of(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return ``spec`` of an object."""
    return raw.get("spec") or {}


def status_of(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return ``status`` of an object."""
    return raw.get("status") or {}


def pod_of(raw: Raw) -> Pod:
    """Return the pod; how its drain stands is asked elsewhere."""
    metadata, spec, status = metadata_of(raw), spec_of(raw), status_of(raw)
    labels, annotations = labels_of(raw), annotations_of(raw)
    conditions = {c.get("type"): c for c in status.get("conditions") or ()}
    gates = {gate.get("conditionType") for gate in spec.get("readinessGates") or ()}
    deletion = metadata.get("deletionTimestamp")
    ends = parse_time(deletion) if deletion else None
    grace = float(metadata.get("deletionGracePeriodSeconds") or 0)
    ready = conditions.get("Ready")
    return Pod(
        name=metadata.get("name", ""),
        uid=metadata.get("uid", ""),
        created=parse_time(metadata.get("creationTimestamp")),
        revision=_revision_of(raw),
        rollout=labels.get(ROLLOUT_LABEL, "") if agents_of(spec) else "",
        declined=labels.get(INJECT_LABEL) == "false",
        unprotected=annotations.get(UNPROTECTED_ANNOTATION, ""),
        incomplete=annotations.get(INCOMPLETE_ANNOTATION, ""),
        gated=GATE in gates,
        gate=_gate(conditions.get(GATE)),
        served=is_true(ready) or since(ready) - parse_time(status.get("startTime")) > _AT_START,
        address=status.get("podIP") or "",
        containers_ready=is_true(conditions.get("ContainersReady")),
        containers_ready_since=since(conditions.get("ContainersReady")),
        ready=is_true(ready),
        ready_since=since(ready),
        finished=status.get("phase") in _FINISHED,
        deletion=ends,
        stop_asked=0.0 if ends is None else ends - grace,
        agent=agent_state_of(spec, status, conditions),
        begun=_begun(status, conditions),
    )


def last_words(raw: Raw) -> Evidence | None:
    """Return what a pod's agent left as its termination message; None while the agent runs."""
    ended = (agent_status_of(status_of(raw)).get("state") or {}).get("terminated")
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
    pod = pod_of(raw)
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
        rollout=labels_of(raw).get(ROLLOUT_LABEL, ""),
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
        resume=annotations_of(raw).get(RESUME_ANNOTATION, ""),
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
        resume=annotations_of(raw).get(RESUME_ANNOTATION, ""),
        generation=int(metadata.get("generation") or 0),
    )


def _spec(raw: Raw) -> RolloutSpec | InvalidSpec:
    try:
        return parse_spec(spec_of(raw))
    except InvalidSpec as invalid:
        return invalid


def _unpullable(status: object) -> bool:
    suspension = parse_injection(status)
    # Who tries again does not know any more: without a new pod that could last for weeks.
    return suspension is not None and suspension.cause is Cause.IMAGE and not suspension.trying


def _revision_of(raw: Mapping[str, Any]) -> str:
    owner = controller_of(raw)
    if owner.get("kind") == "ReplicaSet":
        return str(owner.get("name") or "")
    return str(labels_of(raw).get(REVISION_LABEL) or "")


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
    return is_true(conditions.get("Initialized")) or any(
        state.get("running") is not None or state.get("terminated") is not None for state in states
    )


def _gate(condition: Mapping[str, Any] | None) -> Gate | None:
    if condition is None:
        return None
    return Gate(
        open=condition.get("status") == "True",
        reason=condition.get("reason") or "",
        message=condition.get("message") or "",
        since=since(condition),
    )
