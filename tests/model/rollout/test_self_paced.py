"""Workloads that pace themselves: drained and reported on like a Deployment, never held."""

from dataclasses import replace
from typing import Any

import pytest

from lossless.model.conditions import Answer, ConditionType, Reason
from lossless.model.phases import Phase
from lossless.model.policy import OnTimeout
from lossless.model.rollout.decision import decide
from lossless.model.rollout.observation import Observation, Pod, Workload
from lossless.model.rollout.strategy import Strategy
from lossless.model.status import RolloutPhase, RolloutRecord, RolloutStatus
from lossless.model.targets import Kind, TargetRef
from tests.support.rollouts import (
    NEW,
    NOW,
    OLD,
    a_drain,
    a_report,
    a_rollout,
    a_spec,
    a_world,
    serving,
    stopping,
    waiting,
)

OTHERS = [kind for kind in Kind if kind is not Kind.DEPLOYMENT]


def a_world_of(kind: Kind, *pods: Pod, **changes: Any) -> Observation:
    """Return the world of a LosslessRollout for a workload of this kind, with three pods."""
    name = "" if kind is Kind.POD else "db"
    workload = Workload(
        name=name or "web",
        replicas=3,
        strategy=Strategy(recreate=True),
        revision="2",
        newest=NEW,
        kind=kind,
    )
    return a_world(
        *pods,
        rollout=a_rollout(
            spec=a_spec(target=TargetRef(kind, name)),
            status=RolloutStatus(revision="1"),
        ),
        workload=replace(workload, **changes),
    )


def bare(name: str, revision: str = OLD) -> Pod:
    """Return an injected pod that serves and has no gate."""
    return serving(name, revision, gated=False, gate=None)


@pytest.mark.parametrize("kind", OTHERS)
def test_a_rollout_is_followed_from_drain_to_drain(kind: Kind) -> None:
    """Status tells how far it is, whoever paces it."""
    status = decide(
        a_world_of(kind, bare("db-0"), bare("db-1"), stopping("db-2", gated=False)), NOW
    ).status

    assert status is not None
    assert status.phase is RolloutPhase.PROGRESSING
    assert (status.replicas, status.updated, status.draining, status.held) == (2, 0, 1, 0)
    assert status.last_rollout == RolloutRecord(started=int(NOW), before="1", revision="2")


@pytest.mark.parametrize("kind", OTHERS)
def test_no_gate_of_it_is_ever_held(kind: Kind) -> None:
    """A gate that a template brings along opens at once, in the middle of a drain as well."""
    decision = decide(
        a_world_of(kind, bare("db-0"), stopping("db-1", gated=False), waiting("db-2")), NOW
    )

    assert [(gate.pod, gate.open) for gate in decision.gates] == [("db-2", True)]


@pytest.mark.parametrize(
    ("kind", "command"),
    [
        (Kind.STATEFUL_SET, 'kubectl patch statefulset db -n shop --type merge -p \'{"spec":'),
        (Kind.DAEMON_SET, '"updateStrategy":{"type":"OnDelete"}'),
        (Kind.POD, "hold them by the controller that made them"),
    ],
)
def test_a_timeout_cannot_pause_it_and_status_says_what_can(kind: Kind, command: str) -> None:
    """``Pause`` is the default of the field, so it is not refused, and not ignored in silence."""
    late = stopping("db-2", gated=False, evidence=a_report("db-2", Phase.TIMED_OUT))
    status = decide(a_world_of(kind, bare("db-0"), bare("db-1"), late), NOW).status

    assert status is not None
    paused, drained = (
        status.condition(ConditionType.PAUSED),
        status.condition(ConditionType.DRAINED),
    )
    assert paused is not None
    assert (paused.status, paused.reason) == (Answer.FALSE, Reason.CANNOT_PAUSE)
    assert command in paused.message
    assert drained is not None
    assert drained.reason == Reason.TIMED_OUT


def test_who_chose_to_continue_is_told_no_more_than_that_it_paces_itself() -> None:
    """Nothing was asked for that cannot be had."""
    seen = a_world_of(Kind.STATEFUL_SET, bare("db-0", NEW))
    assert seen.rollout is not None
    spec = a_spec(
        target=TargetRef(Kind.STATEFUL_SET, "db"), drain=a_drain(on_timeout=OnTimeout.CONTINUE)
    )
    status = decide(replace(seen, rollout=replace(seen.rollout, spec=spec)), NOW).status

    assert status is not None
    paused = status.condition(ConditionType.PAUSED)
    assert paused is not None
    assert paused.message == "StatefulSet db paces itself; no gate of ours can hold it"


def test_a_rollout_ends_at_the_partition() -> None:
    """Pods below it stay old on purpose; they are no reason to wait."""
    pods = (bare("db-0"), bare("db-1"), bare("db-2", NEW))
    status = decide(a_world_of(Kind.STATEFUL_SET, *pods, partition=2), NOW).status

    assert status is not None
    assert (status.replicas, status.updated) == (3, 1)
    assert status.last_rollout == RolloutRecord(
        started=int(NOW), finished=int(NOW), before="1", revision="2"
    )
    assert status.phase is RolloutPhase.READY


def test_a_pod_above_the_partition_is_waited_for() -> None:
    """It will be replaced."""
    pods = (bare("db-0"), bare("db-1"), bare("db-2"))
    status = decide(a_world_of(Kind.STATEFUL_SET, *pods, partition=2), NOW).status

    assert status is not None
    progressing = status.condition(ConditionType.PROGRESSING)
    assert progressing is not None
    assert "1 old left" in progressing.message
    assert "2 below the partition stay as they are" in progressing.message


@pytest.mark.parametrize("kind", [Kind.STATEFUL_SET, Kind.DAEMON_SET])
def test_with_on_delete_nobody_rolls_anything_out(kind: Kind) -> None:
    """Who deletes pods by hand sees their drains, and no rollout that never ends."""
    pods = (bare("db-0"), bare("db-1"), stopping("db-2", gated=False))
    status = decide(a_world_of(kind, *pods, by_hand=True), NOW).status

    assert status is not None
    assert status.last_rollout is None
    assert (status.phase, status.draining, status.updated) == (RolloutPhase.DRAINING, 1, 0)


@pytest.mark.parametrize(
    ("kind", "roll"),
    [
        (Kind.STATEFUL_SET, "kubectl rollout restart statefulset db -n shop"),
        (Kind.DAEMON_SET, "kubectl rollout restart daemonset db -n shop"),
        (Kind.POD, "restart them by the controller that made them"),
    ],
)
def test_pods_without_an_agent_are_replaced_as_their_kind_is(kind: Kind, roll: str) -> None:
    """The command in the message is one that works."""
    status = decide(
        a_world_of(kind, replace(bare("db-0", NEW), rollout="", created=0.0)), NOW
    ).status

    assert status is not None
    injected = status.condition(ConditionType.INJECTED)
    assert injected is not None
    assert injected.reason == Reason.NOT_YET_ROLLED
    assert roll in injected.message
