"""Processes of a run share the cluster, but for those that must be alone on it."""

import threading
from contextlib import suppress
from pathlib import Path

import pytest

from e2e.support.turns import Turns


class Took:
    """Takes its turn in a thread, and gives it back when it is told to."""

    def __init__(self, turns: Turns, *, alone: bool) -> None:
        self.has_it = threading.Event()
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._take, args=(turns, alone), daemon=True)
        self._thread.start()

    def _take(self, turns: Turns, alone: bool) -> None:  # noqa: FBT001 # of a thread
        with turns.taken(alone=alone):
            self.has_it.set()
            self._enough.wait(timeout=30)

    def gives_back(self) -> None:
        """Give the turn back."""
        self._enough.set()
        self._thread.join(timeout=30)


def test_stories_are_told_side_by_side(tmp_path: Path) -> None:
    """None of those that disturb nothing waits for another."""
    both = [Took(Turns(tmp_path), alone=False) for _ in range(2)]

    assert all(one.has_it.wait(timeout=30) for one in both)
    for one in both:
        one.gives_back()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(False, True, id="who-must-be-alone-waits-for-others"),
        pytest.param(True, False, id="others-wait-for-it"),
        pytest.param(True, True, id="and-so-does-the-next-of-its-kind"),
    ],
)
def test_who_must_be_alone_is(tmp_path: Path, *, first: bool, second: bool) -> None:
    """The second has its turn when the first has given it back, and not before."""
    turns = Turns(tmp_path)
    before = Took(turns, alone=first)
    assert before.has_it.wait(timeout=30)
    after = Took(turns, alone=second)

    assert not after.has_it.wait(timeout=0.2)
    before.gives_back()
    assert after.has_it.wait(timeout=30)
    after.gives_back()


def test_what_is_done_once_is_not_done_again(tmp_path: Path) -> None:
    """Neither by this process nor by another one of the same run."""
    with Turns(tmp_path).once("control") as first:
        pass
    with Turns(tmp_path).once("control") as again:
        pass
    with Turns(tmp_path).once("other") as other:
        pass

    assert (first, again, other) == (True, False, True)


def test_what_has_failed_is_done_again(tmp_path: Path) -> None:
    """A control that lost nothing proves nothing, to nobody."""
    turns = Turns(tmp_path)
    with suppress(RuntimeError), turns.once("control"):
        raise RuntimeError

    with turns.once("control") as wanted:
        assert wanted
