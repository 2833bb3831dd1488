"""The breaker: nothing that we install keeps a pod from starting for longer than a minute."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossless.model.conditions import Answer, ConditionType, Reason
from lossless.model.rollout.breaker import (
    EVICTIONS,
    FIRST_RETRY,
    HEARD,
    LONGEST_RETRY,
    PATIENCE,
    STEADY,
    Breaker,
    describe,
    judge,
    retry_after,
)
from lossless.model.rollout.decision import Decision, Evict, decide
from lossless.model.rollout.observation import AgentState, Elsewhere, Pod, Refusal
from lossless.model.status import Cause, RolloutStatus, Suspension
from tests.support.rollouts import NOW, a_rollout, a_workload, a_world, serving, starting

OPEN = Suspension(int(NOW) - 60, Cause.IMAGE, "the agent of a does not start")
FAILING = (Elsewhere("bank", "api"), Elsewhere("shop", "api"))
TRYING = replace(OPEN, trying=True)
POLICY = 'violates PodSecurity "restricted": (container "lossless-agent" must not …)'


def stuck(name: str = "a", *, age: float = PATIENCE, **changes: Any) -> Pod:
    """Return an injected pod that waits for its agent's image."""
    return replace(starting(name, created=NOW - age, agent=agent()), **changes)


def agent(waits: str = "ImagePullBackOff", **changes: Any) -> AgentState:
    """Return one whose image cannot be pulled."""
    return AgentState(waits=waits, says="not found", **changes)


def up(name: str = "a", *, age: float = STEADY, created: float = 20.0) -> Pod:
    """Return an injected pod whose agent runs."""
    return starting(name, created=NOW - created, agent=AgentState(since=NOW - age))


def judged(*pods: Pod, before: Suspension | None = None, **changes: Any) -> Breaker:
    """Return what the breaker concludes."""
    known = {"refusal": None, "elsewhere": (), "resumed": False, "now": NOW} | changes
    return judge(pods, before=before, **known)


@pytest.mark.parametrize(
    ("waits", "cause"),
    [
        ("ErrImagePull", Cause.IMAGE),
        ("ImagePullBackOff", Cause.IMAGE),
        ("InvalidImageName", Cause.IMAGE),
        ("ErrImageNeverPull", Cause.IMAGE),
        ("CrashLoopBackOff", Cause.CRASH),
        ("CreateContainerError", Cause.CRASH),
        ("CreateContainerConfigError", Cause.CRASH),
        ("RunContainerError", Cause.CRASH),
    ],
)
def test_an_agent_that_does_not_start_suspends_injection(waits: str, cause: Cause) -> None:
    """Whatever the kubelet calls it; the reason says which pod and what the kubelet said."""
    found = judged(stuck(agent=agent(waits))).suspension

    assert found == Suspension(
        int(NOW), cause, f"the agent of a does not start ({waits}): not found"
    )


@pytest.mark.parametrize(
    "pod",
    [
        pytest.param(stuck(age=PATIENCE - 1), id="too young to judge"),
        pytest.param(stuck(served=True), id="it has served: its agent crashed later"),
        pytest.param(stuck(rollout=""), id="not ours"),
        pytest.param(stuck(deletion=NOW + 30), id="going already"),
        pytest.param(stuck(agent=agent("ContainerCreating")), id="it only starts"),
        pytest.param(stuck(agent=agent("PodInitializing")), id="others start before it"),
        pytest.param(starting("a"), id="nothing is known of its agent"),
        pytest.param(up(), id="its agent runs, the app does not start"),
    ],
)
def test_what_is_not_the_agents_fault_suspends_nothing(pod: Pod) -> None:
    """An app that crashes, a slow node, a young pod: not our business."""
    found = judged(pod)

    assert found.suspension is None
    assert found.evict == ()


def test_a_young_pod_is_looked_at_again_in_time() -> None:
    """No event may come of an image that is just not there."""
    assert judged(stuck(age=5)).next_change == NOW + PATIENCE - 5


