"""The agent as a process, with programs beside it that it tells and asks."""

import asyncio
import signal
from dataclasses import replace
from pathlib import Path

from lossless.model.close_drivers import FileClose, HttpClose
from lossless.model.counters import Prometheus
from lossless.model.phases import Phase
from lossless.model.report import DriverState, SourceState
from tests.agent.builders import a_config
from tests.agent.processes import AgentProcess
from tests.agent.programs import ok, program
from tests.support.free_ports import free_port
from tests.support.waiting import eventually


async def test_a_drain_tells_and_asks(tmp_path: Path) -> None:
    """The application is called once, and asked until nothing is in flight."""
    async with (
        program(ok()) as told,
        program(ok(b"in_flight 1\n"), ok(b"in_flight 1\n"), ok(b"in_flight 0\n")) as asked,
    ):
        config = replace(
            a_config(ports=(1,), quiet=0.5, agent_port=free_port()),
            close=(HttpClose(told.port, "/leave"), FileClose("/status/on")),
            metrics=(Prometheus(asked.port, "in_flight"),),
        )
        with AgentProcess(tmp_path, config) as agent:
            on = tmp_path / "status/on"
            on.parent.mkdir()
            on.touch()
            assert not told.heard
            assert not asked.heard
            await asyncio.to_thread(agent.drain)
            report = await asyncio.to_thread(agent.result)
            assert not on.exists()

    assert (report.phase, report.reason) == (Phase.DRAINED, "no connection left")
    assert {one.state for one in report.drivers} == {DriverState.DONE}
    assert [one.state for one in report.sources] == [SourceState.DRAINED] * 2
    assert len(told.heard) == 1
    assert len(asked.heard) >= 5


async def test_an_agent_that_was_killed_tells_again(tmp_path: Path) -> None:
    """Nobody knows how far it had come; a driver that failed is in its last words."""
    async with program(ok()) as told:
        config = replace(
            a_config(ports=(1,), quiet=0.5, timeout=4.0, agent_port=free_port()),
            close=(HttpClose(told.port), HttpClose(free_port(), retries=0)),
            metrics=(Prometheus(free_port(), "in_flight"),),
        )
        with AgentProcess(tmp_path, config) as agent:
            await asyncio.to_thread(agent.drain)
            await eventually(lambda: len(told.heard) == 1)
            await asyncio.to_thread(agent.stop, signal.SIGKILL)
            await asyncio.to_thread(agent.start)
            await eventually(lambda: len(told.heard) == 2)
            report = await asyncio.to_thread(agent.result)

    assert report.phase is Phase.TIMED_OUT
    assert [one.state for one in report.drivers] == [DriverState.DONE, DriverState.FAILED]
    assert report.drivers[1].reason == "Connection refused (1 attempt of 1)"
    assert "cannot be read" in report.reason
