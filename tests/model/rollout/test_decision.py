"""What follows from what was seen: actions, status, Events, and when to look again."""

from dataclasses import replace
from typing import Any

import pytest

from lossless.model.conditions import Answer, ConditionType, Reason
from lossless.model.fields import InvalidSpec
from lossless.model.phases import Phase
from lossless.model.policy import OnTimeout
from lossless.model.rollout.decision import Decision, SetGate, decide
from lossless.model.rollout.observation import Departure, Gate, Observation, Pod, Refusal, Unknown
from lossless.model.status import MAX_PODS, RolloutPhase, RolloutRecord, RolloutStatus
from tests.support.rollouts import (
    NEW,
    NOW,
    a_drain,
    a_report,
    a_rollout,
    a_spec,
    a_workload,
    a_world,
    serving,
    starting,
    stopping,
    waiting,
)

CALM = (serving("a", NEW), serving("b", NEW), serving("c", NEW))
ROLLING = (serving("a"), serving("b"), serving("c"), waiting("n"))
INVALID = InvalidSpec("spec.targetRef.kind", "Job", "name a Deployment")


def status_of(decision: Decision) -> RolloutStatus:
    """Return the status that is to be stored."""
    assert decision.status is not None

    return decision.status


def stored(seen: Observation, now: float) -> RolloutStatus:
    """Return the status as it stands after a look."""
    assert seen.rollout is not None

    return decide(seen, now).status or seen.rollout.status


def after(seen: Observation, *pods: Pod, **changes: Any) -> Observation:
    """Return the world once the status of a look at ``seen`` is stored, with other pods."""
    assert seen.rollout is not None
    rollout = replace(seen.rollout, status=stored(seen, NOW), **changes)
    return replace(seen, rollout=rollout, pods=pods)


def answer(status: RolloutStatus, kind: ConditionType) -> tuple[Answer, str]:
    """Return status and reason of a condition."""
    condition = status.condition(kind)
    assert condition is not None

    return condition.status, condition.reason


def reasons(decision: Decision) -> list[str]:
    """Return the reasons of the Events that are to be made."""
    return [said.reason.value for said in decision.announcements]


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(a_world(*CALM), id="calm"),
        pytest.param(a_world(*ROLLING), id="rollout"),
        pytest.param(a_world(*ROLLING, stopping("x")), id="rollout that waits for a drain"),
        pytest.param(a_world(rollout=a_rollout(spec=INVALID), workload=None), id="invalid"),
        pytest.param(a_world(workload=None), id="no target"),
        pytest.param(a_world(*ROLLING, owner="older"), id="taken"),
        pytest.param(a_world(), id="no pods"),
    ],
)
def test_a_second_look_at_an_unchanged_world_does_nothing(seen: Observation) -> None:
    """Once its actions are performed, a decision finds nothing more to do."""
    first = decide(seen, NOW)
    opened = {gate.uid: gate for gate in first.gates}
    pods = tuple(
        replace(pod, gate=Gate(g.open, g.reason, g.message, NOW))
        if (g := opened.get(pod.uid))
        else pod
        for pod in seen.pods
    )

    second = decide(after(seen, *pods), NOW + 0.5)

    assert (second.gates, second.status, second.announcements) == ((), None, ())


@pytest.mark.parametrize(
    ("seen", "opened"),
    [
        pytest.param(
            a_world(rollout=None, strays=(waiting("n"), serving("a"))), ["n"], id="it is gone"
        ),
        pytest.param(
            a_world(rollout=a_rollout(spec=INVALID), workload=None, strays=(waiting("n"),)),
            ["n"],
            id="its spec is invalid",
        ),
        pytest.param(a_world(workload=None, strays=(waiting("n"),)), ["n"], id="no target"),
        pytest.param(a_world(*CALM, strays=(waiting("n"),)), ["n"], id="another target now"),
        pytest.param(
            a_world(*ROLLING, owner="older", strays=(waiting("m"),)),
            ["m"],
            id="taken: only pods that are not the other's",
        ),
    ],
)
def test_gates_without_an_owner_are_opened(seen: Observation, opened: list[str]) -> None:
    """Nothing may stay shut that nobody looks after."""
    decision = decide(seen, NOW)

    assert [gate.pod for gate in decision.gates if gate.open] == opened