@pytest.mark.parametrize(
    ("message", "age", "cause"),
    [
        pytest.param(POLICY, PATIENCE, Cause.REFUSED, id="pod security"),
        pytest.param(
            "minimum memory usage per Container is 100Mi, but request is 64Mi",
            PATIENCE,
            Cause.REFUSED,
            id="limit range",
        ),
        pytest.param(
            'pods "web-5d9c-" is forbidden: unable to validate against any security context'
            ' constraint: [provider "anyuid": Forbidden: not usable by user or serviceaccount,'
            " provider restricted-v2: .spec.initContainers[0].securityContext.runAsUser: Invalid"
            " value: 65534: must be in the ranges: [1000700000, 1000709999]]",
            PATIENCE,
            Cause.REFUSED,
            id="OpenShift",
        ),
        pytest.param(
            'admission webhook "validate.kyverno.svc-fail" denied the request: resource'
            " Pod/shop/web-5d9c-x was blocked due to the following policies restrict-registries:"
            " validate-registries: 'validation error: Unknown image registry. rule"
            " validate-registries failed at path /spec/initContainers/0/image/'",
            PATIENCE,
            Cause.REFUSED,
            id="Kyverno",
        ),
        pytest.param(
            "spec.initContainers[1].image: Required value", 60, None, id="another's index"
        ),
        pytest.param("spec.initContainers[01].image: Required value", 60, None, id="no such index"),
        pytest.param(
            "failed at path /spec/initContainers/01/image/", 60, None, id="another's pointer"
        ),
        pytest.param(
            "failed at path /spec/containers/0/image/", 60, None, id="the user's container"
        ),
        pytest.param(POLICY, 3, None, id="just now"),
        pytest.param("exceeded quota: q, requested: pods=1", 60, None, id="quota"),
        pytest.param('admission webhook "x" denied the request', 60, None, id="another webhook"),
    ],
)
def test_pods_that_are_refused_because_of_the_agent_suspend_injection(
    message: str, age: float, cause: Cause | None
) -> None:
    """A policy names our container, or where it stands; a quota is full with or without us."""
    found = judged(refusal=Refusal(message, NOW - age)).suspension

    assert (found and found.cause) == cause


def test_stuck_pods_are_evicted_once_webhooks_have_heard() -> None:
    """Sooner they would only come back with an agent."""
    fresh = replace(OPEN, since=int(NOW))

    early = judged(stuck(), before=fresh)
    late = judged(stuck(), before=fresh, now=NOW + HEARD)

    assert (early.evict, early.next_change) == ((), NOW + HEARD)
    assert [pod.name for pod in late.evict] == ["a"]


def test_evictions_are_few_at_a_time_and_the_oldest_first() -> None:
    """Whatever goes wrong here goes wrong slowly."""
    pods = [stuck(f"p{number:02d}", age=100 - number) for number in range(20)]

    assert [pod.name for pod in judged(*pods, before=OPEN).evict] == [
        f"p{number:02d}" for number in range(EVICTIONS)
    ]


def test_a_pod_that_starts_by_itself_is_left_alone() -> None:
    """And so is one that has served, whatever its agent does."""
    assert judged(up(), serving("b"), stuck("c", served=True), before=OPEN).evict == ()


def test_a_pod_that_has_begun_is_never_evicted() -> None:
    """It migrates its data, or a gate holds it, when its agent crashes; only injection may end."""
    begun = stuck(age=600, agent=agent("CrashLoopBackOff"), begun=True)

    found = judged(begun, stuck("b"), before=replace(OPEN, cause=Cause.CRASH))

    assert [pod.name for pod in found.evict] == ["b"]
    assert judged(begun).suspension is not None


@pytest.mark.parametrize(
    "waiting",
    [
        pytest.param(agent(due=NOW - PATIENCE + 1), id="long without a node"),
        pytest.param(
            agent("CrashLoopBackOff", ran=500.0, ended=NOW - 19),
            id="its agent was killed once, after minutes",
        ),
    ],
)
def test_patience_counts_from_when_the_agent_began_to_wait(waiting: AgentState) -> None:
    """Not from when the pod was made; what happens then is found without an event."""
    pod = stuck(age=600, agent=waiting)

    assert judged(pod).suspension is None
    assert judged(pod).next_change == NOW + 1
    assert judged(pod, now=NOW + 1).suspension is not None


def test_an_agent_that_crashes_again_and_again_waits_all_the_time() -> None:
    """Each of its short runs would begin the wait anew."""
    crashed = stuck(agent=agent("CrashLoopBackOff", ran=1.0, ended=NOW - 1))

    assert judged(crashed).suspension is not None


