"""Small models of the workloads that pace themselves: StatefulSet and DaemonSet.

They follow kubernetes pkg/controller/statefulset/stateful_set_control.go (``updateStatefulSet``,
``processReplica``, ``processCondemned``) and pkg/controller/daemon (``manage`` and
``rollingUpdate``) step by step, so that rollouts of any shape can be run through ``decide``.
"""

from dataclasses import dataclass, field

from lossless.model.policy import RolloutSpec
from lossless.model.rollout.observation import Workload
from lossless.model.rollout.strategy import Strategy
from lossless.model.targets import Kind, TargetRef
from tests.support.rollouts import a_spec
from tests.support.simulation import SimPod, Surroundings

_OWN_PACE = Strategy(recreate=True)


@dataclass(kw_only=True)
class SelfPaced(Surroundings):
    """What both have in common: releases in a row, and pods that are replaced in their places."""

    by_hand: bool = False
    """``OnDelete``."""
    partition: int = 0
    """Of a StatefulSet."""
    releases: list[str] = field(default_factory=lambda: ["1"])
    """Names of the revisions that were ever rolled out; the last one is the newest."""

    @property
    def newest(self) -> str:
        """Name of the newest release."""
        return self.releases[-1]

    @property
    def places(self) -> range:
        """Where a pod belongs: ordinals, or nodes."""
        raise NotImplementedError

    @property
    def floor(self) -> int:
        """Pods that the workload keeps available in a rollout."""
        raise NotImplementedError

    def resize(self, by: int) -> None:
        """Have more or fewer pods, one at least."""
        raise NotImplementedError

    def release(self) -> None:
        """Change the pod template."""
        self.releases.append(str(len(self.releases) + 1))

    def undo(self) -> None:
        """Go back to the release before the newest."""
        self.releases.append(self.releases[-2])

    def delete(self, pod: SimPod) -> None:
        """Ask a pod to stop: the workload's controller does, or somebody by hand."""
        if pod.asked is None:
            pod.asked = self.now

    def at(self, place: int) -> list[SimPod]:
        """Return the pods at a place, terminating ones included."""
        return [pod for pod in self.pods if pod.place == place]

    def is_available(self, pod: SimPod) -> bool:
        """Return what its controller thinks of a pod."""
        return pod.seen(self.now).available(self.min_ready_seconds, self.now)

    def stays_old(self, pod: SimPod) -> bool:
        """Whether nobody replaces a pod of an old release, on purpose."""
        return self.by_hand or pod.place < self.partition

    def finished(self) -> bool:
        """Whether every place has one pod, of the right release, that is available."""
        return len(self.pods) == len(self.places) == self.available() and all(
            pod.place in self.places and (pod.replica_set == self.newest or self.stays_old(pod))
            for pod in self.pods
        )

    def spec(self) -> RolloutSpec:
        """Return the spec of the LosslessRollout."""
        return a_spec(target=TargetRef(self.workload().kind, "db"))


@dataclass
class StatefulSet(SelfPaced):
    """One StatefulSet; ``maxUnavailable`` is 1, as long as its feature gate is off."""

    replicas: int
    parallel: bool = False
    """``podManagementPolicy: Parallel``."""

    def __post_init__(self) -> None:
        """Start calm: every ordinal serves."""
        self._current = self.newest
        for ordinal in self.places:
            self.serve_from_the_start(self._start(ordinal))

    @property
    def places(self) -> range:
        """The ordinals."""
        return range(self.replicas)

    @property
    def floor(self) -> int:
        """All but the one that is being replaced."""
        return self.replicas - 1

    def resize(self, by: int) -> None:
        """Scale it."""
        self.replicas = max(1, self.replicas + by)

    def workload(self) -> Workload:
        """Return the StatefulSet."""
        return Workload(
            name="db",
            replicas=self.replicas,
            strategy=_OWN_PACE,
            min_ready_seconds=self.min_ready_seconds,
            revision=self.newest,
            newest=self.newest,
            kind=Kind.STATEFUL_SET,
            by_hand=self.by_hand,
            partition=self.partition,
        )

    def controllers(self) -> None:
        """Run one sync: create, then scale down, then update, and wait in between."""
        if not self._created() and not self._condemned() and not self.by_hand:
            self._update()
        if not self.by_hand and self.finished():
            # completeRollingUpdate
            self._current = self.newest

    def _created(self) -> bool:
        """Create what is missing; return whether that is all for now."""
        for ordinal in self.places:
            standing = self.at(ordinal)
            if not standing:
                self._start(ordinal)
            if not self.parallel and not (standing and self.is_available(standing[0])):
                return True
        return False

    def _condemned(self) -> bool:
        """Delete what is beyond the replicas; return whether that is all for now."""
        beyond = sorted(
            (pod for pod in self.pods if pod.place not in self.places), key=lambda pod: -pod.place
        )
        unwell = [pod for pod in beyond if not self.is_available(pod)]
        for pod in beyond:
            if self.parallel:
                self.delete(pod)
                continue
            if pod.asked is None and (self.is_available(pod) or pod is unwell[-1]):
                self.delete(pod)
            return True
        return False

    def _update(self) -> None:
        for ordinal in reversed(range(self.partition, self.replicas)):
            (pod,) = self.at(ordinal)
            if pod.replica_set != self.newest and pod.asked is None:
                self.delete(pod)
                return
            if not self.is_available(pod):
                return

    def _start(self, ordinal: int) -> SimPod:
        below = not self.by_hand and ordinal < self.partition
        self._made += 1
        release = self._current if below else self.newest
        return self.create(f"db-{ordinal}", release, place=ordinal, number=self._made)


