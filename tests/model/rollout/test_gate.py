"""When a gate opens: each rule alone, and their order."""

from dataclasses import replace

import pytest

from lossless.model.rollout.gate import OPENING, Why, supply, verdicts
from lossless.model.rollout.observation import Gate, Pod, Workload
from lossless.model.rollout.strategy import Strategy
from tests.support.rollouts import (
    NEW,
    NOW,
    a_workload,
    serving,
    starting,
    stopping,
    waiting,
)

THREE_OLD = (serving("a"), serving("b"), serving("c"))


def judged(
    *pods: Pod,
    workload: Workload | None = None,
    draining: int = 0,
    limit: int = 1,
    paused: bool = False,
) -> dict[str, Why]:
    """Return what becomes of each shut gate, by the pod's name."""
    workload = workload or a_workload()
    counted = supply(workload, pods, NOW)
    result = verdicts(workload, pods, counted, draining=draining, limit=limit, paused=paused)
    return {verdict.pod.name: verdict.why for verdict in result}


@pytest.mark.parametrize(
    ("pods", "workload", "expected"),
    [
        pytest.param((waiting("n"),), a_workload(), Why.NO_ROLLOUT, id="initial creation"),
        pytest.param((starting("n"),), a_workload(), Why.NO_ROLLOUT, id="not even started"),
        pytest.param(
            (serving("m", NEW), serving("o", NEW), waiting("n")),
            a_workload(),
            Why.NO_ROLLOUT,
            id="scale-up or crash replacement",
        ),
        pytest.param(
            (*THREE_OLD, waiting("n")),
            replace(a_workload(), newest=""),
            Why.NO_ROLLOUT,
            id="the newest ReplicaSet is not known yet",
        ),
        pytest.param(
            (*THREE_OLD, waiting("n")),
            replace(a_workload(), strategy=Strategy(recreate=True)),
            Why.NO_ROLLOUT,
            id="Recreate",
        ),
        pytest.param(
            (serving("a"), serving("b"), waiting("n")),
            a_workload(),
            Why.BELOW_FLOOR,
            id="one too few is available",
        ),
        pytest.param(
            (*THREE_OLD, starting("n")), a_workload(), Why.STARTING, id="containers not ready"
        ),
        pytest.param(
            (*THREE_OLD, waiting("n")), a_workload(), Why.WITHIN_BUDGET, id="nothing drains"
        ),
    ],
)
def test_a_gate_without_drains(pods: tuple[Pod, ...], workload: Workload, expected: Why) -> None:
    """With nothing draining and no pause, only unready containers keep a gate shut."""
    assert judged(*pods, workload=workload)["n"] is expected


@pytest.mark.parametrize("paused", [False, True], ids=["running", "paused"])
@pytest.mark.parametrize("draining", [0, 1, 5])
def test_below_the_floor_every_gate_opens(draining: int, *, paused: bool) -> None:
    """Availability comes before budget and pause, and before readiness of containers."""
    pods = (serving("a"), serving("b"), waiting("n"), starting("m"), waiting("o", "web-between"))

    result = judged(*pods, draining=draining, paused=paused)

    assert result == dict.fromkeys(("m", "n", "o"), Why.BELOW_FLOOR)


@pytest.mark.parametrize(
    ("draining", "limit", "expected"),
    [
        pytest.param(0, 1, Why.WITHIN_BUDGET, id="a free place"),
        pytest.param(1, 1, Why.DRAINING, id="the one place is taken"),
        pytest.param(1, 2, Why.WITHIN_BUDGET, id="one of two is taken"),
        pytest.param(2, 2, Why.DRAINING, id="both are taken"),
        pytest.param(5, 2, Why.DRAINING, id="more than both"),
    ],
)
def test_a_gate_opens_while_there_is_a_place_for_its_drain(
    draining: int, limit: int, expected: Why
) -> None:
    """Opening a gate lets the Deployment delete one more old pod."""
    assert judged(*THREE_OLD, waiting("n"), draining=draining, limit=limit)["n"] is expected


