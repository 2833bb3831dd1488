"""The command line as users and timers know it: exit codes, a dry run, one run at a time."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from lossless.__main__ import main
from lossless.host.exits import Exit
from lossless.host.plan import Step
from tests.host.machine import ENVIRONMENT, Machine
from tests.support.waiting import eventually_sync


def test_the_first_minutes_of_a_new_user(tmp_path: Path) -> None:
    """Check, look at the steps, publish, look again, take it offline: each says how it went."""
    with Machine(tmp_path) as machine:
        checked = machine.command("check")
        assert (checked.returncode, checked.stderr) == (0, "")
        assert checked.stdout.startswith("Serving: ")
        assert machine.command("check", "--quiet").stdout == ""

        dry = machine.command("publish", "--dry-run")
        assert (dry.returncode, machine.flag.exists()) == (0, True)
        assert dry.stdout.splitlines()[3] == (
            f"[4/9] stop the application: at most 5s, and as long for its port: /bin/sh -c"
            f" '{tmp_path}/stop app'"
        )
        assert not machine.store.directory.exists()

        published = machine.command("publish")
        assert published.returncode == 0, published.stdout + published.stderr
        assert "is online; publish took" in published.stdout
        log = machine.store.log.read_text()
        assert '"step": "Drain"' in log
        assert '"event": "drain ended"' in log or '"message": "drain ended"' in log

        assert machine.command("offline").returncode == 0
        status = machine.command("status")
        assert status.returncode == Exit.OFFLINE
        assert f"What to do: lossless host online --config {machine.path}" in status.stdout


def test_a_second_run_is_refused_and_status_says_who_is_at_work(tmp_path: Path) -> None:
    """Then SIGTERM, as systemd sends it, stops the first one in order."""
    with Machine(tmp_path, start_app="sleep 20") as machine:
        with subprocess.Popen(  # noqa: S603 # this interpreter, this package
            machine.argv("publish"),
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as first:
            eventually_sync(
                lambda: (
                    machine.store.journal.exists() and machine.journal.marks.half is Step.START_APP
                )
            )
            second = machine.command("publish")
            assert second.returncode == Exit.LOCKED
            assert f"another run is at work, process {first.pid}" in second.stderr
            status = machine.command("status")
            assert (status.returncode, str(first.pid) in status.stdout) == (0, True)

            first.send_signal(signal.SIGTERM)
            assert first.stdout is not None
            while not first.stdout.readline().startswith("SIGTERM: what is at work now may end"):
                pass
            first.send_signal(signal.SIGTERM)
            said, _ = first.communicate(timeout=20)
            assert first.returncode == 128 + signal.SIGTERM
            assert "The host is out of the load balancer" in said
        assert machine.command("check", "--quiet").returncode == Exit.STRANDED


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        pytest.param(
            ["status", "--config", "/nonexistent"], "there is no such file; write it", id="no-file"
        ),
        pytest.param(["rollout", "--hosts", "/nonexistent"], "No such file", id="no-hosts"),
    ],
)
def test_what_cannot_work_exits_with_2(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line, no traceback."""
    assert main(["host", *arguments]) == Exit.USAGE
    said = capsys.readouterr().err
    assert said.startswith(f"lossless host {arguments[0]}: ")
    assert complaint in said


def test_a_rollout_can_be_looked_at_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Order, command and limits; no host is touched."""
    hosts = tmp_path / "hosts"
    hosts.write_text("web-1\nweb-2\n")

    assert main(["host", "rollout", "--hosts", str(hosts), "--dry-run"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "1 at a time, each for at most 30m: lossless host publish --config /etc/lossless/host.toml",
        "[1/2] web-1",
        "[2/2] web-2",
    ]
    assert main(["host", "rollout", "--hosts", str(hosts), "--max-unavailable", "0"]) == 2


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        pytest.param(
            "metrics = [{nginxStatus = {port = 9}}]", "nginxStatus on port 9 cannot be", id="metric"
        ),
        pytest.param("reopen = [{http = {port = 9}}]", "http on port 9: Connection ref", id="call"),
        pytest.param(
            'networkNamespace = "/nonexistent"', "'/nonexistent': No such file", id="namespace"
        ),
    ],
)
def test_check_finds_what_would_fail(tmp_path: Path, more: str, complaint: str) -> None:
    """Before anything is stopped."""
    with Machine(tmp_path, more=more) as machine:
        checked = machine.command("check")

    assert checked.returncode != 0
    assert f"WRONG: {complaint}" in checked.stdout or complaint in checked.stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")
def test_sockets_are_counted_in_another_namespace(tmp_path: Path) -> None:
    """There nothing listens; the user's commands still run where they were started."""
    with subprocess.Popen(
        ["unshare", "--net", "sleep", "60"],  # noqa: S607 # found on PATH
        stdin=subprocess.DEVNULL,
    ) as elsewhere:
        own = os.readlink("/proc/self/ns/net")  # noqa: PTH115 # a magic link
        path = f"/proc/{elsewhere.pid}/ns/net"
        eventually_sync(lambda: os.readlink(path) != own)  # noqa: PTH115 # the same
        try:
            more = f'networkNamespace = "{path}"'
            with Machine(
                tmp_path,
                more=more,
                stop_app=f"readlink /proc/self/ns/net > {tmp_path}/ns; false",
            ) as machine:
                status = machine.command("status")
                assert status.returncode == Exit.DOWN
                assert "A counted port has no listener" in status.stdout
                assert machine.command("publish").returncode == Exit.FAILED
                assert (tmp_path / "ns").read_text().strip() == own
        finally:
            elsewhere.kill()
