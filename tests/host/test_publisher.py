"""Runs on one host, with real programs, sockets and files: well, badly, and interrupted."""

import asyncio
import re
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lossless.host.exits import Exit
from lossless.host.journal import Outcome
from lossless.host.plan import Step, Verb
from lossless.host.signals import Interrupts
from lossless.host.standing import State
from lossless.host.work import left
from lossless.model.report import Connections
from tests.host.machine import ADDRESS, Balancer, Machine, a_publisher
from tests.support.waiting import eventually

elsewhere = pytest.mark.skipif(
    ADDRESS == "127.0.0.1", reason="no address but loopback, which never counts"
)


@contextmanager
def busy(machine: Machine) -> Iterator[socket.socket]:
    """Be a client whose request is in flight for as long as it is."""
    with socket.create_connection((ADDRESS, machine.port)) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        client.recv(4096)
        yield client


async def publish_held_by_a_client(machine: Machine) -> None:
    """Publish, and see that nothing is stopped before the client has left."""
    with busy(machine):
        publish = asyncio.ensure_future(machine.run())
        await eventually(lambda: not machine.flag.exists())
        await asyncio.sleep(1.0)
        assert machine.did == []
    assert await publish == Exit.OK


def correct(machine: Machine) -> None:
    """Put right what a test has broken in the configuration."""
    good = {
        'stop = "': f'stop = "{machine.root}/stop app"',
        'start = "': f'start = "{machine.root}/start app {machine.app_port}"',
        'timeout = "1s"': 'timeout = "5s"',
    }
    machine.path.write_text(
        "\n".join(
            next((text for wrong, text in good.items() if line.startswith(wrong)), line)
            for line in machine.path.read_text().splitlines()
        )
    )


@elsewhere
async def test_a_publish(tmp_path: Path) -> None:
    """In the order of the table; the flag is back as it was, and traffic was seen."""
    with Machine(tmp_path, traffic="10s") as machine, Balancer(machine):
        machine.flag.chmod(0o640)
        assert await machine.run() == Exit.OK

        assert machine.did == ["stop proxy", "stop app", "start app", "start proxy"]
        assert machine.flag.read_text() == "serving"
        assert machine.flag.stat().st_mode & 0o777 == 0o640
        assert machine.journal.outcome is Outcome.ONLINE
        assert "a new connection has come" in machine.said.getvalue()
        assert (await machine.standing()).state is State.SERVING


@elsewhere
async def test_a_client_holds_the_publish(tmp_path: Path) -> None:
    """Until it leaves; nothing is stopped before."""
    with Machine(tmp_path) as machine:
        await publish_held_by_a_client(machine)
        assert machine.did[0] == "stop proxy"


@elsewhere
@pytest.mark.parametrize(
    ("on_timeout", "code", "outcome", "stopped"),
    [
        pytest.param("Pause", Exit.CLIENTS_LEFT, Outcome.BACK, False, id="pause-goes-back"),
        pytest.param("Continue", Exit.OK, Outcome.ONLINE, True, id="continue-goes-on"),
    ],
)
async def test_clients_that_never_leave(
    tmp_path: Path, on_timeout: str, code: Exit, outcome: Outcome, *, stopped: bool
) -> None:
    """As the policy says; and who held on is named."""
    with (
        Machine(tmp_path, timeout="1s", on_timeout=on_timeout) as machine,
        busy(machine) as client,
    ):
        assert await machine.run() == code
        assert machine.journal.outcome is outcome
        assert bool(machine.did) is stopped
        assert machine.flag.exists()
        # Whether it counts as idle yet, and how late the deadline is seen, is the machine's affair.
        host, port = map(str, client.getsockname())
        told = rf"after \ds: 1 connection: 1 (idle|active); oldest {re.escape(host)}:{port}"
        assert re.search(told, machine.said.getvalue()), machine.said.getvalue()


@elsewhere
async def test_clients_left_on_a_host_that_cannot_be_put_back_are_a_failure(
    tmp_path: Path,
) -> None:
    """Exit code 3 says that the host is online again; this one is left out."""
    with Machine(tmp_path, timeout="1s", ready="1s") as machine, busy(machine):
        machine.stop("app")

        assert await machine.run() == Exit.FAILED
        assert machine.journal.outcome is Outcome.STRANDED
        assert not machine.flag.exists()
        assert "and it could not be put back: the application is not" in machine.journal.reason


@elsewhere
async def test_clients_left_on_a_host_that_was_offline_are_a_failure(tmp_path: Path) -> None:
    """It goes back offline, which is not what 3 says either."""
    with Machine(tmp_path, timeout="1s") as machine:
        assert await machine.run(Verb.OFFLINE) == Exit.OK
        with busy(machine):
            assert await machine.run() == Exit.FAILED
        assert machine.journal.outcome is Outcome.OFFLINE
        assert not machine.flag.exists()


