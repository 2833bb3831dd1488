"""How drains stand and end: by an agent's word, a pod's disappearance, or the clock."""

from dataclasses import replace
from typing import Any

import pytest

from lossless.model.phases import Phase
from lossless.model.report import Connections, Oldest
from lossless.model.rollout.drains import HISTORY, OVERDUE, SILENT, Drains, coarse, follow
from lossless.model.rollout.observation import Departure, Pod, Unknown
from lossless.model.status import MAX_PODS, PodStatus
from tests.support.rollouts import GRACE, NOW, a_report, serving, stopping

OVERDUE_SINCE = GRACE + OVERDUE + 1


def entry(name: str, phase: Phase = Phase.DRAINING, **changes: Any) -> PodStatus:
    """Return what an earlier look has left about a pod."""
    return replace(PodStatus(name, f"uid-{name}", phase, int(NOW - 10)), **changes)


def phases(drains: Drains) -> dict[str, Phase]:
    """Return the phase of each entry by the pod's name."""
    return {one.name: one.phase for one in drains.entries}


def test_a_drain_of_a_pod_that_is_no_longer_the_workloads_is_not_lost() -> None:
    """The target has changed: its pods drain on; what had ended before stays told."""
    ended = entry("b", Phase.DRAINED)

    drains = follow([], [], [entry("a"), ended], NOW, strays={"uid-a", "uid-b"})

    assert (drains.entries, drains.outcomes, drains.places) == ((ended,), (), 0)


@pytest.mark.parametrize(
    ("pod", "phase", "places"),
    [
        pytest.param(stopping("a"), Phase.DRAINING, 1, id="its agent says Draining"),
        pytest.param(
            stopping("a", evidence=a_report("a", Phase.SERVING)),
            Phase.DRAINING,
            1,
            id="its agent has not heard of it yet",
        ),
        pytest.param(
            stopping("a", evidence=Unknown("no route")), Phase.DRAINING, 1, id="unknown is not zero"
        ),
        pytest.param(stopping("a", evidence=None), Phase.DRAINING, 1, id="not asked"),
        pytest.param(
            stopping("a", evidence=a_report("a", Phase.DRAINED)), Phase.DRAINED, 0, id="drained"
        ),
        pytest.param(
            stopping("a", evidence=a_report("a", Phase.TIMED_OUT)),
            Phase.TIMED_OUT,
            0,
            id="timed out",
        ),
        pytest.param(
            stopping("a", evidence=Unknown("no route"), finished=True),
            Phase.LOST,
            0,
            id="its containers have ended and nobody said how",
        ),
        pytest.param(
            stopping("a", asked=OVERDUE_SINCE), Phase.LOST, 0, id="an agent that drains for ever"
        ),
        pytest.param(
            stopping("a", asked=OVERDUE_SINCE, evidence=Unknown("no route")),
            Phase.LOST,
            0,
            id="a node that does not come back",
        ),
        pytest.param(
            stopping("a", rollout="", gated=False), Phase.UNPROTECTED, 1, id="without an agent"
        ),
    ],
)
def test_where_a_terminating_pod_stands(pod: Pod, phase: Phase, places: int) -> None:
    """Each drain takes a place until it has ended, and none can take it for ever."""
    drains = follow([pod], [], [], NOW)

    assert (phases(drains), drains.places) == ({"a": phase}, places)


@pytest.mark.parametrize(
    "pod",
    [
        pytest.param(stopping("a", served=False), id="it was never Ready"),
        pytest.param(
            stopping("a", rollout="", asked=OVERDUE_SINCE), id="without an agent and overdue"
        ),
        pytest.param(stopping("a", rollout="", finished=True), id="without an agent and ended"),
    ],
)
def test_what_no_client_can_be_on_is_no_drain(pod: Pod) -> None:
    """It takes no place, has no result and is not worth a line."""
    drains = follow([pod], [], [], NOW)

    assert (drains.entries, drains.places, drains.outcomes) == ((), 0, ())


@pytest.mark.parametrize(
    ("skew", "phase"),
    [
        pytest.param(-3600.0, Phase.DRAINING, id="an hour behind"),
        pytest.param(-OVERDUE, Phase.DRAINING, id="a little behind"),
        pytest.param(OVERDUE, Phase.DRAINING, id="a little ahead"),
        pytest.param(GRACE + OVERDUE, Phase.DRAINING, id="ahead by as much as it may be"),
        pytest.param(GRACE + OVERDUE + 1, Phase.LOST, id="ahead by more: paced no longer"),
    ],
)
def test_the_controllers_clock_may_differ_from_the_api_servers(skew: float, phase: Phase) -> None:
    """Grace periods end by the API server's clock; that of the controller is off by ``skew``."""
    drains = follow([stopping("a", asked=0)], [], [], NOW + skew)

    assert phases(drains) == {"a": phase}


@pytest.mark.parametrize("skew", [-3600.0, 0.0, 3600.0])
def test_the_result_of_a_drain_is_the_agents(skew: float) -> None:
    """Whatever the controller's clock says: an agent measures by its own, which only goes on."""
    report = a_report("a", Phase.DRAINED)

    (outcome,) = follow([stopping("a", asked=0, evidence=report)], [], [], NOW + skew).outcomes

    assert (outcome.phase, outcome.seconds) == (Phase.DRAINED, report.seconds)


def test_a_drain_that_ended_is_told_once() -> None:
    """The look that stores a result reports the outcome; later looks only remember it."""
    pod = stopping("a", evidence=a_report("a", Phase.DRAINED, seconds=12.0, discarded=3))

    first = follow([pod], [], [entry("a")], NOW)
    second = follow([pod], [], first.entries, NOW + 5)

    assert [o.reason for o in first.outcomes] == ["drained in 12s, 3 idle connections discarded"]
    assert second.outcomes == ()
    assert second.entries == first.entries


