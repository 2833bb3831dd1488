"""Which counters are evidence: those that are named, and those that come with a close driver."""

import pytest

from lossless.model.close_drivers import (
    CloseDriver,
    EnvoyClose,
    FileClose,
    HaproxyClose,
    HttpClose,
    MiddlewareClose,
    NginxClose,
)
from lossless.model.counters import (
    Counter,
    EnvoyStats,
    HaproxyStats,
    NginxStatus,
    Prometheus,
    evidence_of,
)

_OPEN = Prometheus(9090, "open")


@pytest.mark.parametrize(
    ("close", "metrics", "expected"),
    [
        pytest.param((), (), (), id="nothing"),
        pytest.param((), (_OPEN,), (_OPEN,), id="only what is named"),
        pytest.param((EnvoyClose(9902),), (), (EnvoyStats(9902),), id="Envoy counts as well"),
        pytest.param(
            (HaproxyClose(socket="/run/h.sock"), HaproxyClose(port=9999)),
            (),
            (HaproxyStats(socket="/run/h.sock"), HaproxyStats(port=9999)),
            id="each HAProxy counts as well",
        ),
        pytest.param(
            (EnvoyClose(9901),),
            (_OPEN, EnvoyStats(9901)),
            (_OPEN, EnvoyStats(9901)),
            id="once, where it is named too",
        ),
        pytest.param(
            (EnvoyClose(9901),),
            (EnvoyStats(9902),),
            (EnvoyStats(9902), EnvoyStats(9901)),
            id="another Envoy is another count",
        ),
        pytest.param(
            (NginxClose(), HttpClose(7001), FileClose("/status/on"), MiddlewareClose()),
            (NginxStatus(8080),),
            (NginxStatus(8080),),
            id="those that do not count",
        ),
    ],
)
def test_a_proxy_that_is_told_is_also_asked(
    close: tuple[CloseDriver, ...], metrics: tuple[Counter, ...], expected: tuple[Counter, ...]
) -> None:
    """What is named comes first and is never asked twice."""
    assert evidence_of(close, metrics) == expected
