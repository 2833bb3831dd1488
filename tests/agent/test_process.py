"""The agent as a process: what the kubelet, a load balancer and a scraper see of it."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from lossless.model import names
from lossless.model.counters import Prometheus
from lossless.model.drain.hooks import HttpHook
from lossless.model.phases import Phase
from lossless.model.report import parse_report
from tests.agent.builders import a_config
from tests.agent.processes import OPERATOR, AgentProcess
from tests.support.free_ports import free_port
from tests.support.waiting import eventually_sync


@pytest.fixture
def port() -> int:
    """Return a port for the agent."""
    return free_port()


def get(port: int, path: str, timeout: float = 20.0) -> tuple[int, bytes]:
    """Return status and body of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def serves(port: int) -> Callable[[], bool]:
    """Return a condition: the agent answers."""

    def healthy() -> bool:
        try:
            return get(port, names.HEALTH_PATH, 1.0)[0] == 200
        except OSError:
            return False

    return healthy


def test_the_life_of_a_pod(tmp_path: Path, port: int) -> None:
    """From its status file to its last words, as everybody around it sees them."""
    config = a_config(quiet=0.5, propagation=0.5, agent_port=port)
    with AgentProcess(tmp_path, config) as agent:
        assert agent.status_file.exists()
        eventually_sync(serves(port))
        assert get(port, names.STATUS_FLAG_PATH) == (200, b"Serving\n")
        assert parse_report(get(port, names.REPORT_PATH)[1], uid="u-1").phase is Phase.SERVING
        assert b"lossless_agent_draining 0" in get(port, names.METRICS_PATH)[1]

        answers: list[tuple[int, bytes]] = []
        hold = threading.Thread(target=lambda: answers.append(get(port, names.HOLD_PATH)))
        hold.start()
        assert agent.drain().startswith("ok started")
        assert not agent.status_file.exists()
        assert get(port, names.STATUS_FLAG_PATH) == (503, b"Draining\n")
        assert agent.drain().startswith("ok joined: Draining")
        hold.join(20)

        ((status, body),) = answers
        report = parse_report(body, uid="u-1")
        assert (status, report.phase, report.pod) == (200, Phase.DRAINED, "web-1")
        assert 0.5 <= report.seconds < 10
        assert agent.last_words() == report
        assert get(port, names.HOLD_PATH, 1.0) == (status, body)
        assert agent.stop() == 0
        assert agent.last_words() == report

    events = [json.loads(line)["event"] for line in agent.log.splitlines()]
    assert events == [
        "started",
        "listening",
        "drain started",
        "draining",
        "drain joined",
        "drain ended",
        "stopped",
    ]


