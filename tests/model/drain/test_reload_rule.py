"""When nginx is reloaded once more in a drain."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossless.model.drain.drain_rule import Sample
from lossless.model.drain.reload_rule import Asked, is_due
from lossless.model.policy import DrainPolicy, IdleConnections

DISCARD = DrainPolicy(propagation=5.0, quiet=3.0, timeout=300.0)
WAIT = DrainPolicy(propagation=5.0, timeout=300.0, idle_connections=IdleConnections.WAIT)
START = 100.0
FIRST = Asked(1, START)


@pytest.mark.parametrize(
    ("sample", "now", "due"),
    [
        pytest.param(Sample(104.9, active=1, newest=102.0), 104.9, False, id="propagation"),
        pytest.param(Sample(105.0, active=1, newest=102.0), 105.0, True, id="somebody-came"),
        pytest.param(Sample(105.0, idle=1, newest=102.0), 105.0, True, id="and-is-idle"),
        pytest.param(Sample(105.0, newest=102.0), 105.0, False, id="and-is-gone"),
        pytest.param(Sample(105.0, active=1, newest=99.0), 105.0, False, id="told-by-the-first"),
        pytest.param(Sample(105.0, active=1), 105.0, False, id="nobody-came"),
        pytest.param(Sample(105.0, problem="no netlink"), 105.0, True, id="unknown-is-not-nobody"),
        pytest.param(Sample(104.0, problem="no netlink"), 104.0, False, id="unknown-too-early"),
    ],
)
def test_those_who_came_since_the_start_are_told(sample: Sample, now: float, *, due: bool) -> None:
    """After propagation, if any of them may be left."""
    assert is_due(sample, DISCARD, START, FIRST, now) is due


@pytest.mark.parametrize(("policy", "due"), [(DISCARD, False), (WAIT, True)], ids=("out", "in"))
def test_what_does_not_count_needs_no_reload(policy: DrainPolicy, *, due: bool) -> None:
    """Connections that were idle for clientIdleTimeout, if those are discarded."""
    sample = Sample(200.0, idle=1, expired=1, newest=101.0)
    assert is_due(sample, policy, START, FIRST, 200.0) is due


@pytest.mark.parametrize(
    ("number", "pause"), [pytest.param(n, 5 * 2 ** (n - 2), id=str(n)) for n in (2, 3, 4, 7)]
)
def test_whoever_comes_later_still_is_told_at_doubling_pauses(number: int, pause: float) -> None:
    """Each reload may leave a generation of workers behind."""
    asked = Asked(number, 110.0)
    late = Sample(0.0, active=1, newest=110.5)

    assert not is_due(late, DISCARD, START, asked, 110.0 + pause - 0.1)
    assert is_due(late, DISCARD, START, asked, 110.0 + pause)


@given(st.lists(st.floats(0, 300), max_size=50))
def test_nobody_is_left_untold_and_reloads_are_few(arrivals: list[float]) -> None:
    """Whenever clients come within 300 s and stay: a reload follows, and eight are enough."""
    asked, told = FIRST, [START]
    for second in range(650):
        now = START + second
        came = [START + at for at in arrivals if START + at <= now]
        sample = Sample(now, active=len(came), newest=max(came, default=None))
        if is_due(sample, DISCARD, START, asked, now):
            asked = Asked(asked.number + 1, now)
            told.append(now)

    assert all(told[-1] >= START + at for at in arrivals)
    assert len(told) <= 8
