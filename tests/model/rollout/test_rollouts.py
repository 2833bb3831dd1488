"""Whole rollouts against a model of the Deployment controller: they end, paced and never short."""

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lossless.cluster.rollout_status import parse_status, status_document
from lossless.model.phases import Phase
from lossless.model.rollout.decision import Decision, decide
from lossless.model.rollout.observation import Gate, Observation, Pod, Unknown
from lossless.model.status import MAX_PODS, RolloutPhase
from tests.support.deployment_model import Cluster
from tests.support.rollouts import (
    NEW,
    NOW,
    OLD,
    a_report,
    a_rollout,
    a_spec,
    a_workload,
    a_world,
    serving,
)
from tests.support.simulation import SimPod

STRATEGIES = [(1, 0), (0, 1), ("25%", "25%"), ("100%", 0), (2, 1)]


def released(cluster: Cluster) -> Cluster:
    """Return the cluster with a new pod template, just asked for."""
    cluster.controller()
    cluster.release()
    return cluster


@pytest.mark.parametrize("max_draining", [None, 1, 2, "100%"])
@pytest.mark.parametrize("replicas", [1, 2, 3, 4, 5, 7, 10])
@pytest.mark.parametrize(("surge", "unavailable"), STRATEGIES)
def test_a_rollout_ends_paced_and_never_short(
    surge: int | str, unavailable: int | str, replicas: int, max_draining: int | str | None
) -> None:
    """Every pod drains, no more at a time than allowed, and the floor is kept throughout."""
    cluster = released(Cluster(replicas, surge, unavailable, max_draining))
    at_once = cluster.strategy.resolve(replicas)[1]
    limit = cluster.workload().limit(max_draining)
    draining, available = [], []
    while not cluster.finished():
        cluster.tick()
        draining.append(cluster.draining())
        available.append(cluster.available())
        assert len(draining) < 1000
    cluster.settle()

    # What maxUnavailable allows is deleted at once; that choice is the Deployment's alone.
    assert max(draining) <= max(limit, at_once)
    assert min(available) >= cluster.floor
    last = cluster.status.last_rollout
    assert last is not None
    assert (last.drained, last.timed_out, last.lost) == (replicas, 0, 0)


@pytest.mark.parametrize("replicas", [1, 3, 12, 30])
@pytest.mark.parametrize(("surge", "unavailable"), STRATEGIES)
def test_its_own_pace_takes_no_longer_than_its_waves(
    surge: int | str, unavailable: int | str, replicas: int
) -> None:
    """Unset, a rollout takes the start and the drain of a wave for each wave, and no more."""
    start, drain = 4.0, 12.0
    cluster = released(
        Cluster(replicas, surge, unavailable, None, start_seconds=start, drain_seconds=drain)
    )
    begun = cluster.now
    cluster.settle()

    waves = math.ceil(replicas / cluster.strategy.wave(replicas))
    # Besides, one look for each thing that follows from another: ready, opened, asked, gone.
    assert cluster.now - begun <= waves * (start + drain + 4) + 4


def test_a_drain_holds_the_rollout_for_as_long_as_it_takes() -> None:
    """A client that stays for an hour holds it for an hour; when it leaves, it goes on."""
    cluster = released(Cluster(3, 1, 0, drain_seconds=200.0))
    for _ in range(60):
        cluster.tick()
    first = cluster.status

    assert (first.phase, first.draining, first.held) == (RolloutPhase.PROGRESSING, 1, 1)
    cluster.settle()
    assert cluster.status.phase is RolloutPhase.READY


def test_min_ready_seconds_delay_the_next_step_and_are_not_overtaken() -> None:
    """A pod that is Ready but not available yet has committed a drain already."""
    cluster = released(Cluster(4, "50%", 0, min_ready_seconds=30.0))
    most = 0
    while not cluster.finished():
        cluster.tick()
        most = max(most, cluster.draining())

    assert most == 1


@pytest.mark.parametrize("look", range(1, 40, 3))
def test_a_restart_in_the_middle_changes_nothing(look: int) -> None:
    """A controller that reads its status back decides as one that never stopped."""
    here, there = released(Cluster(3, 1, 0)), released(Cluster(3, 1, 0))
    for tick in range(80):
        here.tick()
        there.tick()
        if tick == look:
            there.status = parse_status(status_document(there.status))

    assert there.status == here.status
    assert [said.message for said in there.announced] == [said.message for said in here.announced]


def test_a_controller_that_was_away_finds_its_way() -> None:
    """Drains went on without it; gates open when it is back."""
    cluster = released(Cluster(3, 1, 0))
    for _ in range(8):
        cluster.tick()
    for _ in range(100):
        cluster.now += 1
        cluster.kubelets()
        cluster.deployment_controller()
        cluster.replica_set_controller()
    cluster.departures.clear()

    assert not cluster.finished()
    cluster.settle()


