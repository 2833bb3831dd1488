"""What the agent is told of close drivers and counters."""

from lossless.model.close_drivers import FileClose, HaproxyClose
from lossless.model.counters import EnvoyStats, HaproxyStats, Prometheus
from tests.injection.pods import config_of, injected, pod


def test_drivers_and_counters_reach_the_agent() -> None:
    """As the spec names them, defaults filled in; a proxy that is told is also asked."""
    config = config_of(
        injected(
            pod(),
            close=[{"haproxy": {"port": 9999}}, {"file": {"path": "/status/on"}}],
            metrics=[{"envoyStats": {}}, {"prometheus": {"port": 9090, "metric": "open"}}],
        )
    )

    assert config.close == (HaproxyClose(port=9999), FileClose("/status/on"))
    assert config.metrics == (EnvoyStats(), Prometheus(9090, "open"), HaproxyStats(port=9999))
    assert config.problems == ()
