"""What past rollouts did stays in status, bounded, newest first."""

from dataclasses import replace

from lossless.model.rollout.history import remembered
from lossless.model.status import MAX_HISTORY, RolloutRecord
from tests.support.deployment_model import Cluster
from tests.support.rollouts import NOW

ROLLING = RolloutRecord(int(NOW), drained=1, before="1", revision="2")
DONE = replace(ROLLING, finished=int(NOW + 60), drained=3)


def test_a_rollout_is_remembered_when_it_has_ended() -> None:
    """Not before, and once."""
    assert remembered((), None, ROLLING, NOW) == ()
    assert remembered((), ROLLING, ROLLING, NOW) == ()
    assert remembered((), ROLLING, DONE, NOW + 60) == (DONE,)
    assert remembered((DONE,), DONE, DONE, NOW + 99) == (DONE,)
    assert remembered((DONE,), None, None, NOW) == (DONE,)


def test_a_rollout_that_another_revision_overtakes_is_remembered_as_that() -> None:
    """A hot fix in the middle of a release ends the release; its drains were real."""
    fix = RolloutRecord(int(NOW + 30), before="2", revision="3")

    (past,) = remembered((), ROLLING, fix, NOW + 30)

    assert past == replace(ROLLING, finished=int(NOW + 30), superseded=True)


def test_the_history_is_bounded() -> None:
    """The oldest leaves."""
    history: tuple[RolloutRecord, ...] = ()
    for number in range(MAX_HISTORY + 5):
        rolling = replace(ROLLING, revision=str(number))
        history = remembered(history, rolling, replace(rolling, finished=int(NOW + number)), NOW)

    assert [past.revision for past in history] == [str(n) for n in range(14, 4, -1)]


def test_releases_one_after_another_are_all_there() -> None:
    """Seen through the controller's own decisions, with the model of a Deployment."""
    cluster = Cluster(replicas=3, surge=1, unavailable=0, max_draining=1)
    cluster.controller()
    for _ in range(3):
        cluster.release()
        while not cluster.finished():
            cluster.tick()
        cluster.settle()

    past = cluster.status.history
    steps = [("3/rs-3", "4/rs-4"), ("2/rs-2", "3/rs-3"), ("1/rs-1", "2/rs-2")]
    assert [(one.before, one.revision) for one in past] == steps
    assert all((one.drained, one.timed_out, one.lost) == (3, 0, 0) for one in past)
    assert not any(one.superseded or one.paused for one in past)
