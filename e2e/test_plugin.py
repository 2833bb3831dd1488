"""What a platform engineer sees and does with ``kubectl lossless`` while a rollout stands still."""

from e2e.sample.manifests import NAME, Variant
from e2e.support import control, given, then, when
from e2e.support.eventually import eventually
from e2e.support.plugin import plugin
from e2e.support.world import is_stopping, name_of, version_of
from e2e.support.worlds import MakeWorld
from lossless.plugin.evidence import Witness


def test_a_rollout_is_seen_explained_and_steered(make: MakeWorld) -> None:
    """Status says what is held, explain who holds on; pause, resume and undo do what they say."""
    world = make("plugin")

    control.a_plain_rollout_loses_some(make)
    given.the_service(world, Variant.LOSSLESS)
    with plugin(world) as lossless, given.load(world) as load:
        assert "Ready" in lossless("status", NAME)
        findings = lossless.findings(NAME)
        assert {one["severity"] for one in findings} <= {"warning", "note"}, findings

        with given.a_long_request_on(world, world.pods()) as clients:
            lossless("pause", NAME)
            when.the_version_changes(world)
            then.status_shows(world, "the new pod is held", lambda s: s.get("held") == 1)
            assert not any(is_stopping(pod) for pod in world.pods())
            assert "Paused" in lossless("status", f"deploy/{NAME}")

            lossless("resume", NAME)
            then.one_drains_and_one_is_held(world)
            (leaving,) = [name_of(pod) for pod in world.pods() if is_stopping(pod)]
            shown = lossless("status", NAME)
            assert "1 draining, 1 held" in shown, shown
            assert leaving in shown, shown
            told = eventually(
                lambda: lossless("explain", leaving),
                lambda text: "Who holds on" in text and Witness.AGENT in text,
                what="the agent's own evidence of who holds on",
                within=60,
            )
            assert "Not drained: " in told, told
            assert lossless("explain", "no-such-pod", status=1) == ""

            lossless("undo", NAME)
            then.status_shows(world, "nothing is held", lambda s: not s.get("held"))
            assert sum(client.so_far.failed for client in clients) == 0
            world.mark("the long requests leave")
        when.the_rollout_ends(world, "v1")
        lossless("restart", NAME)
        when.the_rollout_ends(world, "v1")
        rolled = then.status_shows(
            world,
            "the restart has ended",
            lambda s: (
                s.get("lastRollout", {}).get("finished") and s["lastRollout"].get("drained") == 3
            ),
        )["lastRollout"]
        load.goes_on(requests=1000)
        history = lossless("history", NAME)

    then.nothing_was_lost(world, load.report)
    assert {version_of(pod) for pod in world.pods()} == {"v1"}
    assert "superseded" in history, history
    assert f"→ {rolled['to']}" in history, history
