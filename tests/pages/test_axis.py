"""The axis of time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossless.plugin.pages.axis import Axis


@given(st.floats(-60, 0), st.floats(0.5, 1e7))
def test_ticks_are_within_and_few(first: float, last: float) -> None:
    """There is one at least, for zero is within; never more than eleven."""
    axis = Axis(first, last, 0, 100)

    assert 1 <= len(axis.ticks) <= 11
    assert all(axis.holds(tick) for tick in axis.ticks)


@pytest.mark.parametrize(
    ("last", "ticks"),
    [(10, list(range(11))), (24, [0, 5, 10, 15, 20]), (400, [0, 60, 120, 180, 240, 300, 360])],
)
def test_ticks_are_what_people_count_in(last: float, ticks: list[float]) -> None:
    """Seconds by five, minutes by one."""
    assert list(Axis(0, last, 0, 100).ticks) == ticks


@pytest.mark.parametrize(("moment", "place"), [(-5, 10), (0, 10), (5, 60), (10, 110), (99, 110)])
def test_a_moment_is_drawn_within(moment: float, place: float) -> None:
    """What is outside stands at the edge."""
    assert Axis(0, 10, 10, 110).at(moment) == place
