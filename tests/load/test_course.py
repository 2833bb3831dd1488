"""The course of a run: counts by the step."""

from hypothesis import given
from hypothesis import strategies as st

from e2e.load.course import CourseTally

MOMENTS = st.lists(st.floats(0, 30))


@given(MOMENTS, MOMENTS)
def test_nothing_is_counted_twice_or_not_at_all(answers: list[float], losses: list[float]) -> None:
    """Whatever happens falls into one step; all rows are of one length."""
    tally = CourseTally()
    for at in answers:
        tally.answered(at)
    for at in losses:
        tally.failed(at)
    course = tally.course(30)

    assert (sum(course.answered), sum(course.failed)) == (len(answers), len(losses))
    assert len(course.answered) == len(course.failed)


def test_connections_come_and_go() -> None:
    """Each row says how many are open when a step ends."""
    tally = CourseTally()
    tally.opened("a", 0.0)
    tally.opened("a", 0.15)
    tally.opened("b", 0.15)
    tally.closed("a", 0.35)

    course = tally.course(0.45)
    assert course.connections == {"a": (1, 2, 2, 1, 1), "b": (0, 1, 1, 1, 1)}
