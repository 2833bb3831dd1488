"""A look that nothing has changed since is not made again."""

from dataclasses import replace

import pytest

from lossless.cluster.gather import Hints
from lossless.cluster.watching import Key
from lossless.controller.views import AGE, Views
from lossless.model.fields import InvalidSpec
from lossless.model.rollout.decision import Decision, SetGate
from lossless.model.rollout.observation import (
    Departure,
    Elsewhere,
    Observation,
    Pod,
    Rollout,
    Unknown,
)
from lossless.model.status import RolloutStatus

KEY = Key("shop", "web")
ROLLOUT = Rollout("uid", 0.0, 1, InvalidSpec("spec", None, ""), RolloutStatus())
SEEN = Observation(*KEY, rollout=ROLLOUT, pods=(Pod("a", "uid-a", 0.0),))
HINTS = Hints(labelled=frozenset({"uid-a"}))
FAILING = (Elsewhere("bank", "api"),)
GONE = Departure("b", "uid-b", Unknown("killed"), served=True)


class Clock:
    """Time as the test says."""

    now = 100.0

    def __call__(self) -> float:
        """Return it."""
        return self.now


def test_a_view_is_what_was_seen_with_the_status_that_was_stored() -> None:
    """The next decision finds what this one wrote, and asks nobody."""
    views = Views(Clock())
    views.begin(KEY)
    views.keep(KEY, SEEN, Decision(status=RolloutStatus(replicas=3)), HINTS)

    view = views.recall(KEY, replace(HINTS, unpullable=FAILING))

    assert view is not None
    assert view.rollout is not None
    assert (view.rollout.status.replicas, view.unpullable, view.pods) == (3, FAILING, SEEN.pods)


@pytest.mark.parametrize(
    ("decision", "hints"),
    [
        pytest.param(
            Decision(gates=(SetGate("a", "uid-a", open=True, reason="", message=""),)),
            HINTS,
            id="acted on",
        ),
        pytest.param(Decision(), Hints(), id="a pod that no watch follows"),
        pytest.param(Decision(awaits_pods=True), HINTS, id="one may come that none follows"),
        pytest.param(Decision(), replace(HINTS, departures=(GONE,)), id="a pod has gone"),
    ],
)
def test_what_may_not_last_is_not_kept(decision: Decision, hints: Hints) -> None:
    """The next look reads."""
    views = Views(Clock())
    views.begin(KEY)
    views.keep(KEY, SEEN, decision, hints)

    assert views.recall(KEY, HINTS) is None


def test_a_change_told_while_it_was_read_spoils_it() -> None:
    """Nobody knows whether the read saw it."""
    views = Views(Clock())
    views.begin(KEY)
    views.forget([KEY])
    views.keep(KEY, SEEN, Decision(), HINTS)

    assert views.recall(KEY, HINTS) is None


def test_keeping_it_again_does_not_make_it_younger() -> None:
    """Its age is that of the read."""
    clock = Clock()
    views = Views(clock)
    views.begin(KEY)
    views.keep(KEY, SEEN, Decision(), HINTS)
    clock.now += AGE - 1
    again = views.recall(KEY, HINTS)
    assert again is not None
    views.keep(KEY, again, Decision(), HINTS)
    clock.now += 1

    assert views.recall(KEY, HINTS) is None
    assert len(views) == 0


@pytest.mark.parametrize(
    "hints",
    [
        pytest.param(Hints(labelled=frozenset({"uid-a", "uid-b"})), id="one more pod"),
        pytest.param(Hints(), id="one pod less"),
        pytest.param(replace(HINTS, departures=(GONE,)), id="a departure"),
    ],
)
def test_a_view_that_events_contradict_is_not_used(hints: Hints) -> None:
    """The watch is ahead of it."""
    views = Views(Clock())
    views.begin(KEY)
    views.keep(KEY, SEEN, Decision(), HINTS)

    assert views.recall(KEY, hints) is None


def test_a_new_leader_knows_nothing() -> None:
    """Nobody has followed the cluster meanwhile."""
    views = Views(Clock())
    views.begin(KEY)
    views.keep(KEY, SEEN, Decision(), HINTS)
    views.forget_all()

    assert views.recall(KEY, HINTS) is None
