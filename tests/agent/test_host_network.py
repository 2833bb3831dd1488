"""Two agents side by side in one network namespace, as on a node, with real sockets."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest

from lossless.model import names
from lossless.model.counters import Prometheus
from lossless.model.drain.agent_config import AgentConfig
from lossless.model.drain.hold_path import AskedHold, hold_path
from lossless.model.phases import Phase
from lossless.model.report import parse_report
from tests.agent.builders import a_config
from tests.agent.processes import AgentProcess
from tests.agent.test_process import get, serves
from tests.support.free_ports import free_port
from tests.support.waiting import eventually_sync

PAGE = b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\nConnection: close\r\n\r\nin_flight 0\n"


@pytest.fixture
def ports() -> tuple[int, int]:
    """Return two ports for two agents."""
    return free_port(), free_port()


def on_node(port: int, served: int, key: str, timeout: float = 60.0) -> AgentConfig:
    """Return what the agent of a pod on the node's network is told."""
    config = a_config(ports=(served,), agent_port=port, quiet=0.5, timeout=timeout)
    return replace(config, host_network=True, hold_key=key)


@contextmanager
def server(serve: Callable[[socket.socket], object]) -> Iterator[int]:
    """Serve connections on a port of loopback, one after the other."""

    def accept() -> None:
        while True:
            try:
                serve(listener.accept()[0])
            except OSError:
                return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def answer(asker: socket.socket) -> None:
    """Answer one question with the page of metrics."""
    with asker:
        asker.recv(65536)
        asker.sendall(PAGE)


def test_each_sees_only_the_connections_of_its_own_pod(
    tmp_path: Path, ports: tuple[int, int]
) -> None:
    """A loopback client is a client there; it holds the pod that it is connected to, no other."""
    kept: list[socket.socket] = []
    with ExitStack() as stack:
        web, api = (stack.enter_context(server(kept.append)) for _ in range(2))
        first, second = (
            stack.enter_context(AgentProcess(tmp_path / key, on_node(port, served, key)))
            for key, port, served in (("a", ports[0], web), ("b", ports[1], api))
        )
        client = stack.enter_context(socket.create_connection(("127.0.0.1", web)))
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        for port in ports:
            eventually_sync(serves(port))
        for agent in (first, second):
            agent.drain()

        report = second.result()
        assert (report.phase, report.connections.active) == (Phase.DRAINED, 0)
        seen = parse_report(get(ports[0], names.REPORT_PATH)[1], uid="u-1")
        assert (seen.phase, seen.connections.active) == (Phase.DRAINING, 1)
        for one in kept:
            stack.enter_context(one)


def test_a_hold_for_another_pod_is_not_answered(tmp_path: Path, ports: tuple[int, int]) -> None:
    """Its own agent has not got the port; the one that has it must not end that container."""
    port, served = ports
    with ExitStack() as stack:
        stack.enter_context(AgentProcess(tmp_path / "a", on_node(port, served, "a")))
        eventually_sync(serves(port))
        late = stack.enter_context(AgentProcess(tmp_path / "b", on_node(port, served, "b")))
        eventually_sync(lambda: "cannot listen" in late.log)
        late.drain()

        asked = time.monotonic()
        status, body = get(port, hold_path(AskedHold("app", "b", 2)))
        assert time.monotonic() - asked >= 2
        assert (status, body) == (200, b"this is another pod's agent\n")
        assert get(port, hold_path(AskedHold("app", "a", 60)))[1] == b"not draining\n"

        report = late.result()
        assert report.phase is Phase.DRAINED
        assert f"port {port}: " in report.reason
        assert names.AGENT_PORT_ANNOTATION in report.reason


def test_its_own_questions_hold_nothing(tmp_path: Path) -> None:
    """A counter on the very port that clients use is asked at each look, over loopback."""
    with server(answer) as served:
        config = replace(
            on_node(free_port(), served, "a"), metrics=(Prometheus(served, "in_flight"),)
        )
        with AgentProcess(tmp_path, config) as agent:
            agent.drain()
            report = agent.result()

    assert (report.phase, report.connections.new) == (Phase.DRAINED, 0)