def test_a_containers_own_hook_and_status_file(tmp_path: Path, port: int) -> None:
    """Its preStop request is sent when the drain starts, and its status file goes with ours."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as app:
        config = a_config(
            quiet=0.3,
            agent_port=port,
            status_files=(names.STATUS_FILE, "/status/on"),
            hooks=(HttpHook("app", app.getsockname()[1], "/bye"),),
            file_holds=("log",),
        )

        def serve() -> None:
            connection, _ = app.accept()
            with connection:
                heard.append(connection.recv(4096))
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

        served = threading.Thread(target=serve)
        served.start()
        (tmp_path / "status").mkdir()
        with AgentProcess(tmp_path, config) as agent:
            eventually_sync(serves(port))
            assert (tmp_path / "status" / "on").exists()
            agent.drain()
            assert not (tmp_path / "status" / "on").exists()
            status, body = get(port, f"{names.HOLD_PATH}/app")
            served.join(20)
            released = tmp_path / f"{names.RELEASED_FILE[1:]}.log"
            eventually_sync(released.exists, "the file that lets the other container go")
            assert agent.stop() == 0

    assert heard[0].startswith(b"GET /bye HTTP/1.1\r\n")
    assert (status, parse_report(body, uid="u-1").phase) == (200, Phase.DRAINED)


def test_a_liveness_restart_is_hardly_delayed(tmp_path: Path, port: int) -> None:
    """The hold of the restarted container is answered after its grace, and nothing has changed."""
    with AgentProcess(tmp_path, a_config(agent_port=port)) as agent:
        eventually_sync(serves(port))
        begun = time.monotonic()

        assert get(port, names.HOLD_PATH) == (200, b"not draining\n")
        assert 4 < time.monotonic() - begun < 10
        assert agent.status_file.exists()
        assert agent.stop() == 0

    report = agent.last_words()
    assert report is not None
    assert report.phase is Phase.SERVING


def test_an_agent_that_was_killed_joins_its_own_drain(tmp_path: Path, port: int) -> None:
    """Same start, same deadline; and the status file stays away."""
    config = a_config(quiet=60.0, timeout=600.0, agent_port=port)
    with AgentProcess(tmp_path, config) as agent:
        agent.drain()
        started = json.loads(agent.marker.read_text())["started"]
        agent.stop(signal.SIGKILL)
        agent.start()
        eventually_sync(serves(port))

        assert json.loads(agent.marker.read_text())["started"] == started
        assert not agent.status_file.exists()
        report = parse_report(get(port, names.REPORT_PATH)[1], uid="u-1")
        now = time.clock_gettime(time.CLOCK_BOOTTIME)
        assert report.phase is Phase.DRAINING
        assert report.seconds == pytest.approx(now - started, abs=2.0)
        assert agent.stop() == 0

    report_left = agent.last_words()
    assert report_left is not None
    assert report_left.phase is Phase.DRAINING
    assert report_left.reason.startswith("stopped while draining: ")


def test_a_broken_configuration_does_not_keep_the_agent_from_running(tmp_path: Path) -> None:
    """It drains by default values, and says so."""
    with AgentProcess(tmp_path, "{") as agent:
        eventually_sync(lambda: "started" in agent.log)

        assert agent.status_file.exists()
        assert "LOSSLESS_CONFIG: Expecting" in agent.log
        assert agent.drain() == "ok started: at most 5m"


def test_a_port_that_is_taken_does_not_keep_it_from_running(tmp_path: Path, port: int) -> None:
    """The drain can still be started, and HTTP comes when the port is free."""
    with contextlib.ExitStack() as stack:
        taken = stack.enter_context(socket.create_server(("127.0.0.1", port)))
        agent = stack.enter_context(AgentProcess(tmp_path, a_config(agent_port=port)))
        eventually_sync(lambda: "cannot listen" in agent.log)
        assert agent.drain().startswith("ok started")

        taken.close()
        eventually_sync(serves(port))


def test_without_any_writable_directory_it_still_drains(tmp_path: Path, port: int) -> None:
    """Both volumes are full or gone; the hold works by HTTP alone."""
    config = a_config(quiet=0.1, agent_port=port)
    agent = AgentProcess(tmp_path, config)
    agent.status_file.parent.rmdir()
    with agent:
        eventually_sync(serves(port))
        assert "cannot create" in agent.log
        agent.drain()

        assert agent.result().phase is Phase.DRAINED


def test_it_leaves_at_once_even_while_it_starts(tmp_path: Path) -> None:
    """As process 1 of its container it would ignore a SIGTERM that it does not handle."""
    agent = AgentProcess(tmp_path, a_config())
    agent.control.parent.rmdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "lossless.agent"],
        env={**os.environ, "PYTHONPATH": str(OPERATOR), "LOSSLESS_PREFIX": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    eventually_sync(agent.status_file.exists)
    process.terminate()

    assert process.wait(10) == 0


def test_it_leaves_at_once_when_it_cannot_run(tmp_path: Path) -> None:
    """The event loop has left SIGTERM to its default, which process 1 ignores."""
    config = replace(a_config(), metrics=(Prometheus(9100, "in_flight"),))
    agent = AgentProcess(tmp_path, config)
    # Descriptors for the event loop, and none for the module that a counter needs then.
    shell = ["/bin/sh", "-c", 'ulimit -n 6 && exec "$@"', "sh"]
    process = subprocess.Popen(  # noqa: S603 # this interpreter, this package
        [*shell, sys.executable, *names.AGENT_COMMAND[1:]],
        env=agent.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        assert process.stderr is not None
        assert b"the agent cannot run: OSError" in process.stderr.readline()
        process.terminate()

        assert process.wait(10) == 0
    finally:
        process.kill()
        process.communicate()


def test_it_imports_no_more_than_it_needs(tmp_path: Path) -> None:
    """Each module is paid for in every pod."""
    code = (
        "import sys; sys.modules['ssl'] = None; import lossless.agent.runtime;"
        "print(*sorted({name.partition('.')[0] for name in sys.modules} | {*sys.modules}))"
    )
    out = subprocess.run(  # noqa: S603 # this interpreter, the text above
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(OPERATOR), *sys.path[1:]])},
        cwd=tmp_path,
        capture_output=True,
        check=True,
    ).stdout.decode()
    costly = {"aiohttp", "kopf", "kubernetes", "structlog", "prometheus_client", "http", "email"}
    costly |= {
        "ssl_",
        "_ssl",
        "pathlib",
        "ipaddress",
        "urllib",
        "argparse",
        "uuid",
        "multiprocessing",
    }
    # Only where a hook, a driver or a counter is configured.
    costly |= {f"lossless.agent.{name}" for name in ("closing", "counting", "haproxy")}
    costly |= {"lossless.agent.http_client"}

    assert costly.isdisjoint(out.split())
