"""What surrounds the controller whatever the workload is: pods, kubelets, and our own looks."""

from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import strategies as st

from lossless.model.phases import ENDED, Phase
from lossless.model.policy import RolloutSpec
from lossless.model.report import Connections, Report
from lossless.model.rollout.announcements import Announcement
from lossless.model.rollout.decision import Decision, SetGate, decide
from lossless.model.rollout.observation import Departure, Gate, Observation, Pod, Unknown, Workload
from lossless.model.status import RolloutStatus
from tests.support.rollouts import GRACE, NOW, a_rollout


@dataclass
class SimPod:
    """One pod, as its kubelet knows it."""

    name: str
    replica_set: str
    """Or whatever tells its release: the ControllerRevision of other workloads."""
    created: float
    starts_in: float
    drains_in: float
    injected: bool = True
    result: Phase = Phase.DRAINED
    gate: Gate | None = None
    ready_since: float | None = None
    containers_ready: bool = False
    containers_ready_since: float = 0.0
    asked: float | None = None
    served: bool = False
    crashes_after: float = 0.0
    """Seconds for which its containers stay ready before they crash and start anew; 0: for ever."""
    gated: bool = True
    """Its template has our readiness gate, or the webhook has added it."""
    place: int = 0
    """The ordinal of a StatefulSet's pod, the node of a DaemonSet's."""
    number: int = 0
    """Tells pods of one name apart: those of a StatefulSet follow each other under it."""

    @property
    def uid(self) -> str:
        """Of the pod."""
        return f"uid-{self.name}-{self.number}" if self.number else f"uid-{self.name}"

    def seen(self, now: float) -> Pod:
        """Return the pod as the API server shows it."""
        evidence = None
        if self.asked is not None and self.injected:
            ended = now >= self.asked + self.drains_in
            evidence = Report(
                pod=self.name,
                uid=self.uid,
                phase=self.result if ended else Phase.DRAINING,
                seconds=now - self.asked,
                connections=Connections(active=0 if ended else 1),
            )
        return Pod(
            name=self.name,
            uid=self.uid,
            created=self.created,
            revision=self.replica_set,
            rollout="web" if self.injected else "",
            gated=self.injected and self.gated,
            gate=self.gate,
            containers_ready=self.containers_ready,
            containers_ready_since=self.containers_ready_since,
            ready=self.ready_since is not None,
            ready_since=self.ready_since or 0.0,
            served=self.served,
            deletion=None if self.asked is None else self.asked + GRACE,
            stop_asked=self.asked or 0.0,
            evidence=evidence,
        )


@dataclass(frozen=True)
class Lives:
    """How pods live, each in turn by its number; seconds."""

    drains: list[float]
    starts: list[float]
    crashes: list[float]
    """See ``SimPod.crashes_after``."""
    late: set[int]
    """Numbers of those whose drain ends with the deadline."""

    def give(self, pod: SimPod, number: int) -> None:
        """Say of a new pod how it will live."""
        pod.drains_in = self.drains[number % len(self.drains)]
        pod.starts_in = self.starts[number % len(self.starts)]
        pod.crashes_after = self.crashes[number % len(self.crashes)]
        pod.result = Phase.TIMED_OUT if number in self.late else Phase.DRAINED


LIVES = st.builds(
    Lives,
    drains=st.lists(st.floats(min_value=1, max_value=90), min_size=1, max_size=5),
    starts=st.lists(st.floats(min_value=0, max_value=20), min_size=1, max_size=5),
    crashes=st.lists(st.sampled_from([0.0, 0.0, 5.0]), min_size=1, max_size=5),
    late=st.sets(st.integers(min_value=0, max_value=30), max_size=3),
)


