"""StatefulSets and DaemonSets of every shape, with everything that people do in the middle.

They pace themselves, so what is to be shown is that we never get in their way: after each of their
turns no gate of ours is shut, no two actions fight, they are as available as they would be without
us, status counts what there is, and in the end it says that it is the end.
"""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lossless.cluster.rollout_status import parse_status, status_document
from lossless.model.rollout.decision import Decision, decide
from lossless.model.status import RolloutPhase
from tests.support.self_paced_models import DaemonSet, SelfPaced, StatefulSet
from tests.support.simulation import LIVES, Lives, SimPod


class _Judged(SelfPaced):
    """A workload of which every look of the controller is judged."""

    def controller(self) -> Decision:
        """Run one look, and judge it."""
        decision = super().controller()
        uids = [gate.uid for gate in decision.gates]
        assert len(uids) == len(set(uids)), "one pod, two actions"
        assert all(gate.open for gate in decision.gates), "a gate was shut"
        assert self.shut() == [], "a gate is shut"
        assert decision.evictions == (), "a pod was evicted"
        assert decide(self.observation(), self.now).gates == (), "a second look has more to do"
        self._status_counts_what_there_is()
        return decision

    def _status_counts_what_there_is(self) -> None:
        live = [pod for pod in self.pods if pod.asked is None]
        assert self.status.held == 0
        assert self.status.replicas == len(live)
        assert self.status.updated == sum(pod.replica_set == self.newest for pod in live)
        last = self.status.last_rollout
        if last is not None and last.finished and self.status.phase is RolloutPhase.READY:
            assert all(pod.replica_set == self.newest or self.stays_old(pod) for pod in live)


class JudgedStatefulSet(_Judged, StatefulSet):
    """A StatefulSet under judgement."""


class JudgedDaemonSet(_Judged, DaemonSet):
    """A DaemonSet under judgement."""


Make = Callable[..., SelfPaced]


def stateful(**shape: Any) -> Make:
    """Return a maker of StatefulSets of this shape."""
    return lambda size, **changes: JudgedStatefulSet(size, **(shape | changes))


def daemon(**shape: Any) -> Make:
    """Return a maker of DaemonSets of this shape."""
    return lambda size, **changes: JudgedDaemonSet(size, **(shape | changes))


SHAPES: dict[str, Make] = {
    "ordered": stateful(),
    "parallel": stateful(parallel=True),
    "partition": stateful(partition=2),
    "parallel-partition": stateful(parallel=True, partition=1),
    "one-node-at-a-time": daemon(),
    "three-nodes-at-a-time": daemon(unavailable=3),
    "surge": daemon(surge=1, unavailable=0),
    "surge-of-three": daemon(surge=3, unavailable=0),
}
BY_HAND: dict[str, Make] = {
    "stateful-by-hand": stateful(by_hand=True),
    "daemon-by-hand": daemon(by_hand=True),
}
ROLLING = pytest.mark.parametrize("make", SHAPES.values(), ids=SHAPES)


def rolling(workload: SelfPaced) -> SelfPaced:
    """Return the workload at the beginning of a rollout."""
    workload.controller()
    workload.release()
    return workload


def settle(workload: SelfPaced, most: int = 3000) -> None:
    """Tick until the workload is finished and status says so."""
    for _ in range(most):
        if workload.finished() and workload.status.phase is RolloutPhase.READY:
            return
        workload.tick()
    raise AssertionError(f"no end: {workload.pods}, {workload.status}")


@ROLLING
@pytest.mark.parametrize("size", [1, 3, 7, 30])
def test_a_rollout_ends_with_every_drain_counted(make: Make, size: int) -> None:
    """Never below the workload's own floor, and status tells of the one rollout from end to end."""
    workload = rolling(make(size, drain_seconds=9.0, start_seconds=2.0))
    least, old = size, sum(not workload.stays_old(pod) for pod in workload.pods)
    while not workload.finished():
        workload.tick()
        least = min(least, workload.available())
    settle(workload)
    last = workload.status.last_rollout

    assert least >= workload.floor
    if old:
        assert last is not None
        assert (last.drained, last.timed_out, last.lost) == (old, 0, 0)
        assert last.finished


@ROLLING
def test_what_is_gated_by_its_template_is_opened_at_once(make: Make) -> None:
    """It would wait for ever: nobody paces these by gates."""
    workload = rolling(make(5))
    most = 0.0
    for _ in range(400):
        workload.tick()
        for pod in workload.pods:
            if pod.gate is not None:
                most = max(most, pod.gate.since - pod.created)

    assert workload.finished()
    assert most <= 1.0


