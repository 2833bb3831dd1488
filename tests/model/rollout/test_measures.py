"""What metrics say of a LosslessRollout."""

from dataclasses import replace

import pytest

from lossless.model.conditions import Answer, Condition, ConditionType, Reason
from lossless.model.report import Connections
from lossless.model.rollout.measures import (
    UnprotectedReason,
    measures_of,
    unprotected,
    unprotected_reason_of,
)
from lossless.model.rollout.observation import Pod
from lossless.model.status import Cause, RolloutPhase, RolloutStatus, Suspension

#: When the LosslessRollout was created.
SINCE = 1000.0
POD = Pod("web-1", "u-1", created=SINCE + 1, rollout="web")


@pytest.mark.parametrize(
    ("pod", "reason"),
    [
        pytest.param(POD, None, id="protected"),
        pytest.param(
            replace(POD, unprotected="app"), UnprotectedReason.CONTAINERS, id="a container"
        ),
        pytest.param(replace(POD, rollout=""), UnprotectedReason.MISSED, id="missed"),
        pytest.param(replace(POD, rollout="", created=SINCE), UnprotectedReason.OLDER, id="older"),
        pytest.param(
            replace(POD, rollout="", declined=True), UnprotectedReason.DECLINED, id="declined"
        ),
    ],
)
def test_why_a_pod_is_not_protected(pod: Pod, reason: UnprotectedReason | None) -> None:
    """One reason each, and every reason is counted, with zeros."""
    expected = {one: int(one is reason) for one in UnprotectedReason}

    assert unprotected_reason_of(pod, SINCE) is reason
    assert unprotected([pod], SINCE) == expected


@pytest.mark.parametrize("change", [{"deletion": SINCE + 9}, {"finished": True}])
def test_a_pod_that_goes_is_not_counted(change: dict[str, object]) -> None:
    """Nothing can be done for it any more."""
    assert set(unprotected([replace(POD, rollout="", **change)], SINCE).values()) == {0}  # type: ignore[arg-type]


def test_what_could_not_be_looked_at_is_no_zero() -> None:
    """Without a workload there are no numbers, but an answer whether all is well."""
    ready = Condition(ConditionType.READY, Answer.FALSE, Reason.TARGET_NOT_FOUND, "no web")
    found = measures_of(RolloutStatus(RolloutPhase.DEGRADED, conditions=(ready,)), None, None)

    assert found.phase is RolloutPhase.DEGRADED
    assert not found.ready
    assert {found.replicas, found.updated, found.draining, found.held} == {None}
    assert found.unprotected is None


@pytest.mark.parametrize("trying", [False, True])
def test_the_state_of_a_rollout(trying: bool) -> None:  # noqa: FBT001 # a case
    """As in status; an attempt to inject again is no suspension."""
    conditions = (
        Condition(ConditionType.READY, Answer.TRUE, Reason.PROTECTING, ""),
        Condition(ConditionType.PAUSED, Answer.TRUE, Reason.TIMED_OUT, ""),
    )
    status = RolloutStatus(
        RolloutPhase.PAUSED,
        conditions=conditions,
        replicas=3,
        updated=1,
        draining=1,
        held=1,
        injection=Suspension(1, Cause.IMAGE, "not found", trying=trying),
    )

    found = measures_of(status, Connections(2, 1), {UnprotectedReason.MISSED: 1})

    assert (found.replicas, found.updated, found.draining, found.held) == (3, 1, 1, 1)
    assert (found.ready, found.paused, found.suspended) == (True, True, not trying)
    assert found.connections == Connections(2, 1)
    assert found.unprotected == {UnprotectedReason.MISSED: 1}
