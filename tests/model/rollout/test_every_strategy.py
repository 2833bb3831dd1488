"""Rollouts of every strategy and size, with everything that people do in the middle of one.

Each is run against a model of the Deployment controller, and after each of its turns the same four
things must hold: availability first, no gate shut without a living reason, no two actions that
fight, and in the end an end.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lossless.cluster.rollout_status import parse_status, status_document
from lossless.model.rollout.decision import Decision, decide
from lossless.model.rollout.gate import OPENING
from lossless.model.status import RolloutPhase
from tests.support.deployment_model import Cluster
from tests.support.simulation import LIVES, Lives, SimPod

STRATEGIES: list[tuple[int | str, int | str]] = [
    (0, 1),
    (1, 0),
    ("25%", "25%"),
    ("100%", 0),
    (2, 1),
    (0, "100%"),
]


@dataclass
class Watched(Cluster):
    """A cluster in which every look of the controller is judged."""

    opened: set[str] = field(default_factory=set)
    """Uids of pods whose gates were opened: none may ever be shut again."""

    def controller(self) -> Decision:
        """Run one look, and judge it."""
        decision = super().controller()
        self._actions_do_not_fight(decision)
        self._availability_is_first()
        self._shut_gates_have_a_living_reason()
        return decision

    def _actions_do_not_fight(self, decision: Decision) -> None:
        uids = [gate.uid for gate in decision.gates]
        assert len(uids) == len(set(uids)), "one pod, two actions"
        assert not {g.uid for g in decision.gates if not g.open} & self.opened, "shut again"
        self.opened |= {gate.uid for gate in decision.gates if gate.open}
        assert decide(self.observation(), self.now).gates == (), "a second look undoes the first"

    def _availability_is_first(self) -> None:
        old = [p for p in self.pods if p.asked is None and p.replica_set != self.newest]
        if self.available() < self.floor or not old or self.recreate:
            assert self.shut() == [], "held below the floor, or with nothing to wait for"

    def _shut_gates_have_a_living_reason(self) -> None:
        paused = self.paused or self.halted or self.status.phase is RolloutPhase.PAUSED
        draining = any(pod.asked is not None for pod in self.pods)
        going = self.available() > self.floor
        opening = any(self._opens(pod) for pod in self.pods)
        for pod in self.shut():
            superseded = pod.replica_set != self.newest
            alive = superseded or not pod.containers_ready
            assert alive or paused or draining or going or opening, f"{pod.name}: no living reason"

    def _opens(self, pod: SimPod) -> bool:
        """Whether a pod is about to become available by itself."""
        seen = pod.seen(self.now)
        if pod.asked is not None or seen.shut or seen.available(self.min_ready_seconds, self.now):
            return False
        opened = pod.gate.since if pod.gate is not None else 0.0
        recently = self.now < max(pod.containers_ready_since, opened) + OPENING
        return seen.ready or (seen.containers_ready and recently)


def rolling(cluster: Watched, *, release: bool = True) -> Watched:
    """Return the cluster at the beginning of a rollout."""
    cluster.controller()
    if release:
        cluster.release()
    return cluster


@pytest.mark.parametrize("replicas", [1, 2, 3, 5, 10, 25, 50])
@pytest.mark.parametrize(("surge", "unavailable"), STRATEGIES)
@pytest.mark.parametrize("limit", [None, 1, "10%", "100%"])
def test_a_rollout_of_any_size_ends_paced_and_never_short(
    surge: int | str, unavailable: int | str, limit: int | str | None, replicas: int
) -> None:
    """No more drain at a time than asked for, except what the Deployment takes by itself."""
    cluster = rolling(
        Watched(replicas, surge, unavailable, limit, drain_seconds=9.0, start_seconds=2.0)
    )
    most, least = 0, replicas
    while not cluster.finished():
        cluster.tick()
        most, least = max(most, cluster.draining()), min(least, cluster.available())
    cluster.settle()

    allowed = cluster.workload().limit(limit)
    assert most <= max(allowed, cluster.strategy.resolve(replicas)[1])
    assert least >= cluster.floor
    assert cluster.status.last_rollout is not None
    assert cluster.status.last_rollout.drained == replicas


@pytest.mark.parametrize("replicas", [1, 3, 50])
def test_recreate_drains_all_and_holds_nothing(replicas: int) -> None:
    """All old pods go at once because the strategy says so; the new ones open at once."""
    cluster = rolling(Watched(replicas, 0, 0, recreate=True))
    cluster.settle()

    assert cluster.status.last_rollout is not None
    assert cluster.status.last_rollout.drained == replicas


@pytest.mark.parametrize(("surge", "unavailable"), STRATEGIES)
@pytest.mark.parametrize("look", [1, 6, 14, 30])
def test_a_third_revision_in_the_middle_of_a_drain(
    surge: int | str, unavailable: int | str, look: int
) -> None:
    """The second release is abandoned: what it held never takes traffic, and goes first."""
    cluster = rolling(Watched(4, surge, unavailable))
    for _ in range(look):
        cluster.tick()
    held = {pod.name for pod in cluster.shut()}
    cluster.release()
    cluster.settle()

    assert {pod.replica_set for pod in cluster.pods} == {"rs-3"}
    assert not held & {pod.name for pod in cluster.pods}


@pytest.mark.parametrize(("surge", "unavailable"), STRATEGIES)
@pytest.mark.parametrize("look", [1, 6, 14, 30])
def test_an_undo_in_the_middle_of_a_drain(
    surge: int | str, unavailable: int | str, look: int
) -> None:
    """It ends with the old release, and drains no more of it than had been asked to stop."""
    cluster = rolling(Watched(4, surge, unavailable))
    for _ in range(look):
        cluster.tick()
    cluster.undo()
    cluster.settle()

    assert {pod.replica_set for pod in cluster.pods} == {"rs-1"}


@pytest.mark.parametrize(("surge", "unavailable"), STRATEGIES)
def test_a_deployment_that_is_paused_and_resumed_goes_on(
    surge: int | str, unavailable: int | str
) -> None:
    """While ``kubectl rollout pause`` holds it, nothing is deleted; afterwards it ends."""
    cluster = rolling(Watched(6, surge, unavailable))
    for _ in range(8):
        cluster.tick()
    cluster.halted = True
    for _ in range(60):
        cluster.tick()
    asked = [pod for pod in cluster.pods if pod.asked is not None]
    cluster.halted = False
    cluster.settle()

    assert asked == []


@pytest.mark.parametrize("look", [0, 5, 20])
def test_scaled_to_zero_and_back(look: int) -> None:
    """In the middle of a rollout as well: what comes back is new, open, and whole."""
    cluster = rolling(Watched(5, 1, 0))
    for _ in range(look):
        cluster.tick()
    cluster.replicas = 0
    for _ in range(60):
        cluster.tick()
    empty = list(cluster.pods)
    cluster.replicas = 5
    cluster.settle()

    assert empty == []
    assert cluster.available() == 5


def starving(pod: SimPod) -> None:
    """Make every second pod crash for ever after some seconds of being ready."""
    number = int(pod.name.rpartition("-")[2])
    pod.drains_in = 240.0
    pod.crashes_after = 7.0 if number % 2 else 0.0


@pytest.mark.parametrize(("surge", "unavailable"), STRATEGIES)
@pytest.mark.parametrize("limit", [1, "100%"])
def test_the_floor_cannot_be_starved(
    surge: int | str, unavailable: int | str, limit: int | str
) -> None:
    """Slow drains, crash loops and an autoscaler at once: below the floor nothing is held.

    `Watched` says so at every look; here it is also compared with a cluster without us.
    """

    def ours(pod: SimPod) -> None:
        if pod.replica_set != "rs-1":
            starving(pod)

    def bare(pod: SimPod) -> None:
        ours(pod)
        pod.injected = False

    def story(make: Callable[[SimPod], None]) -> list[int]:
        cluster = rolling(Watched(6, surge, unavailable, limit, on_create=make))
        for pod in cluster.pods:
            pod.drains_in = 240.0
        short = []
        for second in range(400):
            if second in {20, 60, 150}:
                cluster.replicas += 4
            cluster.tick()
            short.append(max(0, cluster.floor - cluster.available()))
        return short

    with_us, without = story(ours), story(bare)

    assert max(with_us) <= max(without)
    # A gate opens one look after its pod has become ready, which is a tenth at most of these.
    assert sum(with_us) <= sum(without) * 1.1


ACTIONS = st.sampled_from(
    [
        "lose",
        "release",
        "undo",
        "grow",
        "shrink",
        "zero",
        "halt",
        "go",
        "pause",
        "resume",
        "restart",
    ]
)


@settings(max_examples=150)
@given(
    replicas=st.integers(min_value=1, max_value=12),
    strategy=st.sampled_from(STRATEGIES),
    recreate=st.booleans(),
    limit=st.sampled_from([None, 1, 2, "20%", "100%"]),
    min_ready=st.sampled_from([0.0, 0.0, 10.0]),
    lives=LIVES,
    actions=st.lists(st.tuples(st.integers(min_value=1, max_value=40), ACTIONS), max_size=6),
)
@pytest.mark.timeout(120)  # all of it is computing
def test_whatever_people_and_pods_do_it_ends(  # noqa: C901, PLR0912, PLR0913, PLR0917 # dimensions
    replicas: int,
    strategy: tuple[int | str, int | str],
    limit: int | str | None,
    min_ready: float,
    lives: Lives,
    actions: list[tuple[int, str]],
    *,
    recreate: bool,
) -> None:
    """And each look on the way is judged."""

    def vary(pod: SimPod) -> None:
        lives.give(pod, int(pod.name.rpartition("-")[2]))

    cluster = rolling(
        Watched(
            replicas,
            *strategy,
            max_draining=limit,
            min_ready_seconds=min_ready,
            recreate=recreate,
            on_create=vary,
        )
    )
    for ticks, action in actions:
        for _ in range(ticks):
            cluster.tick()
        match action:
            case "lose" if cluster.pods:
                cluster.lose(cluster.pods[0])
            case "release":
                cluster.release()
            case "undo" if len(cluster.sets) > 1:
                cluster.undo()
            case "grow":
                cluster.replicas += 3
            case "shrink":
                cluster.replicas = max(1, cluster.replicas - 3)
            case "zero":
                cluster.replicas = 0
            case "halt" | "go":
                cluster.halted = action == "halt"
            case "pause" | "resume":
                cluster.paused = action == "pause"
            case "restart":
                cluster.status = parse_status(status_document(cluster.status))
                cluster.departures.clear()
            case _:
                pass
    # Whoever paused goes on, whoever crashed is mended, and somebody resumes what timed out.
    cluster.paused = cluster.halted = False
    cluster.replicas = max(1, cluster.replicas)
    cluster.on_create = lambda pod: setattr(pod, "drains_in", 5.0)
    for pod in cluster.pods:
        pod.crashes_after = 0.0
    for attempt in range(200):
        cluster.resume = str(attempt)
        for _ in range(20):
            cluster.tick()
        if cluster.finished() and cluster.status.phase is RolloutPhase.READY:
            break

    assert cluster.finished()
    assert cluster.shut() == []
    assert cluster.status.phase is RolloutPhase.READY
