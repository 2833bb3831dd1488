"""A small model of a Deployment: its controller and that of its ReplicaSets.

It follows kubernetes pkg/controller/deployment step by step: rolling.go
(``reconcileNewReplicaSet``, ``reconcileOldReplicaSets``, ``cleanupUnhealthyReplicas`` and
``scaleDownOldReplicaSetsForRollingUpdate``), recreate.go, and sync.go for what a change of replicas
does in mid-rollout (``scale``). So rollouts of any shape can be run through ``decide`` in a
millisecond.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from lossless.model.policy import RolloutSpec
from lossless.model.rollout.observation import Workload
from lossless.model.rollout.strategy import Strategy
from lossless.model.status import RolloutStatus
from tests.support.rollouts import a_spec
from tests.support.simulation import SimPod, Surroundings


@dataclass
class Cluster(Surroundings):
    """One Deployment with its ReplicaSets and pods, and a clock that a test owns."""

    replicas: int
    surge: int | str
    unavailable: int | str
    max_draining: int | str | None = 1
    """``pacing.maxDraining``; None: as many as the Deployment replaces at a time."""
    sets: dict[str, int] = field(default_factory=dict)
    """Name of a ReplicaSet to ``spec.replicas``; the last one is the newest."""
    paused: bool = False
    """``spec.paused`` of the LosslessRollout."""
    halted: bool = False
    """``spec.paused`` of the Deployment: ``kubectl rollout pause``."""
    recreate: bool = False
    _sized: int = 0
    """Replicas that the ReplicaSets were last sized for (their desired-replicas annotation)."""

    def __post_init__(self) -> None:
        """Start calm: one ReplicaSet, all its pods serving."""
        self.sets["rs-1"] = self._sized = self.replicas
        for _ in range(self.replicas):
            self.serve_from_the_start(self._create("rs-1"))

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

    def workload(self) -> Workload:
        """Return the Deployment."""
        return Workload(
            name="web",
            replicas=self.replicas,
            strategy=self.strategy,
            min_ready_seconds=self.min_ready_seconds,
            # The history moves forward at an undo as well.
            revision=f"{len(self.sets)}/{self.newest}",
            newest=self.newest,
        )

    def spec(self) -> RolloutSpec:
        """Return the spec of the LosslessRollout."""
        return a_spec(max_draining=self.max_draining, paused=self.paused)

    def controllers(self) -> None:
        """Run one sync of the Deployment and one of its ReplicaSets."""
        self.deployment_controller()
        self.replica_set_controller()

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
        return self.create(f"{replica_set}-{self._made:03d}", replica_set)


def restarted(cluster: Cluster, reread: Callable[[RolloutStatus], RolloutStatus]) -> Cluster:
    """Return the cluster as a new controller finds it: status re-read, memory gone."""
    return replace(cluster, status=reread(cluster.status), departures=[])
