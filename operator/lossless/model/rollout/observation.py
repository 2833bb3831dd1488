"""Everything that a decision may look at: one LosslessRollout's world at one moment."""

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from lossless.model.fields import InvalidSpec
from lossless.model.phases import Phase
from lossless.model.policy import RolloutSpec
from lossless.model.report import Report
from lossless.model.rollout.strategy import Strategy
from lossless.model.status import RolloutStatus
from lossless.model.targets import Kind, Target


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody could say how a pod's drain stands. Never taken for an empty pod."""

    cause: str


Evidence: TypeAlias = Report | Unknown


@dataclass(frozen=True, slots=True)
class Gate:
    """The pod condition that our readiness gate looks at."""

    open: bool
    reason: str = ""
    message: str = ""
    since: float = 0.0
    """Last transition, in seconds of the epoch."""


class Endpoint(NamedTuple):
    """Where a pod's agent listens."""

    address: str
    """IP address of the pod; it may belong to another one by now. Empty: it has none."""
    port: int | None = None
    """None: the usual one."""


@dataclass(frozen=True, slots=True)
class AgentState:
    """The agent's container in a pod, as the kubelet sees it. Times are seconds of the epoch."""

    port: int | None = None
    """On which it listens, as its container declares; None: it does not say."""
    waits: str = ""
    """Why it does not run, in the kubelet's word; empty: it runs, or nobody has said."""
    says: str = ""
    """The same, in the kubelet's sentence."""
    since: float | None = None
    """Since when it runs; None: it does not."""
    due: float = 0.0
    """When nothing but itself was left to start it: node, network, whatever starts before it."""
    ran: float = 0.0
    """Seconds for which its last run lasted that has ended; 0 if none has."""
    ended: float = 0.0
    """When that run ended; 0 if none has."""


@dataclass(frozen=True, slots=True)
class Pod:
    """One pod. Times are seconds of the epoch."""

    name: str
    uid: str
    created: float
    revision: str = ""
    """Which release it is of: its ReplicaSet's name, or its ``controller-revision-hash``."""
    rollout: str = ""
    """Name of the LosslessRollout whose agent was injected; empty: none was."""
    declined: bool = False
    """Its template asks not to be injected."""
    unprotected: str = ""
    """Containers whose preStop the webhook could not protect."""
    incomplete: str = ""
    """What else of the LosslessRollout the webhook could not do in this pod, with the remedy."""
    gated: bool = False
    """Its spec carries our readiness gate."""
    gate: Gate | None = None
    """None: nobody has written the condition yet, which is as good as shut."""
    served: bool = True
    """It was Ready at some time, so clients may be on it."""
    address: str = ""
    """IP address; empty: it has none yet, or none any more."""
    containers_ready: bool = False
    containers_ready_since: float = 0.0
    ready: bool = False
    ready_since: float = 0.0
    finished: bool = False
    """Succeeded or Failed: all containers have ended."""
    deletion: float | None = None
    """``deletionTimestamp``: when the grace period ends. None: it is not terminating."""
    stop_asked: float = 0.0
    """When the deletion was asked for; 0 unless terminating."""
    evidence: Evidence | None = None
    """How its drain stands; None unless it is injected and terminating."""
    agent: AgentState = AgentState()
    begun: bool = False
    """A container of the user's has run: there may be data, clients and hooks."""

    @property
    def endpoint(self) -> Endpoint:
        """Where its agent is asked."""
        return Endpoint(self.address, self.agent.port)

    @property
    def live(self) -> bool:
        """Neither terminating nor finished: what a ReplicaSet calls an active pod."""
        return self.deletion is None and not self.finished

    @property
    def shut(self) -> bool:
        """Its gate keeps it from becoming Ready."""
        return self.gated and not (self.gate is not None and self.gate.open)

    def available(self, min_ready_seconds: float, now: float) -> bool:
        """Whether a Deployment counts it as available."""
        return self.live and self.ready and now - self.ready_since >= min_ready_seconds


@dataclass(frozen=True, slots=True)
class Departure:
    """A pod that was seen going, with what was last known of its drain."""

    name: str
    uid: str
    evidence: Evidence
    served: bool
    """It was Ready when it went: clients may have noticed."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the API server says of pods that it did not let a ReplicaSet make."""

    message: str
    since: float


@dataclass(frozen=True, slots=True)
class Workload:
    """The workload that is protected."""

    name: str
    replicas: int
    """Pods that it should have; of a DaemonSet, nodes that should run one."""
    strategy: Strategy
    """``recreate`` for whatever paces itself."""
    min_ready_seconds: float = 0.0
    revision: str = ""
    """The newest revision as people know it: a number, or a StatefulSet's ControllerRevision."""
    newest: str = ""
    """``Pod.revision`` of the newest release; empty: there is none yet, or nobody can tell."""
    kind: Kind = Kind.DEPLOYMENT
    by_hand: bool = False
    """``OnDelete``: an old pod stays until somebody deletes it."""
    partition: int = 0
    """A StatefulSet's pods below this ordinal stay as they are."""
    refusal: Refusal | None = None
    """None: its pods are made, or its controller does not say."""

    @property
    def target(self) -> Target:
        """What it is called."""
        return Target(self.kind, self.name)

    def limit(self, max_draining: int | str | None) -> int:
        """Return ``pacing.maxDraining`` as a number of pods, at least 1.

        Unset, it is as many as the Deployment replaces at a time: nobody asked for a slower
        rollout, and opening more gates than that would not make it faster.
        """
        if max_draining is None:
            pods = self.strategy.wave(self.replicas)
        elif isinstance(max_draining, int):
            pods = max_draining
        else:
            pods = int(max_draining.removesuffix("%")) * self.replicas // 100
        return max(1, pods)

    @property
    def paced(self) -> bool:
        """Whether its rollout goes on when we open a gate."""
        return self.kind.gated and not self.strategy.recreate

    def is_old(self, pod: Pod) -> bool:
        """Whether the pod is of another release than the newest."""
        return bool(self.newest) and pod.revision != self.newest

    def keeps(self, pod: Pod) -> bool:
        """Whether the workload leaves an old pod as it is, because somebody told it to."""
        ordinal = pod.name.rpartition("-")[2]
        return self.is_old(pod) and (
            self.by_hand or (ordinal.isdecimal() and int(ordinal) < self.partition)
        )


@dataclass(frozen=True, slots=True)
class Rollout:
    """The LosslessRollout itself."""

    uid: str
    created: float
    generation: int
    spec: RolloutSpec | InvalidSpec
    status: RolloutStatus
    """As the last look left it."""
    resume: str = ""
    """Value of the resume annotation."""


class Elsewhere(NamedTuple):
    """Another LosslessRollout."""

    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Observation:
    """One LosslessRollout and what there is of its workload."""

    namespace: str
    name: str
    rollout: Rollout | None
    """None: it is gone or being deleted."""
    owner: str = ""
    """Name of an older LosslessRollout on the same workload; empty: this one owns it."""
    workload: Workload | None = None
    """None: there is none of that name."""
    pods: tuple[Pod, ...] = ()
    """Pods of the workload, terminating ones included."""
    strays: tuple[Pod, ...] = ()
    """Pods that carry this LosslessRollout's label and are not the workload's."""
    departures: tuple[Departure, ...] = ()
    """Pods that went since the last look."""
    unpullable: tuple[Elsewhere, ...] = ()
    """Other LosslessRollouts whose pods cannot pull the agent's image, sorted."""


#: Phases in which a pod takes one of ``pacing.maxDraining`` places.
TAKES_A_PLACE = frozenset({Phase.DRAINING, Phase.UNPROTECTED})