def test_a_held_pod_is_told_why_once() -> None:
    """Its condition names the reason, and is not written again while that stays the same."""
    seen = a_world(*ROLLING, stopping("x"))

    (gate,) = decide(seen, NOW).gates
    told = replace(ROLLING[-1], gate=Gate(gate.open, gate.reason, gate.message, NOW))
    again = decide(after(seen, *ROLLING[:-1], told, stopping("x")), NOW + 1)

    assert gate == SetGate(
        pod="n",
        uid="uid-n",
        open=False,
        reason="Held",
        message="waits until an old pod of web has drained: at most 1 may drain at the same time"
        " (maxSurge + maxUnavailable; spec.pacing.maxDraining sets another number)",
    )
    assert again.gates == ()


def test_a_held_pod_is_told_of_the_number_that_was_asked_for() -> None:
    """Where the LosslessRollout names one, nothing else decides."""
    seen = a_world(*ROLLING, stopping("x"), rollout=a_rollout(spec=a_spec(max_draining=1)))

    (gate,) = decide(seen, NOW).gates

    assert gate.message.endswith("at most 1 may drain at the same time (spec.pacing.maxDraining)")


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        pytest.param(
            a_world(rollout=a_rollout(spec=INVALID), workload=None),
            Reason.INVALID_SPEC,
            id="invalid spec",
        ),
        pytest.param(a_world(workload=None), Reason.TARGET_NOT_FOUND, id="no Deployment"),
        pytest.param(a_world(*CALM, owner="older"), Reason.TARGET_TAKEN, id="an older one"),
    ],
)
def test_what_cannot_be_acted_on_says_why(seen: Observation, reason: Reason) -> None:
    """It is Degraded, not Ready, and makes one Event."""
    decision = decide(seen, NOW)
    status = status_of(decision)

    assert status.phase is RolloutPhase.DEGRADED
    assert answer(status, ConditionType.READY) == (Answer.FALSE, reason)
    assert answer(status, ConditionType.DEGRADED) == (Answer.TRUE, reason)
    assert reasons(decision) == [reason]


@pytest.mark.parametrize(
    ("seen", "warning"),
    [
        pytest.param(a_world(rollout=a_rollout(spec=INVALID), workload=None), True, id="invalid"),
        pytest.param(a_world(*CALM, owner="older"), True, id="taken"),
        pytest.param(a_world(*CALM, serving("d", NEW, rollout="")), True, id="missed"),
        pytest.param(a_world(workload=None), False, id="applied before its Deployment"),
        pytest.param(
            a_world(*CALM, serving("d", NEW, rollout="", created=NOW - 7200)),
            False,
            id="applied to pods that run already",
        ),
    ],
)
def test_what_is_usual_is_no_warning(seen: Observation, *, warning: bool) -> None:
    """A warning is for what somebody has to do something about."""
    assert [said.warning for said in decide(seen, NOW).announcements] == [warning]


def test_what_is_wrong_with_a_spec_is_said_in_its_words() -> None:
    """The message names the field, the value and the remedy."""
    status = status_of(decide(a_world(rollout=a_rollout(spec=INVALID), workload=None), NOW))
    ready = status.condition(ConditionType.READY)

    assert ready is not None
    assert ready.message.startswith("spec.targetRef.kind: 'Job': name a Deployment")


@pytest.mark.parametrize(
    ("pods", "expected"),
    [
        pytest.param(CALM, (Answer.TRUE, Reason.ALL_INJECTED), id="all"),
        pytest.param((), (Answer.UNKNOWN, Reason.NO_PODS), id="no pods"),
        pytest.param(
            (*CALM, serving("d", NEW, rollout="", created=NOW - 7200)),
            (Answer.FALSE, Reason.NOT_YET_ROLLED),
            id="older than the LosslessRollout",
        ),
        pytest.param(
            (*CALM, serving("d", NEW, rollout="")),
            (Answer.FALSE, Reason.NOT_INJECTED),
            id="the webhook did not answer",
        ),
        pytest.param(
            (*CALM, serving("d", NEW, rollout="", declined=True)),
            (Answer.FALSE, Reason.DECLINED),
            id="its template declines",
        ),
        pytest.param(
            (*CALM, stopping("d", NEW, rollout="")),
            (Answer.TRUE, Reason.ALL_INJECTED),
            id="what stops does not count",
        ),
    ],
)
def test_pods_without_an_agent_are_reported(
    pods: tuple[Pod, ...], expected: tuple[Answer, Reason]
) -> None:
    """Ready is false for the same reason, because those pods would stop without a drain."""
    status = status_of(decide(a_world(*pods), NOW))

    assert answer(status, ConditionType.INJECTED) == expected
    ready = answer(status, ConditionType.READY)
    assert ready == (expected if expected[0] is Answer.FALSE else (Answer.TRUE, "Protecting"))


