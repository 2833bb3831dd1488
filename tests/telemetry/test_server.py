"""Metrics and probes over HTTP, as controller and webhook serve them."""

import aiohttp
import pytest
from prometheus_client import CollectorRegistry, Gauge

from lossless.telemetry.server import Probe, serving

WELL = Probe.of("")


@pytest.mark.parametrize(
    ("path", "healthy", "ready", "expected"),
    [
        pytest.param("/healthz", WELL, WELL, (200, "ok"), id="well"),
        pytest.param("/healthz", WELL, Probe.of("not yet"), (200, "ok"), id="unready is healthy"),
        pytest.param("/healthz", Probe.of("it hangs"), WELL, (503, "it hangs"), id="unhealthy"),
        pytest.param("/readyz", WELL, WELL, (200, "ok"), id="ready"),
        pytest.param("/readyz", WELL, Probe.of("not yet"), (503, "not yet"), id="unready"),
        pytest.param(
            "/readyz", WELL, Probe(well=True, text="a: ok\n"), (200, "a: ok\n"), id="parts"
        ),
        pytest.param("/metrics", WELL, WELL, (200, "pods 3.0"), id="metrics"),
        pytest.param("/", WELL, WELL, (404, "404"), id="nothing else"),
    ],
)
async def test_each_path_says_what_it_is_for(
    path: str, healthy: Probe, ready: Probe, expected: tuple[int, str]
) -> None:
    """A status code for the kubelet, and a sentence for people."""
    registry = CollectorRegistry()
    Gauge("pods", "Pods.", registry=registry).set(3)
    async with (
        serving(
            registry, healthy=lambda: healthy, ready=lambda: ready, host="127.0.0.1", port=0
        ) as port,
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}{path}") as answer,
    ):
        found = answer.status, await answer.text()

    assert found[0] == expected[0]
    assert expected[1] in found[1]


async def test_a_port_that_is_taken_is_an_error() -> None:
    """A process that nobody can probe or scrape must not look as if it ran."""

    def well() -> Probe:
        return WELL

    registry = CollectorRegistry()
    async with serving(registry, healthy=well, ready=well, host="127.0.0.1", port=0) as port:
        with pytest.raises(OSError, match="address already in use"):
            async with serving(registry, healthy=well, ready=well, host="127.0.0.1", port=port):
                pass
