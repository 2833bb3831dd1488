"""The history as a page."""

from dataclasses import replace

from lossless.model.status import MAX_HISTORY
from lossless.plugin.pages.history_page import history_page
from tests.pages.examples import a_history, past
from tests.pages.reading import read


def test_an_empty_history_says_so() -> None:
    """A page without rollouts is no mistake, and draws nothing."""
    reading = read(a_history(0))

    assert "No rollout was seen yet." in reading.words
    assert "figure" not in reading.tags


def test_every_rollout_has_its_section() -> None:
    """The one under way too; in words what went wrong, who paused it and who went on."""
    reading = read(a_history(MAX_HISTORY))

    assert reading.words.count("Revision ") == MAX_HISTORY + 1  # and a column of that name
    for words in (
        "under way for 1m15s",
        "1 pod timed out: stopped at its deadline, clients left.",
        "1 pod lost: gone without a result, its clients unknown.",
        "Paused: a drain timed out with clients left (DrainTimedOut).",
        "Resumed: 2027-01-15T08:02:00Z web",
        "Superseded: another revision was asked for with old pods left.",
    ):
        assert reading.words.count(words) >= 1, words


def test_drains_stand_with_their_rollouts() -> None:
    """Those of none are told apart, and those of which nothing is left are counted."""
    words = read(a_history()).words

    assert "drained 21.4s" in words
    assert "timed out 15s" in words
    assert "Drains outside of rollouts" in words
    assert "Of 3 drains there are no Events any more." in words


def test_without_the_right_to_see_events() -> None:
    """It says why single drains are missing, and does not say that their Events are gone."""
    words = read(history_page(replace(past(), drains=None))).words

    assert "You may not list Events here" in words
    assert "no Events any more" not in words