def test_the_remedy_for_missed_pods_can_be_copied() -> None:
    """The message holds the command as it is to be typed."""
    status = status_of(decide(a_world(*CALM, serving("d", NEW, rollout="")), NOW))
    injected = status.condition(ConditionType.INJECTED)

    assert injected is not None
    assert "1 of 4 pods have no agent" in injected.message
    assert injected.message.endswith("kubectl rollout restart deployment web -n shop")


def test_without_a_close_driver_ready_says_what_that_means() -> None:
    """Busy keep-alive clients are never told to leave."""
    status = status_of(decide(a_world(*CALM, rollout=a_rollout(spec=a_spec(close=()))), NOW))
    ready = status.condition(ConditionType.READY)

    assert ready is not None
    assert "names no close driver" in ready.message


def test_counts_are_those_of_the_pods() -> None:
    """Replicas and updated count live pods; draining, held and connections what they say."""
    pods = (*ROLLING, starting("m"), stopping("x"), stopping("y", evidence=Unknown("no route")))

    status = status_of(decide(a_world(*pods), NOW))

    assert (status.replicas, status.updated, status.draining, status.held) == (5, 2, 2, 1)
    assert status.connections == 3
    assert [entry.phase for entry in status.pods] == [
        Phase.DRAINING,
        Phase.DRAINING,
        Phase.HELD,
        Phase.STARTING,
        *[Phase.SERVING] * 3,
    ]


@pytest.mark.parametrize(
    ("pods", "expected"),
    [
        pytest.param(CALM, 0, id="nothing drains"),
        pytest.param((*CALM, stopping("x", evidence=Unknown("?"))), None, id="unknown is not zero"),
    ],
)
def test_connections_are_unknown_if_no_agent_answers(
    pods: tuple[Pod, ...], expected: int | None
) -> None:
    """A number is shown only if somebody has counted."""
    assert status_of(decide(a_world(*pods), NOW)).connections == expected


@pytest.mark.parametrize(
    ("pod", "reason"),
    [
        pytest.param(
            serving("d", NEW, unprotected="db: it keeps its own preStop exec"),
            Reason.UNPROTECTED,
            id="a container that cannot wait",
        ),
        pytest.param(
            serving("d", NEW, incomplete="spec.close[0]: mount an emptyDir"),
            Reason.INCOMPLETE,
            id="a status file out of reach",
        ),
    ],
)
def test_what_the_webhook_could_not_do_is_said_once_with_the_remedy(
    pod: Pod, reason: Reason
) -> None:
    """In the condition and in one Event, a warning; the pods drain all the same."""
    decision = decide(a_world(*CALM, pod), NOW)
    status = status_of(decision)
    (condition,) = [each for each in status.conditions if each.type is ConditionType.DEGRADED]

    assert (condition.status, condition.reason) == (Answer.TRUE, reason)
    assert (pod.unprotected or pod.incomplete) in condition.message
    (said,) = [each for each in decision.announcements if each.reason is reason]
    assert (said.message, said.warning) == (condition.message, True)


