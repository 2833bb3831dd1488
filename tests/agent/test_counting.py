"""Counters are asked all at once, on real sockets; whatever goes wrong is unknown, never zero."""

import time
from pathlib import Path
from typing import Any

import pytest

from lossless.agent.clock import Clock
from lossless.agent.counting import Counting
from lossless.model.counters import (
    Counter,
    EnvoyStats,
    HaproxyStats,
    NginxStatus,
    Prometheus,
    ZeroMeans,
)
from tests.agent.programs import ok, program
from tests.agent.test_counter_pages import ENVOY_STATS, HAPROXY_STATS, STUB_STATUS
from tests.support.free_ports import free_port


class Watch:
    """A clock that a test moves, and a log that it reads."""

    def __init__(self) -> None:
        """Begin at some time."""
        self.now = 100.0
        self.events: list[dict[str, Any]] = []

    def counting(self, *counters: Counter, patience: float = 5.0, **where: Any) -> Counting:
        """Return what asks ``counters``."""
        return Counting(
            counters,
            clock=Clock(boot=lambda: self.now),
            log=lambda _event, **fields: self.events.append(fields),
            patience=patience,
            **where,
        )


async def test_a_socket_that_no_volume_brings_is_unknown() -> None:
    """And never zero: the drain waits for it, and says what for."""
    counting = Watch().counting(HaproxyStats("/h.sock"), out_of_reach=("/h.sock",))
    (reading,) = await counting.read(9.0)

    assert reading.value is None
    assert reading.problem.startswith("no volume of the pod brings /h.sock to the agent")


async def test_every_kind_is_asked(tmp_path: Path) -> None:
    """Each in its own way, all at once."""
    async with (
        program(ok(STUB_STATUS.encode())) as nginx,
        program(ok(ENVOY_STATS.encode())) as envoy,
        program(HAPROXY_STATS.encode(), path=tmp_path / "h.sock"),
        program(HAPROXY_STATS.encode()) as haproxy,
        program(ok(b"open 4\n")) as app,
    ):
        counting = Watch().counting(
            NginxStatus(nginx.port, "/s"),
            EnvoyStats(envoy.port),
            HaproxyStats("/h.sock"),
            HaproxyStats(port=haproxy.port),
            Prometheus(app.port, "open", zero_means=ZeroMeans.NO_CONNECTIONS),
            prefix=str(tmp_path),
        )
        readings = await counting.read(9.0)

    assert [reading.busy for reading in readings] == [
        f"nginxStatus on port {nginx.port}: 2 requests in flight (idle connections: 7)",
        f"envoyStats on port {envoy.port}: 3 requests in flight (connections: 5)",
        "haproxyStats at /h.sock: 3 requests in flight (connections: 4)",
        f"haproxyStats on port {haproxy.port}: 3 requests in flight (connections: 4)",
        f"prometheus open on port {app.port}: 4 connections in flight (series: 1)",
    ]
    assert nginx.heard[0].startswith(b"GET /s HTTP/1.1\r\n")
    assert b"usedonly" not in envoy.heard[0]
    assert haproxy.heard == [b"show stat -1 3 -1\n"]


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        pytest.param(None, "no answer within 1 s", id="hangs"),
        pytest.param(b"", "closed without an answer", id="closes"),
        pytest.param(ok(b"", "404 Not Found"), "HTTP 404 from /nginx_status", id="not-there"),
        pytest.param(ok(b"<html>"), "not a stub_status page: '<html>'", id="nonsense"),
        pytest.param(ok(b"\xff\xfe"), "not a stub_status page", id="no-text"),
        pytest.param(ok(99_999 * b"x"), "longer than 65536 bytes", id="endless"),
    ],
)
async def test_what_cannot_be_read_is_unknown(answer: bytes | None, problem: str) -> None:
    """With its cause, and for how long."""
    watch = Watch()
    async with program(ok(STUB_STATUS.encode()), answer) as nginx:
        counting = watch.counting(NginxStatus(nginx.port), patience=1.0 if answer is None else 10.0)
        watch.now += 5
        (first,) = await counting.read(9.0)
        watch.now += 4
        (second,) = await counting.read(9.0)

    assert (first.value, first.unknown) == (2, "")
    assert (second.value, second.busy) == (None, "")
    assert second.unknown.startswith(f"nginxStatus on port {nginx.port} cannot be read for 4s: ")
    assert problem in second.problem


async def test_a_program_that_is_gone_is_unknown() -> None:
    """Its port is closed, which says nothing about requests; told once in the log."""
    watch = Watch()
    port = free_port()
    counting = watch.counting(EnvoyStats(port))
    await counting.read(9.0)
    await counting.read(9.0)
    (reading,) = await counting.read(9.0)

    assert (reading.value, reading.problem) == (None, "Connection refused")
    assert watch.events == [
        {"source": f"envoyStats on port {port}", "problem": "Connection refused"}
    ]


async def test_one_that_hangs_holds_up_no_other() -> None:
    """And takes no more than what is left of the drain."""
    async with program(None) as silent, program(ok(STUB_STATUS.encode())) as nginx:
        counting = Watch().counting(NginxStatus(silent.port), NginxStatus(nginx.port))
        begun = time.monotonic()
        hung, read = await counting.read(1.0)
        took = time.monotonic() - begun

    assert (hung.value, read.value) == (None, 2)
    assert took < 4
