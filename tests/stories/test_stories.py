"""What stories took and counted reaches whoever prints it, from any process."""

import json
import threading
import time

import pytest

from e2e.support import seconds
from e2e.support.seconds import Step, spent_on
from e2e.support.stories import Count, Story, requests_table, seconds_table
from e2e.support.together import side_by_side

TOLD = Story(
    name="a rollout",
    seconds=100.4,
    steps={Step.PODS.value: 20.0, Step.ROLLOUT.value: 50.0},
    counts=[Count("plain", 5000, {"reset": 3, "EOF": 1}), Count("lossless", 12345, {})],
)


def test_a_story_outlives_its_process() -> None:
    """It goes as JSON from a worker to whoever started it."""
    assert Story.parse(json.loads(json.dumps(TOLD.document()))) == TOLD


def test_seconds_are_shown_by_story_and_step() -> None:
    """The longest first, short ones in the sums only, and what no step counts as the rest."""
    table = seconds_table([Story("quick", 0.4), Story("short", 5.0), TOLD])

    rows = [line.split() for line in table.splitlines()]
    assert rows[0] == ["story", "seconds", *(step.value for step in Step), "else"]
    assert rows[2] == ["a", "rollout", "100", "0", "20", "50", "0", "0", "30"]
    assert rows[3][:2] == ["short", "5"]
    assert rows[4] == ["all", "3", "106", "0", "20", "50", "0", "0", "36"]


def test_requests_are_shown_by_claim() -> None:
    """Each with how many failed, and how."""
    lines = requests_table([TOLD]).splitlines()

    assert lines[2].split(maxsplit=4)[:4] == ["a", "rollout", "plain", "5,000"]
    assert "3\N{NO-BREAK SPACE}reset, 1\N{NO-BREAK SPACE}EOF" in lines[2]
    assert lines[3].split() == ["a", "rollout", "lossless", "12,345", "0"]


def test_a_step_within_another_counts_once() -> None:
    """What the inner one takes is not the outer one's."""
    seconds.taken()
    begun = time.monotonic()
    with spent_on(Step.ROLLOUT), spent_on(Step.LOAD):
        time.sleep(0.2)
    whole = time.monotonic() - begun
    found = seconds.taken()

    assert found[Step.LOAD] >= 0.2
    assert sum(found.values()) <= whole
    assert set(seconds.taken().values()) == {0.0}


def test_worlds_side_by_side_count_each() -> None:
    """Each waits for the other to be there, and both are counted."""
    seconds.taken()
    both = threading.Barrier(2)

    def a_world() -> int:
        with spent_on(Step.PODS):
            both.wait(timeout=30)
            time.sleep(0.1)
        return both.parties

    assert side_by_side(a_world, a_world) == (2, 2)
    assert seconds.taken()[Step.PODS] >= 0.2


def test_a_world_that_fails_fails_both() -> None:
    """Its error is what the story ends with, once the other one has ended, too."""
    ended = []

    def good() -> None:
        time.sleep(0.1)
        ended.append("good")

    def bad() -> None:
        raise ValueError("lost one")

    with pytest.raises(ValueError, match="lost one"):
        side_by_side(bad, good)

    assert ended == ["good"]
