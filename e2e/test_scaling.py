"""Replicas change in the middle of a rollout, as autoscalers do, and go to zero and back."""

from e2e.sample.manifests import Variant
from e2e.support import given, then, when
from e2e.support.eventually import eventually, holds_for
from e2e.support.midway import a_rollout_that_loses_nothing
from e2e.support.world import World, is_injected, is_ready, is_stopping, version_of
from e2e.support.worlds import MakeWorld


def _serving(world: World) -> int:
    return sum(is_ready(pod) and not is_stopping(pod) for pod in world.pods())


def test_an_autoscaler_in_the_middle_of_a_rollout_loses_nothing(make: MakeWorld) -> None:
    """More replicas are there at once, whatever is held; fewer drain; then the rollout goes on.

    An autoscaler does what is done here: it writes the Deployment's ``scale`` subresource.
    """
    with a_rollout_that_loses_nothing(make, "autoscaler", replicas=2) as world:
        when.replicas_are_asked_for(world, 5)
        eventually(
            lambda: _serving(world),
            lambda ready: ready >= 5,
            what="five ready pods, while a drain is still under way",
            within=60,
        )
        then.status_shows(world, "the drain goes on", lambda s: s.get("draining", 0) >= 1)
        when.replicas_are_asked_for(world, 2)
        holds_for(
            lambda: _serving(world),
            lambda ready: ready >= 2,
            what="never fewer than two ready pods",
            seconds=10,
        )

    assert len(world.pods()) == 2


def test_scaled_to_zero_and_back(make: MakeWorld) -> None:
    """What is in flight ends before the last pods do; the first new ones are not held for it.

    In the control the requests in flight are lost.
    """
    plain, world = make("plain"), make("zero")

    given.the_service(plain, Variant.PLAIN, replicas=2)
    with given.a_long_request_on(plain, plain.pods()) as victims:
        when.replicas_are_asked_for(plain, 0)
        eventually(
            lambda: [client.so_far.failed for client in victims],
            all,
            what="each long request of the control to be lost",
            within=60,
        )

    given.the_service(world, Variant.LOSSLESS, replicas=2)
    with given.a_long_request_on(world, world.pods()) as clients:
        when.replicas_are_asked_for(world, 0)
        then.status_shows(world, "both pods drain", lambda s: s.get("draining") == 2)
        when.the_version_changes(world)
        when.replicas_are_asked_for(world, 2)
        eventually(
            lambda: _serving(world),
            lambda ready: ready == 2,
            what="two new pods, not held for those that still drain",
            within=60,
        )
        given.ready(world)
        assert sum(client.so_far.failed for client in clients) == 0
        world.mark("the long requests leave")
    with given.load(world) as load:
        when.the_rollout_ends(world)
        load.goes_on(requests=1000)

    then.nothing_was_lost(world, load.report)
    assert {version_of(pod) for pod in world.pods()} == {"v2"}
    assert all(is_injected(pod) for pod in world.pods())