def test_the_pod_that_has_been_ready_longest_comes_first() -> None:
    """With one place for three pods, it goes to the oldest; ties go by age, then by name."""
    pods = (
        waiting("young", ready_for=1),
        waiting("old", ready_for=9),
        waiting("also-old", ready_for=9, created=NOW - 5),
    )

    result = judged(*THREE_OLD, *pods, workload=a_workload(surge=3))

    assert [name for name, why in result.items() if why is Why.WITHIN_BUDGET] == ["old"]
    assert [*result] == ["old", "also-old", "young"]


def test_a_pod_that_is_about_to_be_available_has_committed_a_drain() -> None:
    """Between opening a gate and Ready the budget is used already."""
    opened = waiting("m", gate=Gate(open=True, since=NOW - 1))

    result = judged(*THREE_OLD, opened, waiting("n"), workload=a_workload(surge=2))

    assert result == {"n": Why.DRAINING}


def test_a_pod_that_is_ready_but_not_long_enough_has_committed_a_drain() -> None:
    """The field minReadySeconds delays the deletion of an old pod, but it will come."""
    workload = replace(a_workload(surge=2), min_ready_seconds=30)
    fresh = serving("m", NEW, ready_since=NOW - 29)

    assert supply(workload, (*THREE_OLD, fresh), NOW).opening == 1
    assert judged(*THREE_OLD, fresh, waiting("n"), workload=workload) == {"n": Why.DRAINING}


def test_what_does_not_become_ready_holds_nobody_for_ever() -> None:
    """A pod held by somebody else's readiness gate stops counting after a minute."""
    stuck = waiting(
        "m", gate=Gate(open=True, since=NOW - OPENING), containers_ready_since=NOW - OPENING
    )

    result = judged(*THREE_OLD, stuck, waiting("n"), workload=a_workload(surge=2))

    assert result == {"n": Why.WITHIN_BUDGET}


def test_a_crash_looping_pod_does_not_use_up_the_budget() -> None:
    """A pod whose containers are not ready is neither opened nor counted."""
    crashing = starting("m", gate=Gate(open=True, since=NOW - 1))

    result = judged(*THREE_OLD, crashing, waiting("n"), workload=a_workload(surge=2))

    assert result == {"n": Why.WITHIN_BUDGET}


def test_a_superseded_pod_gets_no_traffic() -> None:
    """After an undo the bad release's held pods stay shut; the Deployment removes them first."""
    result = judged(*THREE_OLD, waiting("bad", "web-bad"), waiting("n"))

    assert result == {"bad": Why.SUPERSEDED, "n": Why.WITHIN_BUDGET}


def test_the_last_gates_open_when_no_old_pod_is_left_to_be_stopped() -> None:
    """While the last old pod drains, the new ones need not wait for it."""
    pods = (serving("m", NEW), serving("o", NEW), stopping("a"), waiting("n"))

    assert judged(*pods, workload=a_workload(2), draining=1)["n"] is Why.NO_ROLLOUT


def test_a_gate_opens_if_every_old_pod_is_committed_anyway() -> None:
    """With one old pod left and one pod too many available, one more changes nothing."""
    pods = (serving("a"), serving("m", NEW), serving("o", NEW), waiting("n"))

    result = judged(*pods, workload=a_workload(2, surge=2), draining=1, paused=True)

    assert result == {"n": Why.NOTHING_TO_PACE}


@pytest.mark.parametrize("draining", [0, 1])
def test_a_pause_holds_at_the_floor(draining: int) -> None:
    """Paused is like a used-up budget."""
    assert judged(*THREE_OLD, waiting("n"), draining=draining, paused=True)["n"] is Why.PAUSED


def test_pods_that_stop_have_no_verdict() -> None:
    """The gate of a terminating or finished pod is left as it is."""
    gone = stopping("x", NEW, gate=None)
    done = waiting("y", finished=True)

    assert judged(*THREE_OLD, gone, done) == {}


def test_pods_without_our_gate_have_no_verdict() -> None:
    """A pod that the webhook missed becomes Ready by itself, and counts as about to."""
    bare = waiting("bare", gated=False, rollout="")

    assert judged(*THREE_OLD, bare) == {}
    assert supply(a_workload(), (*THREE_OLD, bare), NOW).opening == 1