@ROLLING
@pytest.mark.parametrize("look", [1, 6, 14, 40])
@pytest.mark.parametrize("change", ["release", "undo"])
def test_another_release_in_the_middle_of_a_drain(make: Make, look: int, change: str) -> None:
    """The rollout that is going on is given up, and the one that ends is the newest."""
    workload = rolling(make(5))
    for _ in range(look):
        workload.tick()
    getattr(workload, change)()
    settle(workload)

    assert all(p.replica_set == workload.newest or workload.stays_old(p) for p in workload.pods)


@pytest.mark.parametrize("make", BY_HAND.values(), ids=BY_HAND)
def test_by_hand_there_is_no_rollout_that_never_ends(make: Make) -> None:
    """Whoever deletes pods one by one sees each drain; in between all is ready."""
    workload = rolling(make(4, drain_seconds=8.0))
    for _ in range(5):
        workload.tick()
    before = workload.status
    for place in reversed(workload.places):
        workload.delete(workload.at(place)[0])
        workload.tick()
        assert workload.status.phase is RolloutPhase.DRAINING
        settle(workload)

    assert (before.phase, before.last_rollout) == (RolloutPhase.READY, None)
    assert workload.status.updated == 4
    assert workload.status.last_rollout is None


def ailing(pod: SimPod) -> None:
    """Make drains slow, and every second new pod crash for ever after some seconds."""
    pod.drains_in = 90.0
    pod.crashes_after = 7.0 if pod.replica_set != "1" and pod.place % 2 else 0.0


@ROLLING
def test_slow_drains_and_crashes_cost_no_more_than_without_us(make: Make) -> None:
    """An autoscaler, or new nodes, in the middle of it: second by second the same pods serve."""

    def bare(pod: SimPod) -> None:
        ailing(pod)
        pod.injected = False

    def without_gates(pod: SimPod) -> None:
        ailing(pod)
        pod.gated = False

    def story(on_create: Callable[[SimPod], None]) -> list[int]:
        workload = make(6, on_create=on_create)
        rolling(workload)
        served = []
        for second in range(900):
            if second in {20, 60, 150}:
                workload.resize(2)
            workload.tick()
            served.append(workload.available())
        return served

    assert story(without_gates) == story(bare)


ACTIONS = st.sampled_from(
    ["lose", "delete", "release", "undo", "grow", "shrink", "restart", "move", "by-hand", "roll"]
)


@settings(max_examples=100)
@given(
    shape=st.sampled_from(sorted(SHAPES | BY_HAND)),
    size=st.integers(min_value=1, max_value=8),
    gated=st.booleans(),
    min_ready=st.sampled_from([0.0, 0.0, 10.0]),
    lives=LIVES,
    actions=st.lists(st.tuples(st.integers(min_value=1, max_value=40), ACTIONS), max_size=6),
)
@pytest.mark.timeout(120)  # all of it is computing
def test_whatever_people_and_pods_do_it_ends(  # noqa: C901, PLR0913 # dimensions
    shape: str,
    size: int,
    min_ready: float,
    lives: Lives,
    actions: list[tuple[int, str]],
    *,
    gated: bool,
) -> None:
    """And each look on the way is judged."""
    made: list[SimPod] = []

    def vary(pod: SimPod) -> None:
        lives.give(pod, len(made))
        pod.gated = gated
        made.append(pod)

    workload = rolling((SHAPES | BY_HAND)[shape](size, min_ready_seconds=min_ready, on_create=vary))
    for ticks, action in actions:
        for _ in range(ticks):
            workload.tick()
        match action:
            case "lose" if workload.pods:
                workload.lose(workload.pods[0])
            case "delete" if workload.pods:
                workload.delete(workload.pods[-1])
            case "release":
                workload.release()
            case "undo":
                workload.undo()
            case "grow" | "shrink":
                workload.resize(3 if action == "grow" else -3)
            case "restart":
                workload.status = parse_status(status_document(workload.status))
                workload.departures.clear()
            case "move" if isinstance(workload, StatefulSet):
                workload.partition = 0 if workload.partition else 2
            case "by-hand" | "roll":
                workload.by_hand = action == "by-hand"
            case _:
                pass
    # Whoever crashed is mended, which is all that is needed: nobody has to resume anything.
    workload.on_create = lambda pod: setattr(pod, "drains_in", 5.0)
    for pod in workload.pods:
        pod.crashes_after = 0.0
    settle(workload)

    last = workload.status.last_rollout
    assert last is None or last.finished or workload.by_hand
