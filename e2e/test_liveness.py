"""A container that is restarted runs its preStop hook too, and that must not start a drain."""

from e2e.conftest import MakeWorld
from e2e.sample.manifests import APP, APP_PORT, NGINX, Variant
from e2e.support import control, given, then, when
from e2e.support.eventually import eventually
from e2e.support.world import is_ready, is_stopping, name_of
from lossless.model.conditions import ConditionType
from lossless.model.names import STATUS_FILE
from lossless.model.phases import Phase

#: Seconds from the failing probe to the new container: the hold answers at once, the app stops,
#: the kubelet starts it again. A hold that waited for a drain would take two minutes (QUICK).
_SOON = 25.0


def test_a_restart_by_liveness_drains_nothing(make: MakeWorld) -> None:
    """The container comes back within seconds, its pod serves on, and can still drain later.

    The control of the last claim is the same rollout of a service that is not protected.
    """
    world = make("lossless")
    given.the_service(world, Variant.LOSSLESS, replicas=1, liveness=True)
    (pod,) = world.pods()

    when.posted(world, f"http://{pod['status']['podIP']}:{APP_PORT}/stick")

    def app() -> tuple[int, bool]:
        (now,) = world.pods()
        assert name_of(now) == name_of(pod)
        assert not is_stopping(now)
        rows = now["status"]["containerStatuses"]
        return next(row["restartCount"] for row in rows if row["name"] == APP), is_ready(now)

    eventually(
        app,
        lambda seen: seen == (1, True),
        what="the app to be restarted, and its pod to be ready",
        within=_SOON,
    )
    world.kubectl("exec", name_of(pod), f"--container={NGINX}", "--", "test", "-e", STATUS_FILE)
    status = world.rollout()["status"]
    assert [entry["phase"] for entry in status["pods"]] == [Phase.SERVING], status

    control.a_plain_rollout_loses_some(make, replicas=1)

    with given.load(world) as load:
        assert load.so_far.told_to_close == 0, "clients are told to leave a pod that serves"
        when.rolled_out(world)
        load.goes_on(requests=1000)
    then.nothing_was_lost(world, load.report)
    then.condition_is(world, ConditionType.DRAINED, "True")
