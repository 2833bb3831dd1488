"""Which pods count as kept from starting."""

from collections.abc import Sequence

import pytest

from e2e.faults.starts import kept
from e2e.support.kubectl import Object

_BYSTANDER: Object = {
    "metadata": {"creationTimestamp": "2026-05-01T10:00:00Z"},
    "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "bystander"}}},
}


def _pod(app: str, since: str, ready: str = "True") -> Object:
    return {
        "metadata": {"labels": {"app": app, "pod-template-hash": "abc"}},
        "status": {
            "conditions": [
                {
                    "type": "PodScheduled",
                    "status": "True",
                    "lastTransitionTime": "2026-05-01T09:00Z",
                },
                {"type": "Ready", "status": ready, "lastTransitionTime": f"2026-05-01T{since}Z"},
            ]
        },
    }


_SOON = _pod("bystander", "10:01:00")
_OURS = _pod("web", "10:07:00")
_UNKNOWN: Object = {"metadata": {"labels": {"app": "bystander"}}, "status": {}}


@pytest.mark.parametrize(
    ("pods", "reasons", "count"),
    [
        pytest.param([_SOON, _OURS], ["Scheduled"], 0, id="all-in-time"),
        pytest.param([_pod("bystander", "10:01:01"), _OURS], [], 1, id="ready-but-too-late"),
        pytest.param([_pod("bystander", "10:00:05", "False"), _OURS], [], 1, id="not-ready"),
        pytest.param([_UNKNOWN, _OURS], [], 1, id="nothing-known"),
        pytest.param([_OURS], [], 1, id="none-was-made"),
        pytest.param([_SOON, _pod("web", "10:00:00", "False")], [], 1, id="ours-is-not-ready"),
        pytest.param([_SOON, _OURS], ["FailedCreate"], 1, id="one-was-refused-at-first"),
    ],
)
def test_who_was_kept_from_starting(
    pods: Sequence[Object], reasons: Sequence[str], count: int
) -> None:
    """The bystander has a minute from its creation; ours wait for their turn in the rollout."""
    events = [{"reason": reason} for reason in reasons]

    assert kept(pods, bystander=_BYSTANDER, events=events) == count