@pytest.mark.parametrize(
    ("attempts", "seconds"),
    [(0, FIRST_RETRY), (1, 2 * FIRST_RETRY), (3, 8 * FIRST_RETRY), (9, LONGEST_RETRY)],
)
def test_injection_is_tried_again_later_and_later(attempts: int, seconds: float) -> None:
    """Each attempt may cost one pod some seconds."""
    open_ = replace(OPEN, since=int(NOW - seconds), attempts=attempts)

    assert retry_after(attempts) == seconds
    assert judged(before=open_, now=NOW - 1).suspension == open_
    assert judged(before=open_, now=NOW - 1).next_change == NOW
    assert judged(before=open_).suspension == replace(open_, trying=True, since=int(NOW))


def test_an_attempt_that_succeeds_ends_it() -> None:
    """An agent that has run for some seconds is one that starts."""
    assert judged(up(), before=TRYING).suspension is None
    assert judged(up(age=STEADY - 1), before=TRYING).suspension == TRYING
    assert judged(up(age=STEADY - 1), before=TRYING).next_change == NOW + 1
    assert judged(up(created=600), before=TRYING).suspension == TRYING
    assert judged(before=TRYING).suspension == TRYING


def test_an_attempt_that_fails_begins_it_anew() -> None:
    """The pod that tried goes like the others; the next attempt is further away."""
    found = judged(stuck(), before=TRYING)

    assert found.suspension is not None
    assert (found.suspension.trying, found.suspension.attempts) == (False, 1)
    assert found.suspension.since == int(NOW)


def test_who_tries_is_given_time_and_who_was_stuck_before_is_not() -> None:
    """Their fate is known."""
    young, old = stuck("young", age=5), stuck("old", age=100)

    assert [pod.name for pod in judged(young, old, before=TRYING).evict] == ["old"]


def test_a_command_tries_at_once() -> None:
    """Who has mended it need not wait, and pays for no earlier attempt."""
    found = judged(before=replace(OPEN, attempts=4), resumed=True).suspension

    assert found == replace(OPEN, trying=True, since=int(NOW), attempts=0)
    assert judged(resumed=True).suspension is None


def test_an_image_that_nobody_can_pull_suspends_all() -> None:
    """Others need not find out with a pod of their own; it ends when it ends for them."""
    found = judged(elsewhere=FAILING).suspension

    assert found == Suspension(
        int(NOW),
        Cause.ELSEWHERE,
        "2 other LosslessRollouts cannot pull the agent's image; see which:"
        " kubectl get losslessrollouts -A",
    )
    assert judged(elsewhere=FAILING, before=found).suspension == found
    assert judged(elsewhere=FAILING[1:], before=found).suspension is None
    own = judged(stuck(), elsewhere=FAILING, before=found).suspension
    assert own is not None
    assert own.cause is Cause.IMAGE


def test_one_namespace_alone_suspends_nobody_else() -> None:
    """Its credentials are its own, and so are its mistakes."""
    tenant = tuple(Elsewhere("shop", f"api-{number}") for number in range(9))

    assert judged(elsewhere=tenant).suspension is None


def test_nobody_elses_is_named() -> None:
    """Who reads this status may not be allowed to know of other namespaces."""
    found = judged(elsewhere=FAILING).suspension

    assert found is not None
    assert not any(one.name in found.reason for one in FAILING)


def test_status_events_and_evictions_follow() -> None:
    """Degraded says what was seen and how to end it; the Event follows from the condition."""
    decision = decide(a_world(stuck(), serving("b"), workload=a_workload(2)), NOW)
    status = decision.status
    assert status is not None
    degraded = status.condition(ConditionType.DEGRADED)
    assert degraded is not None
    assert (degraded.status, degraded.reason) == (Answer.TRUE, Reason.INJECTION_SUSPENDED)
    assert "the agent of a does not start" in degraded.message
    assert "kubectl annotate llr web -n shop lossless.dev/resume" in degraded.message
    assert Reason.INJECTION_SUSPENDED in {said.reason for said in decision.announcements}
    assert decision.evictions == ()

    after = a_world(stuck(), workload=a_workload(2), rollout=a_rollout(status=status))
    assert decide(after, NOW + HEARD).evictions == (Evict("a", "uid-a"),)


