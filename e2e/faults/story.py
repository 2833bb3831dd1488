"""One lossless rollout under load with one fault, and what came of it."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

from e2e.cluster.cluster import Cluster
from e2e.faults.catalogue import Fault, Moment
from e2e.faults.scene import CONNECTIONS, Scene
from e2e.faults.starts import WITHIN, kept
from e2e.faults.table import Row
from e2e.sample.manifests import Manifest, Variant
from e2e.support import control, given, install, then, when
from e2e.support.eventually import NeverHappened, eventually
from e2e.support.kubectl import Object
from e2e.support.load import RunningLoad
from e2e.support.midway import kept_by_clients
from e2e.support.testbed import Testbed
from e2e.support.world import World, is_ready, name_of
from lossless.model.phases import Phase

#: Longer than any fault lasts: what ends a drain here is its clients, or the fault.
_DRAIN: Final = {**given.QUICK, "timeout": "5m"}
_BYSTANDER: Final = "bystander"


def the_control(plain: World) -> Row:
    """Roll an unprotected service out, without a fault; it has to lose requests."""
    report, seconds = control.plainly_rolled_out(plain)
    return Row("none, and no LosslessRollout", "", report.requests, report.kinds, seconds)


def suffered(world: World, cluster: Cluster, fault: Fault) -> Row:
    """Deploy, roll out under load while the fault strikes, and return what came of it.

    Raises:
        NeverHappened: the fault had no effect, or the rollout did not end, or the state is not
            right after it.
    """
    scene = Scene(world, cluster)
    given.the_service(world, Variant.LOSSLESS, drain=_DRAIN, **fault.service)
    fault.prepare(scene)
    with given.load(world, connections=CONNECTIONS) as load, ExitStack() as stack:
        clients: list[RunningLoad] = []
        begun = time.monotonic()
        if fault.moment is Moment.BEFORE:
            stack.enter_context(fault.strike(scene))
            begun = time.monotonic()
            when.the_version_changes(world)
        else:
            clients = stack.enter_context(_brought_to(world, fault.moment))
            stack.enter_context(fault.strike(scene))
            for client in clients:
                given.leave(client)
        world.kubectl.apply([_bystander(world)])
        when.the_rollout_ends(world)
        seconds = time.monotonic() - begun
        not_started = kept_from_starting(world)
        stack.close()
        load.goes_on(requests=500)
    kinds = Counter(load.report.kinds)
    for client in clients:
        kinds.update(client.report.kinds)
    return Row(
        fault=fault.name,
        moment=fault.moment,
        requests=load.report.requests + len(clients),
        kinds=dict(kinds),
        seconds=seconds,
        kept=not_started,
        state=the_state(world, fault),
        seen="; ".join(scene.seen),
        loses=fault.loses,
    )


def well_again(testbed: Testbed) -> None:
    """Bring cluster and product back to full strength, whatever a fault has left.

    Raises:
        KubectlFailed: one of the product's Deployments does not come back.
    """
    testbed.mend()
    product = testbed.kubectl.within(install.NAMESPACE)
    for name in (when.CONTROLLER, when.WEBHOOK):
        product("rollout", "status", f"deployment/{name}", "--timeout=180s", timeout=190)


def kept_from_starting(world: World) -> int:
    """Return how many pods are not ready a minute later, the bystander's after its creation.

    Those that were refused count, too.
    """
    try:
        pods = eventually(
            lambda: world.kubectl.list("pods"),
            lambda pods: all(map(is_ready, pods)) and any(map(_is_bystander, pods)),
            what="every pod to start, the bystander's too",
            within=WITHIN,
        )
    except NeverHappened:
        pods = world.kubectl.list("pods")
    return kept(
        pods,
        bystander=world.kubectl.get("deployment", _BYSTANDER) or {},
        events=world.kubectl.list("events.v1.events.k8s.io"),
    )


def the_state(world: World, fault: Fault) -> str:
    """Wait until status tells what became of the rollout, and return it in words."""
    status = then.status_shows(
        world,
        f"{' or '.join(sorted(fault.leaves))}, with a rollout that has ended",
        lambda s: s.get("phase") in fault.leaves and s.get("lastRollout", {}).get("finished"),
    )
    last: Object = status["lastRollout"]
    ends = (
        f"{last.get(key, 0)} {word}"
        for key, word in (("drained", "drained"), ("timedOut", "timed out"), ("lost", "lost"))
        if last.get(key, 0)
    )
    return f"{status['phase']}: {', '.join(ends)}"


@contextmanager
def _brought_to(world: World, moment: Moment) -> Iterator[list[RunningLoad]]:
    """Begin a rollout and bring it to this moment; yield the clients that keep it there."""
    if moment is Moment.DURING:
        with kept_by_clients(world) as clients:
            yield clients
        return
    when.the_version_changes(world)
    eventually(
        lambda: _drained(world),
        what="a pod that has drained and has not ended",
        within=90,
        every=0.1,
    )
    yield []


def _drained(world: World) -> list[str]:
    there = {name_of(pod) for pod in world.pods()}
    rows = world.rollout().get("status", {}).get("pods", [])
    return [row["name"] for row in rows if row["phase"] == Phase.DRAINED and row["name"] in there]


def _is_bystander(pod: Object) -> bool:
    return bool(pod["metadata"].get("labels", {}).get("app") == _BYSTANDER)


def _bystander(world: World) -> Manifest:
    """Return a Deployment that nobody protects, whose pods the webhook is asked about."""
    labels = {"app": _BYSTANDER}
    container = {
        "name": "app",
        "image": world.images.sample,
        "imagePullPolicy": "Never",
        "command": ["sleep", "3600"],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": _BYSTANDER},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [container], "terminationGracePeriodSeconds": 1},
            },
        },
    }