@dataclass
class DaemonSet(SelfPaced):
    """One DaemonSet on nodes that come and go."""

    nodes: int
    surge: int = 0
    unavailable: int = 1

    def __post_init__(self) -> None:
        """Start calm: every node is served."""
        for node in self.places:
            self.serve_from_the_start(self._start(node))

    @property
    def places(self) -> range:
        """The nodes."""
        return range(self.nodes)

    @property
    def floor(self) -> int:
        """With a surge no node goes without, otherwise ``maxUnavailable`` of them do."""
        return self.nodes if self.surge else self.nodes - self.unavailable

    def resize(self, by: int) -> None:
        """Add or remove nodes."""
        self.nodes = max(1, self.nodes + by)

    def workload(self) -> Workload:
        """Return the DaemonSet."""
        return Workload(
            name="db",
            replicas=self.nodes,
            strategy=_OWN_PACE,
            min_ready_seconds=self.min_ready_seconds,
            # constructHistory: a revision that comes back gets a higher number.
            revision=str(len(self.releases)),
            newest=self.newest,
            kind=Kind.DAEMON_SET,
            by_hand=self.by_hand,
        )

    def controllers(self) -> None:
        """Run one sync: every node first, then the update."""
        for pod in self.pods:
            if pod.place not in self.places:
                self.delete(pod)
        for node in self.places:
            self._manage(node)
        if not self.by_hand:
            (self._update_by_surge if self.surge else self._update)()

    def _on(self, node: int) -> tuple[SimPod | None, SimPod | None]:
        """Return the new and the old pod of a node, terminating ones apart."""
        live = [pod for pod in self.at(node) if pod.asked is None]
        new = [pod for pod in live if pod.replica_set == self.newest]
        old = [pod for pod in live if pod.replica_set != self.newest]
        return (new[0] if new else None), (old[0] if old else None)

    def _manage(self, node: int) -> None:
        if not self.at(node):
            self._start(node)
            return
        new, old = self._on(node)
        if self.surge and new and old and (old.ready_since is None or self.is_available(new)):
            self.delete(old)
        wanted = [new, old] if self.surge else [old or new]
        for pod in self.at(node):
            if not any(pod is one for one in wanted):
                self.delete(pod)

    def _update(self) -> None:
        down, candidates = 0, []
        for node in self.places:
            new, old = self._on(node)
            if (new is None) == (old is None):
                down += 1
            elif old is None:
                down += new is None or not self.is_available(new)
            elif self.is_available(old):
                candidates.append(old)
            else:
                down += 1
                self.delete(old)
        for pod in candidates[: max(0, self.unavailable - down)]:
            self.delete(pod)

    def _update_by_surge(self) -> None:
        surged, candidates = 0, []
        for node in self.places:
            new, old = self._on(node)
            if old is None:
                continue
            if new is not None:
                surged += not self.is_available(new)
            elif self.is_available(old):
                candidates.append(node)
            else:
                self._start(node)
        for node in candidates[: max(0, self.surge - surged)]:
            self._start(node)

    def _start(self, node: int) -> SimPod:
        self._made += 1
        return self.create(f"db-{self._made:03d}", self.newest, place=node)