@pytest.mark.parametrize(
    ("seen", "phase"),
    [
        pytest.param(a_world(*CALM), RolloutPhase.READY, id="calm"),
        pytest.param(a_world(*ROLLING), RolloutPhase.PROGRESSING, id="old pods are left"),
        pytest.param(a_world(*CALM, stopping("x", NEW)), RolloutPhase.DRAINING, id="scale-down"),
        pytest.param(
            a_world(*CALM, rollout=a_rollout(spec=a_spec(paused=True))),
            RolloutPhase.PAUSED,
            id="paused",
        ),
        pytest.param(
            a_world(*CALM, serving("d", NEW, rollout="")), RolloutPhase.NOT_INJECTED, id="missed"
        ),
        pytest.param(
            a_world(*CALM, serving("d", NEW, unprotected="db: exec")),
            RolloutPhase.DEGRADED,
            id="a container that cannot wait",
        ),
        pytest.param(
            a_world(*CALM, serving("d", NEW, incomplete="spec.close[0]: no volume")),
            RolloutPhase.DEGRADED,
            id="a status file out of reach",
        ),
    ],
)
def test_one_word_says_where_it_stands(seen: Observation, phase: RolloutPhase) -> None:
    """`kubectl get llr` shows it."""
    assert status_of(decide(seen, NOW)).phase is phase


def test_a_drain_that_times_out_pauses_the_rollout() -> None:
    """The next gate stays shut, and the message holds the command that resumes."""
    late = a_report("x", Phase.TIMED_OUT, seconds=300.0)
    decision = decide(a_world(*ROLLING, stopping("x", evidence=late)), NOW)
    status = status_of(decision)
    paused = status.condition(ConditionType.PAUSED)

    assert status.phase is RolloutPhase.PAUSED
    assert status.held == 1
    assert paused is not None
    assert paused.message == (
        "x was released after 5m with 1 active and 2 idle connections left; 10.0.0.9:40000 held on"
        " longest, for 10s. Old pods stay until you resume: kubectl annotate llr web -n shop"
        ' lossless.dev/resume="$(date +%s)" --overwrite'
    )
    assert {"Paused", "DrainTimedOut"} <= {*reasons(decision)}


PAUSED = a_world(
    *ROLLING, stopping("x", evidence=a_report("x", Phase.TIMED_OUT)), rollout=a_rollout(resume="1")
)


@pytest.mark.parametrize(
    ("changes", "workload", "held"),
    [
        pytest.param({}, {}, 1, id="nothing changed"),
        pytest.param({"resume": ""}, {}, 1, id="the annotation is taken away"),
        pytest.param({"resume": "2"}, {}, 0, id="a new value of the annotation"),
        pytest.param({}, {"revision": "3"}, 0, id="another revision"),
        pytest.param(
            {"spec": a_spec(drain=a_drain(on_timeout=OnTimeout.CONTINUE))}, {}, 0, id="Continue"
        ),
    ],
)
def test_what_ends_a_pause(changes: dict[str, Any], workload: dict[str, Any], held: int) -> None:
    """It outlasts looks and restarts until somebody decides."""
    seen = after(PAUSED, *ROLLING, **changes)
    seen = replace(seen, workload=replace(a_workload(), **workload))

    assert stored(seen, NOW + 60).held == held
    assert ("Resumed" in reasons(decide(seen, NOW + 60))) is (held == 0)


def test_a_resume_counts_once() -> None:
    """The value that ended one pause does not end the next."""
    resumed = after(after(PAUSED, *ROLLING, resume="2"), *ROLLING)
    late = stopping("y", evidence=a_report("y", Phase.TIMED_OUT))

    again = status_of(decide(replace(resumed, pods=(*ROLLING, late)), NOW + 60))

    assert again.resumed == "2"
    assert answer(again, ConditionType.PAUSED) == (Answer.TRUE, Reason.TIMED_OUT)


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(
            a_world(*CALM, stopping("x", NEW, evidence=a_report("x", Phase.TIMED_OUT))),
            id="outside a rollout",
        ),
        pytest.param(
            a_world(
                *ROLLING,
                stopping("x", evidence=a_report("x", Phase.TIMED_OUT)),
                rollout=a_rollout(spec=a_spec(drain=a_drain(on_timeout=OnTimeout.CONTINUE))),
            ),
            id="onTimeout: Continue",
        ),
    ],
)
def test_what_does_not_pause(seen: Observation) -> None:
    """There is nothing to hold, or it is not wanted."""
    status = status_of(decide(seen, NOW))

    assert answer(status, ConditionType.PAUSED) == (Answer.FALSE, Reason.NOT_PAUSED)
    assert status.held == 0