def test_a_pod_that_is_lost_with_its_node_does_not_hold_the_rollout() -> None:
    """It counts as ended, and as lost."""
    cluster = released(Cluster(3, 1, 0, drain_seconds=10_000.0))
    while not cluster.draining():
        cluster.tick()
    for pod in cluster.pods:
        pod.drains_in = 20.0 if pod.asked is None else pod.drains_in
    cluster.lose(next(pod for pod in cluster.pods if pod.asked is not None))
    cluster.settle()

    assert cluster.status.last_rollout is not None
    assert cluster.status.last_rollout.lost == 1
    assert "PodLost" in {said.reason for said in cluster.announced}


def test_a_timeout_pauses_and_an_undo_ends_it() -> None:
    """The undone release's held pods never take traffic."""
    cluster = released(Cluster(3, 1, 0))
    while not cluster.draining():
        cluster.tick()
    next(pod for pod in cluster.pods if pod.asked is not None).result = Phase.TIMED_OUT
    for _ in range(60):
        cluster.tick()
    paused = cluster.status.phase
    held = {pod.name for pod in cluster.shut()}
    cluster.undo()
    cluster.settle()

    assert paused is RolloutPhase.PAUSED
    assert held
    assert not held & {pod.name for pod in cluster.pods}
    assert cluster.newest == "rs-1"


def test_a_resumed_rollout_goes_on() -> None:
    """One new value of the annotation is enough."""
    cluster = released(Cluster(3, 1, 0))
    while not cluster.draining():
        cluster.tick()
    next(pod for pod in cluster.pods if pod.asked is not None).result = Phase.TIMED_OUT
    for _ in range(60):
        cluster.tick()
    cluster.resume = "1800000060"
    cluster.settle()

    assert cluster.status.last_rollout is not None
    assert cluster.status.last_rollout.timed_out == 1
    assert cluster.status.last_rollout.drained == 2
    (past,) = cluster.status.history
    assert (past.paused, past.resumed) == ("DrainTimedOut", "1800000060")


def test_pods_that_crash_do_not_stop_those_that_are_well() -> None:
    """A surge pod that never becomes ready leaves the budget to the others."""

    def crash(pod: SimPod) -> None:
        if pod.replica_set == "rs-2" and pod.name.endswith("1"):
            pod.starts_in = 200.0

    cluster = released(Cluster(10, 3, 0, on_create=crash))
    for _ in range(100):
        cluster.tick()

    assert cluster.status.last_rollout is not None
    assert cluster.status.last_rollout.drained >= 4
    cluster.settle()


def test_a_rollout_from_pods_without_agents_is_paced_as_well() -> None:
    """The first rollout after installation replaces pods that only have a grace period."""
    cluster = Cluster(3, 1, 0)
    for pod in cluster.pods:
        pod.injected, pod.gate = False, None
    released(cluster)
    most = 0
    while not cluster.finished():
        cluster.tick()
        most = max(most, cluster.draining())

    assert most == 1


def test_the_events_of_a_rollout_tell_its_story() -> None:
    """The list of Events is the specification of what a reader sees."""
    cluster = released(Cluster(2, 1, 0))
    cluster.announced.clear()
    cluster.settle()

    assert [said.reason.value for said in cluster.announced] == [
        "RolloutStarted",
        "DrainStarted",
        "Held",
        "Drained",
        "DrainStarted",
        "Drained",
        "RolloutFinished",
    ]


NAMES = st.integers(min_value=0, max_value=10_000).map("p{:05d}".format)
TIMES = st.integers(min_value=-900, max_value=0).map(lambda ago: NOW + ago)
EVIDENCE = st.sampled_from(
    [*(p for p in Phase if p in {"Serving", "Draining", "Drained", "TimedOut"}), None]
)


SURGES: st.SearchStrategy[int | str] = st.sampled_from([0, 1, 3, "25%", "100%"])
UNAVAILABLES: st.SearchStrategy[int | str] = st.sampled_from([0, 1, "25%", "100%"])


@st.composite
def pods(draw: st.DrawFn) -> Pod:
    """Any pod that an API server could show."""
    name = draw(NAMES)
    deletion = draw(st.none() | st.integers(min_value=-400, max_value=400).map(lambda s: NOW + s))
    said = draw(EVIDENCE)
    ready = draw(st.booleans())
    return replace(
        serving(name),
        revision=draw(st.sampled_from([OLD, NEW, "web-between"])),
        rollout=draw(st.sampled_from(["web", ""])),
        gated=draw(st.booleans()),
        gate=draw(st.none() | st.builds(Gate, open=st.booleans(), since=TIMES)),
        containers_ready=ready or draw(st.booleans()),
        containers_ready_since=draw(TIMES),
        ready=ready,
        ready_since=draw(TIMES),
        created=draw(TIMES),
        served=ready or draw(st.booleans()),
        finished=draw(st.booleans()) and not ready,
        deletion=deletion,
        stop_asked=0.0 if deletion is None else deletion - 320,
        evidence=None
        if deletion is None
        else Unknown("no answer")
        if said is None
        else a_report(name, said),
    )


