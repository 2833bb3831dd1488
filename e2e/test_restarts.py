"""A pod whose containers are restarted runs their preStop hooks, too, and lives on."""

from collections.abc import Callable

from e2e.cluster import processes
from e2e.cluster.cluster import Cluster
from e2e.sample.manifests import APP, APP_PORT, NGINX, Variant
from e2e.support import control, given, then, when
from e2e.support.eventually import eventually
from e2e.support.kubectl import Object
from e2e.support.timeline import restarts_of
from e2e.support.world import World, is_ready, is_stopping, name_of
from e2e.support.worlds import MakeWorld
from lossless.model.conditions import ConditionType
from lossless.model.names import AGENT_CONTAINER, STATUS_FILE
from lossless.model.phases import Phase

#: Seconds from the failing probe to the new container: the hold answers at once, the app stops,
#: the kubelet starts it again. A hold that waited for a drain would take two minutes (QUICK).
_SOON = 25.0
#: Seconds from the end of a sandbox to a pod that serves in its next one: the kubelet looks for
#: it, the pod drains without any client (QUICK), and starts.
_ANEW = 90.0


def test_a_restart_by_liveness_drains_nothing(make: MakeWorld) -> None:
    """The container comes back within seconds, its pod serves on, and can still drain later."""
    world = make("lossless")
    given.the_service(world, Variant.LOSSLESS, replicas=1, liveness=True)
    (pod,) = world.pods()

    when.posted(world, f"http://{pod['status']['podIP']}:{APP_PORT}/stick")

    _lives_on(world, pod, lambda now: restarts_of(now)[APP] == 1, within=_SOON)
    assert _phases(world.rollout()["status"]) == [Phase.SERVING]
    _serves_and_drains_at_its_end(make, world)


def test_a_new_sandbox_ends_the_drain_of_the_one_before(make: MakeWorld, cluster: Cluster) -> None:
    """The kubelet stops all containers as at the pod's end; the pod serves again, and can drain."""
    world = make("lossless")
    given.the_service(world, Variant.LOSSLESS, replicas=1)
    (pod,) = world.pods()

    world.mark("its sandbox ends")
    processes.kill(cluster.node(pod["spec"]["nodeName"]).sandbox_of(pod["metadata"]["uid"]))

    _lives_on(world, pod, lambda now: set(restarts_of(now).values()) == {1}, within=_ANEW)
    said = world.kubectl("logs", name_of(pod), f"--container={AGENT_CONTAINER}")
    assert "the pod was asked to stop and lives on" in said
    _serves_and_drains_at_its_end(make, world)


def _lives_on(
    world: World, pod: Object, restarted: Callable[[Object], bool], *, within: float
) -> None:
    """Wait until the same pod is ready with containers that have been restarted."""

    def look() -> tuple[bool, bool]:
        (now,) = world.pods()
        assert name_of(now) == name_of(pod)
        assert not is_stopping(now)
        return restarted(now), is_ready(now)

    eventually(
        look,
        lambda seen: seen == (True, True),
        what="containers to be restarted, and their pod to be ready",
        within=within,
    )


def _phases(status: Object) -> list[str]:
    return [entry["phase"] for entry in status["pods"]]


def _serves_and_drains_at_its_end(make: MakeWorld, world: World) -> None:
    """Insist that clients are not told to leave, and that a rollout loses none.

    The control is the same rollout of a service that is not protected.
    """
    (pod,) = world.pods()
    world.kubectl("exec", name_of(pod), f"--container={NGINX}", "--", "test", "-e", STATUS_FILE)
    then.status_shows(world, "the pod serves", lambda s: _phases(s) == [Phase.SERVING])

    control.a_plain_rollout_loses_some(make, replicas=1)

    # In a new sandbox it has another address, of which kube-proxy must have heard.
    given.ready(world)
    with given.load(world) as load:
        assert load.so_far.told_to_close == 0, "clients are told to leave a pod that serves"
        when.rolled_out(world)
        load.goes_on(requests=1000)
    then.nothing_was_lost(world, load.report)
    then.condition_is(world, ConditionType.DRAINED, "True")