def test_a_rollout_begins_and_ends_with_its_numbers() -> None:
    """It counts its own drains, and is over when nothing old is left and nothing drains."""
    began = after(a_world(*CALM), *CALM)
    began = replace(began, workload=replace(a_workload(), revision="3", newest="web-3"))
    drained = stopping("a", NEW, evidence=a_report("a", Phase.DRAINED))
    lost = Departure("b", "uid-b", Unknown("killed"), served=True)
    under_way = replace(began, pods=(drained, serving("c", NEW)), departures=(lost,))
    middle = decide(under_way, NOW + 10)
    new = tuple(serving(name, "web-3") for name in "xyz")
    done = replace(after(under_way, *new), departures=())
    end = decide(done, NOW + 90)

    assert "RolloutStarted" in reasons(middle)
    assert status_of(middle).last_rollout == RolloutRecord(
        int(NOW + 10), 0, 1, 0, 1, before="2", revision="3"
    )
    assert "RolloutFinished" in reasons(end)
    assert status_of(end).phase is RolloutPhase.READY
    rolled = RolloutRecord(int(NOW), int(NOW + 90), 1, 0, 1, before="2", revision="3")
    assert status_of(end).last_rollout == rolled
    assert status_of(end).history == (rolled,)


def test_results_of_an_earlier_rollout_leave_with_the_next() -> None:
    """The list shows the rollout that is under way."""
    seen = a_world(*CALM, stopping("old", NEW, evidence=a_report("old", Phase.DRAINED)))
    calm = after(seen, *CALM)
    kept = stored(calm, NOW + 5)
    rolled = replace(after(calm, *CALM), workload=replace(a_workload(), revision="3"))

    assert "old" in {entry.name for entry in kept.pods}
    assert "old" not in {entry.name for entry in stored(rolled, NOW + 9).pods}


def test_the_list_of_pods_is_bounded() -> None:
    """Pods that serve give way to pods that need a look."""
    many = tuple(serving(f"s{i:03d}", NEW) for i in range(2 * MAX_PODS))

    status = status_of(decide(a_world(*many, stopping("x", NEW), starting("n")), NOW))

    assert len(status.pods) == MAX_PODS
    assert [entry.name for entry in status.pods[:2]] == ["x", "n"]


@pytest.mark.parametrize(
    ("pods", "expected"),
    [
        pytest.param(CALM, None, id="calm: events will tell"),
        pytest.param(CALM[1:], 5.0, id="a pod is missing and may come without an agent"),
        pytest.param((), 5.0, id="no pod yet"),
        pytest.param((*CALM, stopping("x", NEW)), 1.5, id="a drain"),
        pytest.param((*CALM, stopping("x", NEW, rollout="")), 2.0, id="a pod without an agent"),
        pytest.param(ROLLING, 5.0, id="a rollout"),
        pytest.param(
            (serving("a"), serving("b"), serving("c"), serving("n", NEW, ready_since=NOW - 9.5)),
            0.5,
            id="a pod that is available soon",
        ),
    ],
)
def test_when_to_look_again(pods: tuple[Pod, ...], expected: float | None) -> None:
    """Time alone changes something only while something is under way."""
    workload = replace(a_workload(), min_ready_seconds=10)

    assert decide(a_world(*pods, workload=workload), NOW).next_look == expected


def test_pods_that_are_refused_are_not_looked_for() -> None:
    """Why they are stands in the workload's own status, which is watched."""
    workload = replace(a_workload(), refusal=Refusal("exceeded quota", NOW))

    assert decide(a_world(*CALM[1:], workload=workload), NOW).next_look is None


def test_an_answer_that_stays_keeps_its_time() -> None:
    """Its lastTransitionTime moves with the answer, not with reason or message."""
    first = a_world(*CALM)
    second = after(first, *CALM, serving("d", NEW))

    moved = status_of(decide(replace(second, workload=a_workload(4)), NOW + 60))

    assert {condition.since for condition in moved.conditions} == {int(NOW)}


def test_agents_out_of_reach_degrade() -> None:
    """After some seconds it is worth a warning, and says what may be the cause."""
    seen = a_world(*CALM, stopping("x", NEW, asked=30, evidence=Unknown("no answer in time")))
    decision = decide(seen, NOW)

    assert answer(status_of(decision), ConditionType.DEGRADED) == (
        Answer.TRUE,
        Reason.AGENT_UNREACHABLE,
    )
    assert "AgentUnreachable" in reasons(decision)