@st.composite
def worlds(draw: st.DrawFn) -> Observation:
    """Any world around one LosslessRollout that can be acted on."""
    replicas = draw(st.integers(min_value=0, max_value=12))
    return a_world(
        *draw(st.lists(pods(), max_size=14, unique_by=lambda pod: pod.name)),
        rollout=a_rollout(
            spec=a_spec(
                max_draining=draw(st.sampled_from([None, 1, 2, 5, "10%", "100%"])),
                paused=draw(st.booleans()),
            )
        ),
        workload=a_workload(
            replicas,
            draw(SURGES),
            draw(UNAVAILABLES),
        ),
    )


def performed(seen: Observation, now: float) -> Observation:
    """Return the world after the decision's actions, as a restarted controller reads it."""
    decision = decide(seen, now)
    written = {gate.uid: gate for gate in decision.gates}
    assert seen.rollout is not None
    stored = decision.status if decision.status is not None else seen.rollout.status
    return replace(
        seen,
        rollout=replace(seen.rollout, status=parse_status(status_document(stored))),
        pods=tuple(
            replace(pod, gate=Gate(g.open, g.reason, g.message, now))
            if (g := written.get(pod.uid))
            else pod
            for pod in seen.pods
        ),
    )


@settings(max_examples=300)
@given(seen=worlds())
def test_from_any_state_no_gate_stays_shut_without_a_living_reason(seen: Observation) -> None:
    """Shut is only what a drain, a pause, a start or a newer revision keeps shut, at the floor."""
    after = performed(seen, NOW)
    assert after.rollout is not None
    assert after.workload is not None
    live = [pod for pod in after.pods if pod.live]
    shut = [pod for pod in live if pod.shut]
    available = sum(pod.available(0, NOW) for pod in live)
    old = [pod for pod in live if pod.revision != NEW]
    named = {entry.uid: entry for entry in after.rollout.status.pods}

    if shut:
        assert old
        assert available >= after.workload.strategy.floor(after.workload.replicas)
    assert {named[pod.uid].phase for pod in shut} <= {Phase.HELD, Phase.STARTING}
    assert all(named[p.uid].reason for p in shut if named[p.uid].phase is Phase.HELD)
    assert len(after.rollout.status.pods) <= MAX_PODS


@settings(max_examples=300)
@given(seen=worlds())
def test_from_any_state_a_second_look_does_nothing(seen: Observation) -> None:
    """Deciding is deterministic, and performing a decision leaves nothing to decide."""
    after = performed(seen, NOW)
    again = decide(after, NOW)

    assert decide(seen, NOW) == decide(seen, NOW)
    assert again == Decision(
        measures=again.measures, next_look=again.next_look, awaits_pods=again.awaits_pods
    )


@settings(max_examples=100)
@given(
    replicas=st.integers(min_value=1, max_value=8),
    strategy=st.sampled_from(STRATEGIES),
    limit=st.sampled_from([None, 1, 2, "50%"]),
    drains=st.lists(st.floats(min_value=1, max_value=90), min_size=1, max_size=8),
    starts=st.lists(st.floats(min_value=0, max_value=20), min_size=1, max_size=8),
    events=st.lists(
        st.tuples(
            st.integers(min_value=1, max_value=60),
            st.sampled_from(["lose", "release", "scale", "restart", "undo"]),
        ),
        max_size=4,
    ),
)
def test_a_rollout_ends_whatever_happens_on_the_way(  # noqa: PLR0913, PLR0917 # dimensions
    replicas: int,
    strategy: tuple[int | str, int | str],
    limit: int | str | None,
    drains: list[float],
    starts: list[float],
    events: list[tuple[int, str]],
) -> None:
    """Lost pods, new releases, undos, scaling and restarts: in the end all is new and well."""

    def vary(pod: SimPod) -> None:
        number = int(pod.name.rpartition("-")[2])
        pod.drains_in = drains[number % len(drains)]
        pod.starts_in = starts[number % len(starts)]

    cluster = released(Cluster(replicas, *strategy, max_draining=limit, on_create=vary))
    for ticks, event in events:
        for _ in range(ticks):
            cluster.tick()
        match event:
            case "lose" if cluster.pods:
                cluster.lose(cluster.pods[0])
            case "release":
                cluster.release()
            case "undo" if len(cluster.sets) > 1:
                cluster.undo()
            case "scale":
                cluster.replicas += 2
            case "restart":
                cluster.status = parse_status(status_document(cluster.status))
                cluster.departures.clear()
            case _:
                pass
    cluster.settle()

    assert cluster.shut() == []
    assert cluster.status.phase is RolloutPhase.READY
