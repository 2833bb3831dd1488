"""Which new connections are clients, and which may be the kubelet's probes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossless.model.drain.agent_config import Probe
from lossless.model.drain.arrivals import Arrival, newest_client

NOW = 100.0
SLOW = Probe(port=80, period=10.0, timeout=1.0)
FAST = Probe(port=80, period=1.0, timeout=1.0)
OTHER = Probe(port=81, period=10.0, timeout=1.0)


def short(at: float, port: int | None = 80) -> Arrival:
    """Return a connection that was seen once."""
    return Arrival(at, port, at)


@pytest.mark.parametrize(
    ("arrivals", "probes", "expected"),
    [
        pytest.param([], [SLOW], None, id="nobody"),
        pytest.param([short(99.0)], [SLOW], None, id="one-probe"),
        pytest.param([short(98.0), short(99.0)], [SLOW], 99.0, id="a-second-within-the-period"),
        pytest.param([short(99.0)], [], 99.0, id="no-probe-is-configured"),
        pytest.param([short(99.0, 82)], [SLOW], 99.0, id="a-port-without-a-probe"),
        pytest.param(
            [short(97.1), short(98.1), short(99.1), short(99.9)], [FAST], None, id="every-second"
        ),
        pytest.param(
            [short(97.1), short(97.6), short(98.1), short(99.1), short(99.9)],
            [FAST],
            99.9,
            id="every-second-and-one-more",
        ),
        pytest.param([short(98.0), short(99.0)], [SLOW, SLOW], None, id="two-probes-of-one-port"),
        pytest.param([short(98.0), short(99.0, 81)], [SLOW, OTHER], None, id="a-probe-each"),
        pytest.param([short(90.0), short(99.0)], [SLOW], None, id="the-older-is-out-of-the-window"),
        pytest.param([Arrival(98.0, 80, 98.9)], [SLOW], None, id="open-for-less-than-its-timeout"),
        pytest.param([Arrival(98.0, 80, 99.0)], [SLOW], 98.0, id="open-for-its-timeout"),
        pytest.param(
            [Arrival(20.0, 80, NOW), short(99.0)], [SLOW], 20.0, id="an-old-client-is-not-a-new-one"
        ),
        pytest.param([short(99.0, None)], [SLOW], None, id="an-unseen-one-may-be-the-probe"),
        pytest.param(
            [short(98.0), short(99.0, None)], [SLOW], None, id="what-a-proxy-opens-for-the-probe"
        ),
        pytest.param(
            [short(98.0), short(98.5, None), short(99.0, None)],
            [SLOW],
            99.0,
            id="an-unseen-one-beside-that",
        ),
        pytest.param(
            [short(98.0), short(99.0, None)], [SLOW, OTHER], None, id="an-unseen-probe-elsewhere"
        ),
        pytest.param([short(99.0, None)], [], 99.0, id="an-unseen-one-without-any-probe"),
    ],
)
def test_who_is_a_client(
    arrivals: list[Arrival], probes: list[Probe], expected: float | None
) -> None:
    """Quiet is three seconds in all of them."""
    assert newest_client(arrivals, probes, 3.0, NOW) == expected


@given(
    st.floats(min_value=1.0, max_value=30.0),
    st.floats(min_value=0.0, max_value=1.0),
    st.floats(min_value=0.5, max_value=60.0),
)
def test_probes_alone_never_disturb(period: float, phase: float, quiet: float) -> None:
    """However the kubelet's clock stands to ours."""
    arrivals = [short(NOW - period * (number + phase)) for number in range(200)]

    assert newest_client(arrivals, [Probe(80, period, 1.0)], quiet, NOW) is None


@given(
    st.integers(min_value=1, max_value=30),
    st.integers(min_value=1, max_value=60),
    st.integers(min_value=1, max_value=5),
)
def test_a_client_beside_the_probes_is_noticed(period: int, quiet: int, times: int) -> None:
    """If it comes ``times`` more often than the probe, and twice in a window or more."""
    gap = min(period / (times + 1), quiet / 3)
    arrivals = [short(NOW - gap * (number + 0.5)) for number in range(int(quiet / gap) + 1)]
    arrivals += [short(NOW - period * (number + 0.5)) for number in range(int(quiet / period) + 1)]

    assert newest_client(arrivals, [Probe(80, period, 1.0)], quiet, NOW) is not None