@pytest.mark.parametrize(
    ("dead", "words"),
    [
        pytest.param("app", "its application has not answered as expected: start it", id="app"),
        pytest.param("proxy", "its proxy could not be started: start it", id="proxy"),
    ],
)
async def test_an_online_that_fails_on_a_host_in_traffic_does_not_say_that_it_is_out(
    tmp_path: Path, dead: str, words: str
) -> None:
    """The status file was there all along, so clients are hurt right now."""
    with Machine(tmp_path, ready="1s") as machine:
        machine.stop(dead)
        (tmp_path / "start").write_text("#!/bin/sh\nexit 1\n")

        assert await machine.run(Verb.ONLINE) == Exit.FAILED
        said = machine.said.getvalue()
        assert f"The host is in the load balancer all the same ({machine.flag} is there)" in said
        assert words in said
        assert "out of the load balancer" not in said
        assert (await machine.standing()).state is State.DOWN


@pytest.mark.parametrize(
    ("connections", "told"),
    [
        pytest.param(Connections(idle=1), "1 idle", id="nobody-new"),
        pytest.param(Connections(new=2), "in loadBalancer.checks", id="maybe-health-checks"),
    ],
)
def test_a_drain_that_is_never_quiet_may_be_for_health_checks(
    connections: Connections, told: str
) -> None:
    """The usual mistake of a first configuration: the wrong address, or none."""
    assert left("1 idle", connections).endswith(told)


async def test_traffic_that_does_not_come_is_a_warning(tmp_path: Path) -> None:
    """At night there may be none."""
    with Machine(tmp_path) as machine:
        assert await machine.run() == Exit.OK
        assert "WARNING: the load balancer has sent nothing within 0.1s" in machine.said.getvalue()


async def test_traffic_that_does_not_come_is_a_failure_if_it_is_required(tmp_path: Path) -> None:
    """Then the host is online all the same."""
    with Machine(tmp_path, traffic='100ms"\nrequired = true #') as machine:
        assert await machine.run() == Exit.FAILED
        assert machine.journal.outcome is Outcome.ONLINE
        assert "The host is online; only this was left undone" in machine.said.getvalue()
        assert (await machine.standing()).state is State.SERVING


@pytest.mark.parametrize(
    ("knobs", "code", "stuck", "words"),
    [
        pytest.param(
            {"stop_app": "echo no such unit; exit 5"},
            Exit.FAILED,
            Step.STOP_APP,
            "failed with status 5: no such unit",
            id="stop-fails",
        ),
        pytest.param(
            {"start_app": "exec /nonexistent"},
            Exit.FAILED,
            Step.START_APP,
            "failed with status 127",
            id="start-fails",
        ),
        pytest.param(
            {"start_app": "true", "ready": "1s"},
            Exit.FAILED,
            Step.READY,
            "not ready within 1s: http://127.0.0.1:",
            id="never-ready",
        ),
    ],
)
async def test_a_failure_after_the_point_of_no_return(
    tmp_path: Path, knobs: dict[str, Any], code: Exit, stuck: Step, words: str
) -> None:
    """The host stays out, says so and how to go on; with the cause mended, publish goes on."""
    with Machine(tmp_path, **knobs) as machine:
        assert await machine.run() == code
        said = machine.said.getvalue()
        assert words in said
        assert "so no client is served, or hurt, by it. Go on: lossless host publish" in said
        assert (machine.journal.outcome, machine.journal.marks.half) == (Outcome.STRANDED, stuck)
        assert not machine.flag.exists()
        assert (await machine.standing()).state is State.STRANDED

        correct(machine)
        assert await machine.run() == Exit.OK
        assert machine.flag.read_text() == "serving"
        assert machine.did[-2:] == ["start app", "start proxy"]


@elsewhere
async def test_a_host_that_was_mended_by_hand_is_drained_by_the_next_publish(
    tmp_path: Path,
) -> None:
    """It serves again, so nothing is stopped before its clients have left."""
    with Machine(tmp_path, start_app="true", ready="1s") as machine:
        assert await machine.run() == Exit.FAILED
        correct(machine)
        machine.mend()
        assert (await machine.standing()).state is State.SERVING

        await publish_held_by_a_client(machine)
        assert machine.did == ["stop proxy", "stop app", "start app", "start proxy"]
        assert f"{machine.flag} is there, so clients may be served" in machine.said.getvalue()


async def test_a_proxy_that_cannot_be_stopped_is_started_again(tmp_path: Path) -> None:
    """The application has not been touched: the host goes back."""
    with Machine(tmp_path) as machine, Balancer(machine):
        (tmp_path / "stop").write_text("#!/bin/sh\necho broken; exit 1\n")
        assert await machine.run() == Exit.FAILED
        assert machine.journal.outcome is Outcome.BACK
        assert machine.flag.read_text() == "serving"
        assert "stop the proxy: FAILED:" in machine.said.getvalue()
        assert (await machine.standing()).state is State.SERVING