def test_an_attempt_ends_when_nobody_is_left_from_before() -> None:
    """Who was stuck before it goes first; else the next look would suspend injection again."""
    before = replace(TRYING, since=int(NOW) - 100)
    good, old = up("a", created=50), stuck("b", age=300)

    found = judged(good, old, before=before)
    assert (found.suspension, found.evict) == (before, (old,))
    assert judged(good, before=before).suspension is None


def test_the_end_is_announced() -> None:
    """And the command that ended it is not acted on twice."""
    before = a_rollout(status=RolloutStatus(injection=TRYING))
    decision = decide(a_world(up(), rollout=before), NOW)

    assert decision.status is not None
    assert decision.status.injection is None
    assert Reason.INJECTION_RESUMED in {said.reason for said in decision.announcements}


def unseen(before: Suspension, now: float = NOW, **changes: Any) -> Decision:
    """Return the decision of a look that does not find the target."""
    rollout = a_rollout(status=RolloutStatus(injection=before), **changes)
    return decide(a_world(rollout=rollout, workload=None), now)


def test_a_target_that_is_not_found_ends_no_suspension() -> None:
    """`kubectl replace --force` takes it away for a moment; nothing says that agents start now."""
    decision = unseen(replace(OPEN, attempts=3))

    assert decision.status is not None
    assert decision.status.injection == replace(OPEN, attempts=3)
    assert Reason.INJECTION_RESUMED not in {said.reason for said in decision.announcements}


@pytest.mark.parametrize(
    ("now", "changes"),
    [
        pytest.param(NOW + FIRST_RETRY, {}, id="its time has come"),
        pytest.param(NOW, {"resume": "1"}, id="a command"),
    ],
)
def test_without_its_target_an_attempt_begins_all_the_same(
    now: float, changes: dict[str, str]
) -> None:
    """A LosslessRollout whose target never comes back would count for all others for ever."""
    status = unseen(OPEN, now, **changes).status

    assert status is not None
    assert status.injection == replace(OPEN, trying=True, since=int(now))


@pytest.mark.parametrize("cause", list(Cause))
@pytest.mark.parametrize("trying", [False, True])
def test_every_state_is_described(cause: Cause, *, trying: bool) -> None:
    """In words that say what happens to new pods."""
    said = describe(Suspension(1, cause, "so it is", trying=trying))

    assert "so it is" in said
    assert "new pod" in said


PODS = st.lists(
    st.builds(
        stuck,
        name=st.sampled_from("abcdef"),
        age=st.floats(min_value=0, max_value=900),
        agent=st.builds(
            agent,
            waits=st.sampled_from(["", "ErrImagePull", "CrashLoopBackOff", "PodInitializing"]),
            since=st.none() | st.floats(min_value=0, max_value=900).map(lambda ago: NOW - ago),
            due=st.sampled_from([0.0, NOW - 5]),
        ),
        served=st.booleans(),
        begun=st.booleans(),
        rollout=st.sampled_from(["web", ""]),
    ),
    max_size=6,
    unique_by=lambda pod: pod.name,
)
SUSPENSIONS = st.none() | st.builds(
    Suspension,
    since=st.integers(min_value=-4000, max_value=0).map(lambda ago: int(NOW) + ago),
    cause=st.sampled_from(Cause),
    reason=st.just("so"),
    trying=st.booleans(),
    attempts=st.integers(min_value=0, max_value=40),
)


@given(
    pods=PODS,
    before=SUSPENSIONS,
    elsewhere=st.sampled_from([(), FAILING[1:], FAILING]),
    resumed=st.booleans(),
)
def test_from_any_state_a_stuck_pod_is_on_its_way_out(
    pods: list[Pod],
    before: Suspension | None,
    elsewhere: tuple[Elsewhere, ...],
    *,
    resumed: bool,
) -> None:
    """It is evicted now, or a look is planned, or others go before it; nobody else ever goes."""
    found = judged(*pods, before=before, elsewhere=elsewhere, resumed=resumed)
    never_started = [
        pod
        for pod in pods
        if pod.rollout
        and not pod.served
        and not pod.begun
        and pod.agent.waits in {"ErrImagePull", "CrashLoopBackOff"}
    ]

    assert set(found.evict) <= set(never_started)
    if never_started:
        assert found.evict or found.next_change is not None
    assert found.next_change is None or found.next_change > NOW
