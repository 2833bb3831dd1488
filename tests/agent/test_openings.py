"""The kernel's counter of accepted connections against those that were seen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossless.agent.openings import HANDSHAKE_PACKETS, Counters, Openings


def unseen(*looks: tuple[int, int, int]) -> list[int]:
    """Return the answers to looks of (counter, packets, seen)."""
    openings = Openings()
    return [openings.unseen(Counters(opens, packets), seen) for opens, packets, seen in looks]


@pytest.mark.parametrize(
    ("looks", "expected"),
    [
        pytest.param([(500, 9, 3)], [0], id="the-first-look-is-the-base"),
        pytest.param([(500, 0, 0), (500, 90, 0)], [0, 0], id="nobody"),
        pytest.param([(500, 0, 0), (502, 90, 2)], [0, 0], id="all-seen"),
        pytest.param([(500, 0, 0), (502, 90, 1)], [0, 1], id="one-not-seen"),
        pytest.param([(500, 7, 0), (502, 7, 0)], [0, 0], id="no-packet-came-in"),
        pytest.param([(500, 7, 0), (502, 8, 0)], [0, 0], id="one-packet-is-no-handshake"),
        pytest.param([(500, 7, 0), (505, 11, 0)], [0, 2], id="packets-for-two-of-five"),
        pytest.param(
            [(500, 0, 0), (500, 90, 1), (501, 91, 1)], [0, 0, 0], id="seen-before-it-was-counted"
        ),
        pytest.param(
            [(500, 0, 0), (500, 90, 1), (502, 91, 1)],
            [0, 0, 1],
            id="one-not-seen-beside-one-seen-early",
        ),
        pytest.param(
            [(500, 0, 0), (501, 90, 0), (501, 180, 0), (502, 270, 0)],
            [0, 1, 0, 1],
            id="each-is-told-once",
        ),
    ],
)
def test_what_nobody_saw(looks: list[tuple[int, int, int]], expected: list[int]) -> None:
    """Look by look; the counter is read before the sockets."""
    assert unseen(*looks) == expected


def test_after_a_restart_the_past_is_forgotten() -> None:
    """A drain begins with a base of its own."""
    openings = Openings()
    openings.unseen(Counters(500, 0), 0)
    openings.restart()

    assert openings.unseen(Counters(900, 5000), 0) == 0
    assert openings.unseen(Counters(901, 9000), 0) == 1


@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=30
    )
)
def test_every_unseen_connection_is_found_and_no_other(
    rounds: list[tuple[int, int, int]],
) -> None:
    """However many are seen in time, never seen, or seen between counter and sockets."""
    openings = Openings()
    opens, packets, seen, late, found, missed = 0, 0, 0, 0, 0, 0
    openings.unseen(Counters(opens, packets), seen)
    for in_time, never, early in rounds:
        opens += in_time + never + late
        seen += in_time + early
        packets += HANDSHAKE_PACKETS * (in_time + never + early)
        missed += never
        late = early
        found += openings.unseen(Counters(opens, packets), seen)
        assert found <= missed
    found += openings.unseen(Counters(opens + late, packets), seen)

    assert found == missed