async def test_a_flag_that_cannot_be_removed_stops_nothing(tmp_path: Path) -> None:
    """A folder in its place, for example."""
    with Machine(tmp_path) as machine:
        machine.flag.unlink()
        machine.flag.mkdir()
        with pytest.raises(ValueError, match="is not a file"):
            await machine.run()
        assert machine.did == []


@elsewhere
async def test_ctrl_c_while_draining_puts_the_host_back(tmp_path: Path) -> None:
    """Nothing was stopped, so nothing is lost."""
    with Machine(tmp_path) as machine, busy(machine):
        publish = asyncio.ensure_future(machine.run())
        await eventually(lambda: not machine.flag.exists())
        machine.interrupts.take(signal.SIGINT)

        assert await publish == 128 + signal.SIGINT
        assert machine.journal.outcome is Outcome.BACK
        assert machine.did == []
        assert machine.flag.read_text() == "serving"
        assert "online again, with the application that ran before" in machine.said.getvalue()


async def test_sigterm_while_the_application_stops_lets_it_stop(tmp_path: Path) -> None:
    """Half stopped is worse than stopped; then it says where it is, and the next one goes on."""
    with Machine(tmp_path, stop_app=f"sleep 1; {tmp_path}/stop app") as machine:
        publish = asyncio.ensure_future(machine.run())
        await eventually(lambda: machine.did == ["stop proxy"])
        await eventually(lambda: machine.journal.marks.half is Step.STOP_APP)
        machine.interrupts.take(signal.SIGTERM)

        assert await publish == 128 + signal.SIGTERM
        assert machine.did == ["stop proxy", "stop app"]
        assert machine.journal.outcome is Outcome.STRANDED
        assert "after the step 'stop the application'" in machine.said.getvalue()

        machine.interrupts = Interrupts()
        assert await machine.run() == Exit.OK
        assert machine.did[2:] == ["start app", "start proxy"]


async def test_a_second_signal_does_not_wait_for_a_command(tmp_path: Path) -> None:
    """It is ended, and the host stays where it is."""
    with Machine(tmp_path, stop_app="sleep 30") as machine:
        publish = asyncio.ensure_future(machine.run())
        await eventually(lambda: machine.did == ["stop proxy"])
        await eventually(lambda: machine.journal.marks.half is Step.STOP_APP)
        machine.interrupts.take(signal.SIGINT)
        machine.interrupts.take(signal.SIGINT)

        async with asyncio.timeout(10):
            assert await publish == 128 + signal.SIGINT
        assert machine.journal.marks.half is Step.STOP_APP


async def test_offline_and_online(tmp_path: Path) -> None:
    """Offline on purpose is told apart from being left behind; neither stops anything."""
    with Machine(tmp_path) as machine:
        assert await machine.run(Verb.OFFLINE) == Exit.OK
        standing = await machine.standing()
        assert (standing.state, standing.remedy) == (State.OFFLINE, "lossless host online")
        assert machine.did == []

        assert await machine.run(Verb.ONLINE) == Exit.OK
        assert machine.did == []
        assert (await machine.standing()).state is State.SERVING


async def test_a_host_that_was_offline_goes_back_offline(tmp_path: Path) -> None:
    """A failure must not put it into a load balancer that somebody has taken it out of."""
    with Machine(tmp_path) as machine:
        assert await machine.run(Verb.OFFLINE) == Exit.OK
        (tmp_path / "stop").write_text("#!/bin/sh\nexit 1\n")
        assert await machine.run() == Exit.FAILED
        assert machine.journal.outcome is Outcome.OFFLINE
        assert not machine.flag.exists()
        assert "The host is offline, as it was before" in machine.said.getvalue()


async def test_restart_begins_anew(tmp_path: Path) -> None:
    """Whatever was cut off before, and a damaged journal is no reason not to publish."""
    with Machine(tmp_path, start_app="exit 1") as machine:
        assert await machine.run() == Exit.FAILED
        publisher = a_publisher(machine.config, machine.store, machine.interrupts, machine.said)
        assert publisher.plan(Verb.PUBLISH, restart=False).steps[0] is Step.STOP_APP
        assert publisher.plan(Verb.PUBLISH, restart=True).steps[0] is Step.WITHDRAW

        machine.store.journal.write_text("{")
        plan = publisher.plan(Verb.PUBLISH, restart=False)
        assert (plan.steps[0], plan.again) == (Step.WITHDRAW, True)
        assert "journal.json cannot be read" in machine.said.getvalue()
