"""Another controller with a readiness gate on the same pods, as a cloud's load balancer has."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from e2e.support.kubectl import KubectlFailed, Object
from e2e.support.setbacks import SETBACKS
from e2e.support.world import World, condition, name_of

#: As the AWS Load Balancer Controller names its own: this prefix, and the TargetGroupBinding.
GATE: Final = "target-health.elbv2.k8s.aws/web"
GATES: Final = {"readinessGates": [{"conditionType": GATE}]}
#: Seconds from ready containers to a healthy target: two checks, 2 s apart.
_UNTIL_HEALTHY: Final = 4.0
_EVERY: Final = 0.5


@contextmanager
def opening_its_gate(world: World) -> Iterator[list[str]]:
    """Have the other controller work until the end; yield the pods whose gate it has opened.

    It does what that controller does: once the containers of a pod are ready and the target is
    healthy, it patches its own condition into the pod's status, and no other.
    """
    opened: list[str] = []
    trouble: list[BaseException] = []
    done = threading.Event()

    def work() -> None:
        ready_since: dict[str, float] = {}
        while not done.wait(_EVERY):
            try:
                _look(world, ready_since, opened)
            except SETBACKS as setback:
                trouble.append(setback)
                return

    thread = threading.Thread(target=work, name="gate owner", daemon=True)
    thread.start()
    try:
        yield opened
    finally:
        done.set()
        thread.join()
    if trouble:
        raise trouble[0]


def _look(world: World, ready_since: dict[str, float], opened: list[str]) -> None:
    for pod in world.pods():
        name = name_of(pod)
        if name in opened or condition(pod, "ContainersReady") != "True":
            continue
        since = ready_since.setdefault(name, time.monotonic())
        if time.monotonic() - since >= _UNTIL_HEALTHY and _open(world, pod):
            opened.append(name)


def _open(world: World, pod: Object) -> bool:
    """Set the condition; False if the pod is gone."""
    patch = {"status": {"conditions": [{"type": GATE, "status": "True", "reason": "Healthy"}]}}
    options = ("--subresource=status", "--type=strategic", f"--patch={json.dumps(patch)}")
    try:
        world.kubectl("patch", "pod", name_of(pod), *options)
    except KubectlFailed as failure:
        if "NotFound" in str(failure):
            return False
        raise
    world.mark(f"{name_of(pod)}: {GATE} opens")
    return True