def test_a_result_outlasts_what_the_agent_says_later() -> None:
    """An agent that is gone after its result does not turn the result into Unknown."""
    pod = stopping("a", evidence=Unknown("connection refused"))

    drains = follow([pod], [], [entry("a", Phase.TIMED_OUT)], NOW)

    assert phases(drains) == {"a": Phase.TIMED_OUT}
    assert drains.unreachable == ()


def test_a_drain_starts_once() -> None:
    """Only a pod that was not known to stop is told as started."""
    pods = [stopping("a"), stopping("b"), stopping("c", rollout="")]

    drains = follow(pods, [], [entry("a"), entry("b", Phase.SERVING)], NOW)

    assert [one.name for one in drains.started] == ["b", "c"]


@pytest.mark.parametrize(
    ("departures", "before", "phase"),
    [
        pytest.param([], [entry("a")], Phase.LOST, id="drained, and nobody saw it go"),
        pytest.param(
            [Departure("a", "uid-a", a_report("a", Phase.DRAINED), served=True)],
            [entry("a")],
            Phase.DRAINED,
            id="its last words say Drained",
        ),
        pytest.param(
            [Departure("a", "uid-a", a_report("a", Phase.TIMED_OUT), served=True)],
            [],
            Phase.TIMED_OUT,
            id="came and went between two looks",
        ),
        pytest.param(
            [Departure("a", "uid-a", Unknown("killed"), served=True)],
            [entry("a", Phase.SERVING)],
            Phase.LOST,
            id="force-deleted while it served",
        ),
    ],
)
def test_a_pod_that_is_gone_has_a_result(
    departures: list[Departure], before: list[PodStatus], phase: Phase
) -> None:
    """What was heard last decides; nothing heard is Lost, never Drained."""
    drains = follow([], departures, before, NOW)

    assert (phases(drains), drains.places) == ({"a": phase}, 0)
    assert [outcome.phase for outcome in drains.outcomes] == [phase]


@pytest.mark.parametrize(
    ("departures", "before"),
    [
        pytest.param(
            [Departure("a", "uid-a", Unknown("killed"), served=False)], [], id="never served"
        ),
        pytest.param([], [entry("a", Phase.SERVING)], id="replaced while no controller looked"),
        pytest.param([], [entry("a", Phase.HELD)], id="held while no controller looked"),
        pytest.param([], [entry("a", Phase.UNPROTECTED)], id="without an agent"),
    ],
)
def test_a_pod_that_is_gone_without_a_drain_is_forgotten(
    departures: list[Departure], before: list[PodStatus]
) -> None:
    """Nothing is called lost of which nothing was expected."""
    assert follow([], departures, before, NOW).entries == ()


def test_a_departure_that_is_known_already_is_not_told_again() -> None:
    """The result was stored by an earlier look, from its agent's answer."""
    departure = Departure("a", "uid-a", a_report("a", Phase.DRAINED), served=True)

    drains = follow([], [departure], [entry("a", Phase.DRAINED)], NOW)

    assert drains.outcomes == ()


def test_results_of_the_gone_are_history_after_a_while() -> None:
    """They leave status by themselves."""
    old = entry("a", Phase.TIMED_OUT, since=int(NOW) - HISTORY)

    assert follow([], [], [old], NOW).entries == ()


def test_an_agent_that_does_not_answer_is_named_after_a_while() -> None:
    """A moment without an answer is usual at the end of a drain."""
    pods = [
        stopping("new", asked=SILENT - 1, evidence=Unknown("no route")),
        stopping("old", asked=SILENT, evidence=Unknown("no route")),
        stopping("well", asked=60),
    ]

    assert follow(pods, [], [], NOW).unreachable == ("old",)


def test_progress_is_shown_in_steps() -> None:
    """Ages are rounded so that status is not rewritten for each second of a long drain."""
    report = a_report("a", connections=Connections(4, 2, 1), oldest=Oldest("[::1]:80", 130.9))

    shown = follow([stopping("a", evidence=report)], [], [], NOW).entries[0]

    assert (shown.connections, shown.oldest) == (Connections(4, 2, 1), Oldest("[::1]:80", 130))
    assert [coarse(s) for s in (0.9, 3, 59, 61, 599, 601, 4000)] == [0, 2, 58, 60, 590, 600, 3960]


def test_no_more_is_remembered_than_fits_and_nothing_is_counted_twice() -> None:
    """Terminating pods without an entry take places and are counted when they get one."""
    pods = [
        stopping(f"p{i:03d}", asked=10 + i, evidence=a_report(f"p{i:03d}", Phase.DRAINED))
        for i in range(MAX_PODS + 10)
    ]
    busy = [stopping(f"q{i}", asked=5) for i in range(3)]

    first = follow([*pods, *busy], [], [], NOW)
    second = follow([*pods, *busy], [], first.entries, NOW + 1)
    third = follow(pods[:10], [], second.entries[:MAX_PODS], NOW + 2)

    assert len(first.entries) == len(first.outcomes) == MAX_PODS
    assert first.places == len(busy)
    assert second.outcomes == ()
    assert {outcome.uid for outcome in third.outcomes}.isdisjoint(
        outcome.uid for outcome in first.outcomes
    )


def test_pods_that_serve_are_no_drains() -> None:
    """A calm workload has no entries."""
    assert follow([serving("a")], [], [], NOW).entries == ()
