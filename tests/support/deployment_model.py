"""A small model of what surrounds the controller: Deployment and ReplicaSet controller, kubelets.

It follows kubernetes pkg/controller/deployment step by step: rolling.go
(``reconcileNewReplicaSet``, ``reconcileOldReplicaSets``, ``cleanupUnhealthyReplicas`` and
``scaleDownOldReplicaSetsForRollingUpdate``), recreate.go, and sync.go for what a change of replicas
does in mid-rollout (``scale``). So rollouts of any shape can be run through ``decide`` in a
millisecond.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from lossless.model.announcements import Announcement
from lossless.model.decision import Decision, SetGate, decide
from lossless.model.observation import Departure, Gate, Observation, Pod, Unknown, Workload
from lossless.model.phases import ENDED, Phase
from lossless.model.report import Connections, Report
from lossless.model.status import RolloutStatus
from lossless.model.strategy import Strategy
from tests.support.rollouts import GRACE, NOW, a_rollout, a_spec


@dataclass
class SimPod:
    """One pod, as its kubelet knows it."""

    name: str
    replica_set: str
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

    @property
    def uid(self) -> str:
        """Of the pod; names are never used twice here."""
        return f"uid-{self.name}"

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
            gated=self.injected,
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


@dataclass
class Cluster:
    """One Deployment with its ReplicaSets and pods, and a clock that a test owns."""

    replicas: int
    surge: int | str
    unavailable: int | str
    max_draining: int | str = 1
    min_ready_seconds: float = 0.0
    drain_seconds: float = 20.0
    start_seconds: float = 3.0
    now: float = NOW
    sets: dict[str, int] = field(default_factory=dict)
    """Name of a ReplicaSet to ``spec.replicas``; the last one is the newest."""
    pods: list[SimPod] = field(default_factory=list)
    departures: list[Departure] = field(default_factory=list)
    status: RolloutStatus = field(default_factory=RolloutStatus)
    announced: list[Announcement] = field(default_factory=list)
    resume: str = ""
    paused: bool = False
    """``spec.paused`` of the LosslessRollout."""
    halted: bool = False
    """``spec.paused`` of the Deployment: ``kubectl rollout pause``."""
    recreate: bool = False
    on_create: Callable[[SimPod], None] = lambda _: None
    _made: int = 0
    _sized: int = 0
    """Replicas that the ReplicaSets were last sized for (their desired-replicas annotation)."""

    def __post_init__(self) -> None:
        """Start calm: one ReplicaSet, all its pods serving."""
        self.sets["rs-1"] = self._sized = self.replicas
        for _ in range(self.replicas):
            pod = self._create("rs-1")
            pod.gate = Gate(open=True, since=self.now)
            pod.containers_ready, pod.containers_ready_since = True, self.now
            pod.ready_since, pod.served = self.now - self.min_ready_seconds, True

    @property
    def strategy(self) -> Strategy:
        """Of the Deployment."""
        return Strategy(self.recreate, max_surge=self.surge, max_unavailable=self.unavailable)

    @property
    def newest(self) -> str:
        """Name of the newest ReplicaSet."""
        return next(reversed(self.sets))

    @property
    def floor(self) -> int:
        """Pods that the Deployment keeps available."""
        return self.strategy.floor(self.replicas)

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

    def finished(self) -> bool:
        """Whether the rollout is complete and nothing is left of the old."""
        old = sum(number for name, number in self.sets.items() if name != self.newest)
        return (
            not old
            and all(pod.replica_set == self.newest for pod in self.pods)
            and self.available() == self.replicas
        )

    def release(self) -> None:
        """Change the pod template: a new ReplicaSet."""
        self.sets[f"rs-{len(self.sets) + 1}"] = 0

    def undo(self) -> None:
        """Go back to the ReplicaSet before the newest."""
        names = [*self.sets]
        self.sets[names[-2]] = self.sets.pop(names[-2])

    def deployment_controller(self) -> None:
        """Run one sync of the Deployment."""
        if self.halted or self._sized != self.replicas:
            self._scale()
        elif self.recreate:
            self._recreate()
        else:
            self._roll()

    def _scale(self) -> None:
        """Size the ReplicaSets for another number of replicas (sync.go, ``scale``)."""
        surge = 0 if self.recreate else self.strategy.resolve(self.replicas)[0]
        before = 0 if self.recreate else self.strategy.resolve(self._sized)[0]
        active = [name for name, number in self.sets.items() if number]
        if len(active) <= 1:
            self.sets[active[0] if active else self.newest] = self.replicas
        elif self.sets[self.newest] == self.available(self.newest) == self.replicas:
            self.sets.update(dict.fromkeys((n for n in active if n != self.newest), 0))
        elif not self.recreate:
            allowed = self.replicas + surge if self.replicas else 0
            change = allowed - sum(self.sets.values())
            added = 0
            # By size; at equal size the newer ones grow first, the older ones shrink first.
            ages = {name: age for age, name in enumerate(self.sets)}
            order = sorted(
                active,
                key=lambda n: (-self.sets[n], -ages[n] if change > 0 else ages[n]),
            )
            sizes = {}
            for name in order:
                size = self.sets[name]
                share = round(size * allowed / (self._sized + before)) - size
                left = change - added
                share = min(share, left) if change > 0 else max(share, left)
                sizes[name] = size + share
                added += share
            sizes[order[0]] = max(0, sizes[order[0]] + change - added)
            self.sets.update(sizes)
        self._sized = self.replicas

    def _recreate(self) -> None:
        """Stop all old pods, wait until they are gone, then make the new ones (recreate.go)."""
        for name in self.sets:
            if name != self.newest:
                self.sets[name] = 0
        if all(pod.replica_set == self.newest for pod in self.pods):
            self.sets[self.newest] = self.replicas

    def _roll(self) -> None:
        surge, unavailable = self.strategy.resolve(self.replicas)
        newest = self.newest
        total = sum(self.sets.values())
        wanted = min(self.replicas + surge - total, self.replicas - self.sets[newest])
        if wanted > 0:
            self.sets[newest] += wanted
            return
        self.sets[newest] = min(self.sets[newest], self.replicas)
        floor = self.replicas - unavailable
        not_new = [name for name in self.sets if name != newest]
        new_unavailable = self.sets[newest] - self.available(newest)
        spare = sum(self.sets.values()) - floor - new_unavailable
        if spare <= 0:
            return
        for name in not_new:
            unhealthy = max(0, self.sets[name] - self.available(name))
            gone = min(spare, unhealthy)
            self.sets[name] -= gone
            spare -= gone
        extra = self.available() - floor
        for name in not_new:
            gone = min(max(0, extra), self.sets[name])
            self.sets[name] -= gone
            extra -= gone

    def replica_set_controller(self) -> None:
        """Create and delete pods until each ReplicaSet has what it asks for."""
        for name, wanted in self.sets.items():
            active = [p for p in self.pods if p.replica_set == name and p.asked is None]
            for _ in range(wanted - len(active)):
                self._create(name)
            active.sort(key=lambda pod: (pod.ready_since is not None, -pod.created, pod.name))
            for pod in active[: max(0, len(active) - wanted)]:
                pod.asked = self.now

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
            gate_open = not pod.injected or (pod.gate is not None and pod.gate.open)
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
            rollout=a_rollout(
                spec=a_spec(max_draining=self.max_draining, paused=self.paused),
                status=self.status,
                resume=self.resume,
            ),
            workload=Workload(
                name="web",
                replicas=self.replicas,
                strategy=self.strategy,
                min_ready_seconds=self.min_ready_seconds,
                # The history moves forward at an undo as well.
                revision=f"{len(self.sets)}/{self.newest}",
                newest=self.newest,
            ),
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
        self.deployment_controller()
        self.replica_set_controller()
        self.controller()

    def settle(self, most: int = 5000) -> int:
        """Tick until the rollout is finished and its status says so; return the ticks.

        Raises:
            AssertionError: it did not finish.
        """
        for tick in range(most):
            if self.finished() and self.status.last_rollout and self.status.last_rollout.finished:
                return tick
            self.tick()
        raise AssertionError(f"not finished: {self.sets}, {self.shut()}, {self.status}")

    def _create(self, replica_set: str) -> SimPod:
        self._made += 1
        pod = SimPod(
            name=f"{replica_set}-{self._made:03d}",
            replica_set=replica_set,
            created=self.now,
            starts_in=self.start_seconds,
            drains_in=self.drain_seconds,
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


def restarted(cluster: Cluster, reread: Callable[[RolloutStatus], RolloutStatus]) -> Cluster:
    """Return the cluster as a new controller finds it: status re-read, memory gone."""
    return replace(cluster, status=reread(cluster.status), departures=[])
