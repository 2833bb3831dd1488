"""A rollout goes no further while a client is still connected to the pod that is to stop."""

from e2e.sample.manifests import Variant
from e2e.support import control, given, then, when
from e2e.support.eventually import eventually, holds_for
from e2e.support.midway import in_mid_drain
from e2e.support.world import World, is_stopping
from e2e.support.worlds import MakeWorld
from lossless.model.conditions import ConditionType


def _stopping(world: World) -> int:
    return sum(is_stopping(pod) for pod in world.pods())


def test_a_client_that_keeps_a_connection_busy_holds_the_rollout(make: MakeWorld) -> None:
    """One pod drains, one new pod is held, nothing moves; when the clients leave, it goes on.

    Each old pod has a client of its own in the middle of a long request, because which of them
    the Deployment stops first is its own affair. In the control these requests are lost.
    """
    plain, lossless = make("plain"), make("lossless")

    given.the_service(plain, Variant.PLAIN)
    with given.a_long_request_on(plain, plain.pods()) as victims:
        when.rolled_out(plain)
        eventually(
            lambda: [client.so_far.failed for client in victims],
            all,
            what="each long request of the control to be lost",
            within=60,
        )

    given.the_service(lossless, Variant.LOSSLESS)
    with given.load(lossless) as load:
        with in_mid_drain(lossless):
            status = lossless.rollout()["status"]
            assert status["phase"] == "Progressing", status
            holds_for(
                lambda: (_stopping(lossless), lossless.rollout()["status"]["held"]),
                lambda seen: seen == (1, 1),
                what="one pod stopping, one held, no more",
                seconds=15,
            )
            then.status_shows(
                lossless,
                "the connection that holds it, and no other",
                lambda s: s.get("connections") == 1 and s["pods"][0]["connections"]["active"] == 1,
            )
        when.the_rollout_ends(lossless)
        load.goes_on(requests=1000)

    then.nothing_was_lost(lossless, load.report)
    then.condition_is(lossless, ConditionType.DRAINED, "True")


def test_a_drain_that_times_out_pauses_the_rollout(make: MakeWorld) -> None:
    """A client that never leaves costs its own request, no other's; somebody decides what then.

    The control is a plain rollout under the same load.
    """
    control.a_plain_rollout_loses_some(make)
    world = make("timeout")
    drain = {**given.QUICK, "timeout": "12s"}

    given.the_service(world, Variant.LOSSLESS, drain=drain)
    with given.load(world) as load:
        with given.a_long_request_on(world, world.pods()) as clients:
            when.the_version_changes(world)
            then.condition_is(world, ConditionType.PAUSED, "True", within=60)
            eventually(
                lambda: sum(client.so_far.failed for client in clients),
                lambda failed: failed == 1,
                what="the request of the client that stayed to be lost, and no other",
                within=30,
            )
            eventually(
                lambda: _stopping(world), lambda count: count == 0, what="it is gone", within=30
            )
            holds_for(
                lambda: (_stopping(world), sum(client.so_far.failed for client in clients)),
                lambda seen: seen == (0, 1),
                what="the rollout is paused: no pod stops, no other client is cut off",
                seconds=10,
            )
            status = world.rollout()["status"]
            assert (status["phase"], status["lastRollout"]["timedOut"]) == ("Paused", 1), status
            world.mark("the other long requests leave")
        when.resumed(world, "the clients have left")
        when.the_rollout_ends(world)
        load.goes_on(requests=1000)

    then.nothing_was_lost(world, load.report)
    then.condition_is(world, ConditionType.PAUSED, "False")
