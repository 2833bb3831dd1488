"""Which pods a fault has kept from starting, by what the API server says of them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from e2e.support.kubectl import Object
from e2e.support.world import is_ready

#: Seconds in which a pod must have started, fault or no fault.
WITHIN: Final = 60.0


def kept(pods: Sequence[Object], *, bystander: Object, events: Sequence[Object]) -> int:
    """Return how many pods were kept from starting.

    Args:
        pods: of the namespace, a minute after the end of the rollout or once all are ready.
        bystander: the Deployment that was made while the fault lasted, or right after it. Its
            pods have a minute from its creation, however long the rollout takes: nothing paces
            them. The service's own wait for their turn in the rollout, so of them only the end
            counts.
        events: of the namespace; each ``FailedCreate`` is a pod that was refused.
    """
    label = bystander["spec"]["selector"]["matchLabels"]
    its_own = [pod for pod in pods if label.items() <= pod["metadata"].get("labels", {}).items()]
    others = [pod for pod in pods if pod not in its_own]
    created = _time(bystander["metadata"]["creationTimestamp"])
    in_time = sum(_ready_by(pod, created + timedelta(seconds=WITHIN)) for pod in its_own)
    # Of pods that nobody has made yet, too, there is nothing to list.
    wanted = max(int(bystander["spec"].get("replicas", 1)), len(its_own))
    refused = [event for event in events if event.get("reason") == "FailedCreate"]
    return wanted - in_time + sum(not is_ready(pod) for pod in others) + len(refused)


def _ready_by(pod: Object, deadline: datetime) -> bool:
    """Whether a pod is ready, and has been since this time at the latest."""
    return any(
        _time(row["lastTransitionTime"]) <= deadline
        for row in pod.get("status", {}).get("conditions", [])
        if (row["type"], row["status"]) == ("Ready", "True")
    )


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