@dataclass(kw_only=True)
class Surroundings:
    """Pods of one workload on their kubelets, and a clock that a test owns.

    Subclasses are the workload: its controllers, and what of it there is to see.
    """

    min_ready_seconds: float = 0.0
    drain_seconds: float = 20.0
    start_seconds: float = 3.0
    now: float = NOW
    pods: list[SimPod] = field(default_factory=list)
    departures: list[Departure] = field(default_factory=list)
    status: RolloutStatus = field(default_factory=RolloutStatus)
    announced: list[Announcement] = field(default_factory=list)
    resume: str = ""
    on_create: Callable[[SimPod], None] = lambda _: None
    _made: int = 0

    def workload(self) -> Workload:
        """Return the workload as the controller sees it."""
        raise NotImplementedError

    def spec(self) -> RolloutSpec:
        """Return the spec of the LosslessRollout."""
        raise NotImplementedError

    def controllers(self) -> None:
        """Run one sync of the workload's own controllers."""
        raise NotImplementedError

    def available(self, replica_set: str | None = None) -> int:
        """Return the number of available pods, of one ReplicaSet or of all."""
        return sum(
            pod.seen(self.now).available(self.min_ready_seconds, self.now)
            for pod in self.pods
            if replica_set in {None, pod.replica_set}
        )

    def draining(self) -> int:
        """Return the number of drains that go on."""
        return sum(
            pod.asked is not None and self.now < pod.asked + pod.drains_in for pod in self.pods
        )

    def shut(self) -> list[SimPod]:
        """Return live pods whose gates are not open."""
        return [p for p in self.pods if p.asked is None and p.seen(self.now).shut]

    def kubelets(self) -> None:
        """Start containers, publish readiness, remove pods whose drain has ended."""
        for pod in [*self.pods]:
            up = self.now - pod.containers_ready_since
            if pod.containers_ready and 0 < pod.crashes_after <= up:
                pod.containers_ready, pod.containers_ready_since = False, self.now
                pod.ready_since = None
            since = pod.containers_ready_since or pod.created
            if not pod.containers_ready and self.now >= since + pod.starts_in:
                pod.containers_ready, pod.containers_ready_since = True, self.now
            gate_open = not (pod.injected and pod.gated) or (pod.gate is not None and pod.gate.open)
            if pod.ready_since is None and pod.containers_ready and gate_open:
                pod.ready_since, pod.served = self.now, True
            if pod.asked is not None and self.now >= pod.asked + pod.drains_in + 1:
                self.remove(pod)

    def remove(self, pod: SimPod) -> None:
        """Let a pod vanish; its termination message, if it has one, is seen on the way."""
        evidence = pod.seen(self.now).evidence
        self.pods.remove(pod)
        if isinstance(evidence, Report) and evidence.phase in ENDED:
            self.departures.append(Departure(pod.name, pod.uid, evidence, served=pod.served))

    def lose(self, pod: SimPod) -> None:
        """Let a pod vanish with its node."""
        self.pods.remove(pod)
        evidence = Unknown("its node is gone")
        self.departures.append(Departure(pod.name, pod.uid, evidence, served=pod.served))

    def observation(self) -> Observation:
        """Return what the controller gathers."""
        return Observation(
            namespace="shop",
            name="web",
            rollout=a_rollout(spec=self.spec(), status=self.status, resume=self.resume),
            workload=self.workload(),
            pods=tuple(pod.seen(self.now) for pod in self.pods),
            departures=tuple(self.departures),
        )

    def controller(self) -> Decision:
        """Run one look of the controller and perform what it decides."""
        decision = decide(self.observation(), self.now)
        for gate in decision.gates:
            self._set(gate)
        if decision.status is not None:
            self.status = decision.status
        self.departures.clear()
        self.announced += decision.announcements
        return decision

    def tick(self, seconds: float = 1.0) -> None:
        """Let time pass and everybody have a turn."""
        self.now += seconds
        self.kubelets()
        self.controllers()
        self.controller()

    def serve_from_the_start(self, pod: SimPod) -> None:
        """Have a pod serve already, before the story begins."""
        pod.gate = Gate(open=True, since=self.now)
        pod.containers_ready, pod.containers_ready_since = True, self.now
        pod.ready_since, pod.served = self.now - self.min_ready_seconds, True

    def create(self, name: str, release: str, *, place: int = 0, number: int = 0) -> SimPod:
        """Make a pod, as the test wants it."""
        pod = SimPod(
            name=name,
            replica_set=release,
            created=self.now,
            starts_in=self.start_seconds,
            drains_in=self.drain_seconds,
            place=place,
            number=number,
        )
        self.on_create(pod)
        self.pods.append(pod)
        return pod

    def _set(self, gate: SetGate) -> None:
        for pod in self.pods:
            if pod.uid == gate.uid:
                was = pod.gate
                since = was.since if was and was.open == gate.open else self.now
                pod.gate = Gate(gate.open, gate.reason, gate.message, since)
