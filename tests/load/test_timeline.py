"""What happened between two sights of a pod, and which step a lost request is laid to."""

from typing import Any

import pytest

from e2e.load.report import Failure
from e2e.support.timeline import Step, cause_of, steps_between
from lossless.model.names import AGENT_CONTAINER, GATE


def _pod(
    *,
    conditions: dict[str, str] | None = None,
    stopping: bool = False,
    ended: dict[str, str] | None = None,
    restarts: int = 0,
    agent: bool = True,
) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": "web-1", "uid": "u1"}
    if stopping:
        metadata |= {"deletionTimestamp": "2026-01-01T00:00:00Z", "deletionGracePeriodSeconds": 45}
    agents = [{"name": AGENT_CONTAINER}] if agent else []
    words = ended or {}
    return {
        "metadata": metadata,
        "spec": {"initContainers": agents, "containers": [{"name": "nginx"}]},
        "status": {
            "conditions": [
                {"type": kind, "status": status} for kind, status in (conditions or {}).items()
            ],
            "initContainerStatuses": [
                {
                    "name": AGENT_CONTAINER,
                    "restartCount": 0,
                    "state": {"terminated": {"exitCode": 0, "message": message}},
                }
                for name, message in words.items()
                if name == AGENT_CONTAINER
            ],
            "containerStatuses": [
                {"name": "nginx", "restartCount": restarts, "state": {"running": {}}}
            ],
        },
    }


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        pytest.param({}, _pod(), ["created (with agent)"], id="created"),
        pytest.param({}, _pod(agent=False), ["created (without agent)"], id="not injected"),
        pytest.param(_pod(), _pod(), [], id="nothing changed"),
        pytest.param(_pod(), _pod(conditions={"Ready": "True"}), ["ready"], id="ready"),
        pytest.param(_pod(conditions={"Ready": "True"}), _pod(), ["not ready"], id="not ready"),
        pytest.param(_pod(), _pod(conditions={GATE: "True"}), ["gate opened"], id="gate"),
        pytest.param(_pod(), _pod(stopping=True), ["asked to stop, grace 45 s"], id="stopping"),
        pytest.param(_pod(), _pod(restarts=1), ["container nginx restarted"], id="restarted"),
        pytest.param(
            _pod(stopping=True),
            _pod(stopping=True, ended={AGENT_CONTAINER: '{"phase":"Drained"}'}),
            [f'container {AGENT_CONTAINER} ended with 0: {{"phase":"Drained"}}'],
            id="last words",
        ),
        pytest.param(_pod(stopping=True), {}, ["gone"], id="gone"),
    ],
)
def test_steps_say_what_changed(
    before: dict[str, Any], after: dict[str, Any], told: list[str]
) -> None:
    """Each change is one step of that pod, at the time it was seen."""
    assert steps_between(before, after, 5.0) == [Step(5.0, text, "web-1") for text in told]


def _failure(at: float, pod: str) -> Failure:
    return Failure(
        at=at,
        waited=0.5,
        kind="EOF",
        connection="reused",
        idle=0.1,
        served=2,
        pod=pod,
        local="10.0.0.9:4000",
        detail="",
    )


_STEPS = [
    Step(10.0, "rollout begins"),
    Step(11.0, "asked to stop", "web-1"),
    Step(12.0, "created", "web-2"),
    Step(20.0, "gone", "web-1"),
]


@pytest.mark.parametrize(
    ("at", "pod", "says"),
    [
        pytest.param(5.0, "web-1", "before the first step", id="too early"),
        pytest.param(10.7, "", "sent 0.20 s after: rollout begins", id="one step"),
        pytest.param(
            13.0,
            "web-1",
            "sent 0.50 s after: web-2 created; sent 1.50 s after: web-1 asked to stop",
            id="the last step, and its pod's own",
        ),
        pytest.param(11.2, "web-1", "sent 0.30 s before: web-1 asked to stop", id="in flight"),
    ],
)
def test_a_lost_request_is_laid_to_the_steps_before_it(at: float, pod: str, says: str) -> None:
    """The last step of all, and the last one of the pod that had answered before."""
    assert cause_of(_failure(at, pod), _STEPS) == says
