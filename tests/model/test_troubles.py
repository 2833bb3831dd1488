"""Drivers that fail and sources that cannot be read: in status, and once aloud for each pod."""

from dataclasses import replace
from typing import Any

import pytest

from lossless.model.conditions import Answer, ConditionType, Reason
from lossless.model.phases import Phase
from lossless.model.report import Driver, DriverState, Report, Source, SourceState
from lossless.model.rollout.decision import Decision, decide
from lossless.model.rollout.drains import follow
from lossless.model.rollout.observation import Departure, Observation, Pod
from lossless.model.troubles import UNREADABLE, Finding, Trouble, findings
from tests.support.rollouts import NOW, a_report, a_rollout, a_world, stopping

FAILED = Driver("envoy on port 9901", DriverState.FAILED, "Connection refused (5 attempts of 5)")
LOST = Source("envoyStats on port 9901", SourceState.UNKNOWN, None, 4.0, "Connection refused")
FAILED_TEXT = "close driver envoy on port 9901 failed: Connection refused (5 attempts of 5)"
LOST_TEXT = "envoyStats on port 9901 cannot be read: Connection refused (for 4s)"


def report(*, phase: Phase = Phase.DRAINING, **changes: Any) -> Report:
    """Return what the agent of `stopping("a")` says."""
    return a_report("a", phase, **changes)


def look(before: Decision | None, *pods: Pod, now: float = NOW) -> Decision:
    """Decide on what `before` has left in status."""
    rollout = a_rollout()
    if before is not None and before.status is not None:
        rollout = replace(rollout, status=before.status)
    seen: Observation = a_world(*pods, rollout=rollout)
    return decide(seen, now)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param(report(), (), id="nothing"),
        pytest.param(
            report(drivers=(Driver("a", DriverState.PENDING, "x"), Driver("b", DriverState.DONE))),
            (),
            id="not-yet-and-done",
        ),
        pytest.param(
            report(drivers=(FAILED,)),
            (Finding(Trouble.DRIVER_FAILED, FAILED.name, FAILED.reason),),
            id="failed",
        ),
        pytest.param(report(sources=(replace(LOST, age=UNREADABLE - 0.1),)), (), id="one-look"),
        pytest.param(
            report(sources=(replace(LOST, state=SourceState.BUSY),)), (), id="busy-is-no-trouble"
        ),
        pytest.param(
            report(sources=(LOST,)),
            (Finding(Trouble.EVIDENCE_UNREADABLE, LOST.name, "Connection refused (for 4s)"),),
            id="unreadable",
        ),
    ],
)
def test_what_is_a_trouble(said: Report, expected: tuple[Finding, ...]) -> None:
    """A driver that was given up, and a source that has not been read for a while."""
    assert findings(said) == expected


@pytest.mark.parametrize(
    ("said", "reason", "text"),
    [
        pytest.param(
            report(drivers=(FAILED,)), Reason.DRIVER_FAILED, FAILED_TEXT, id="driver-failed"
        ),
        pytest.param(
            report(sources=(LOST,)), Reason.EVIDENCE_UNREADABLE, LOST_TEXT, id="unreadable"
        ),
    ],
)
def test_it_is_shown_and_told_once(said: Report, reason: Reason, text: str) -> None:
    """Degraded says which, why and what to do; one Event on the pod says it aloud."""
    pod = stopping("a", evidence=said)
    first = look(None, pod)
    second = look(first, pod, now=NOW + 2)

    assert first.status is not None
    degraded = first.status.condition(ConditionType.DEGRADED)
    assert degraded is not None
    assert (degraded.status, degraded.reason) == (Answer.TRUE, reason)
    assert degraded.message.startswith(f"on a: {text}. ")
    assert "; correct spec." in degraded.message
    (event,) = [one for one in first.announcements if one.reason is reason]
    assert event.message.startswith(f"a: {text}. ")
    assert (event.warning, event.pod) == (True, ("a", "uid-a"))
    assert not [one for one in second.announcements if one.reason is reason]


def test_a_failed_driver_stands_in_the_pods_reason() -> None:
    """After what the agent itself says it waits for."""
    drains = follow([stopping("a", evidence=report(drivers=(FAILED,)))], [], [], NOW)

    assert drains.entries[0].reason == f"3 connections left; {FAILED_TEXT}"
    assert drains.entries[0].troubles == (Trouble.DRIVER_FAILED,)


def test_a_trouble_that_came_back_is_not_told_again() -> None:
    """A source that can be read now and then is one Event, not one for each time."""
    ill, well = stopping("a", evidence=report(sources=(LOST,))), stopping("a")
    first = look(None, ill)
    second = look(first, well, now=NOW + 2)
    third = look(second, ill, now=NOW + 4)

    assert second.status is not None
    degraded = second.status.condition(ConditionType.DEGRADED)
    assert degraded is not None
    assert degraded.status is Answer.FALSE
    assert second.status.pods[0].troubles == (Trouble.EVIDENCE_UNREADABLE,)
    assert not [one for one in third.announcements if one.reason is Reason.EVIDENCE_UNREADABLE]


def test_a_drain_that_ended_between_two_looks_tells_its_troubles() -> None:
    """In its result and as an Event; nothing is degraded any more."""
    pod = stopping("a", evidence=report(phase=Phase.DRAINED, drivers=(FAILED, FAILED)))
    first = look(None, pod)
    second = look(first, pod, now=NOW + 2)

    assert first.status is not None
    assert first.status.pods[0].reason == f"drained in 10s; {FAILED_TEXT} (and 1 more)"
    degraded = first.status.condition(ConditionType.DEGRADED)
    assert degraded is not None
    assert degraded.status is Answer.FALSE
    assert [one.reason for one in first.announcements].count(Reason.DRIVER_FAILED) == 1
    assert not [one for one in second.announcements if one.reason is Reason.DRIVER_FAILED]


def test_last_words_tell_them_too() -> None:
    """Of a pod that nobody has seen draining."""
    gone = Departure("a", "uid-a", report(phase=Phase.TIMED_OUT, sources=(LOST,)), served=True)
    (trouble,) = follow([], [gone], [], NOW).troubles

    assert (trouble.kind, trouble.ended, trouble.fresh) == (Trouble.EVIDENCE_UNREADABLE, True, True)


def test_two_pods_are_two_events_and_one_condition() -> None:
    """The condition names both and the first one's cause."""
    pods = [stopping(name, evidence=a_report(name, drivers=(FAILED,))) for name in ("a", "b")]
    first = look(None, *pods)

    assert first.status is not None
    degraded = first.status.condition(ConditionType.DEGRADED)
    assert degraded is not None
    assert degraded.message.startswith(f"on a, b: {FAILED_TEXT}. ")
    assert [one.pod for one in first.announcements if one.reason is Reason.DRIVER_FAILED] == [
        ("a", "uid-a"),
        ("b", "uid-b"),
    ]
