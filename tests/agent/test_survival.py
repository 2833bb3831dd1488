"""A pod that was asked to stop and lives on serves again, and drains again when its end comes."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from lossless.agent.files import Marker, write_marker
from lossless.agent.settings import read_settings
from lossless.agent.survival import (
    left_as_they_are,
    proof_of_survival,
    sandbox_id,
    undo_drain,
)
from lossless.model import names
from lossless.model.close_drivers import (
    CloseDriver,
    EnvoyClose,
    FileAction,
    FileClose,
    MiddlewareClose,
    NginxClose,
)
from lossless.model.phases import Phase
from lossless.model.report import Report, parse_report
from tests.agent.builders import a_config
from tests.agent.processes import OPERATOR, AgentProcess
from tests.agent.test_process import get, serves
from tests.support.free_ports import free_port
from tests.support.waiting import eventually_sync

needs_cookies = pytest.mark.skipif(not sandbox_id(), reason="Linux before 5.14")


def marker(
    phase: Phase | None = None, *, uid: str = "u-1", sandbox: str = "", stopped: bool = False
) -> Marker:
    """Return what an agent before has left, with a report if it says a phase."""
    report = "" if phase is None else Report("web-1", uid, phase).to_json()
    return Marker(1.0, 1.0, report, sandbox, stopped)


@pytest.mark.parametrize(
    ("left", "sandbox", "proof"),
    [
        pytest.param(marker(Phase.DRAINED), "", "its drain had ended", id="drained"),
        pytest.param(marker(Phase.TIMED_OUT, sandbox="a"), "a", "its drain had ended", id="late"),
        pytest.param(marker(stopped=True, sandbox="a"), "a", "told to end", id="told-to-end"),
        pytest.param(marker(sandbox="a"), "b", "its sandbox is a new one", id="new-sandbox"),
        pytest.param(marker(sandbox="a"), "a", "", id="the-agent-alone-died"),
        pytest.param(marker(sandbox="a"), "", "", id="nobody-knows-the-sandbox"),
        pytest.param(marker(), "b", "", id="nobody-knew-the-sandbox"),
        pytest.param(marker(Phase.DRAINING), "", "", id="not-an-end"),
        pytest.param(marker(Phase.DRAINED, uid="u-2"), "", "", id="of-another-pod"),
        pytest.param(Marker(1.0, 1.0, "{"), "", "", id="damaged"),
    ],
)
def test_what_proves_that_a_pod_lives_on(left: Marker, sandbox: str, proof: str) -> None:
    """Without a proof the drain is joined: a pod that stops must not serve again."""
    found = proof_of_survival(left, "u-1", sandbox)

    assert proof in found
    assert bool(found) is bool(proof)


@needs_cookies
@pytest.mark.skipif(shutil.which("unshare") is None, reason="no unshare")
def test_each_sandbox_has_a_name_of_its_own() -> None:
    """Though the kernel gives one network namespace the inode of the one before."""
    code = "from lossless.agent.survival import sandbox_id; print(sandbox_id())"
    command = ["unshare", "--map-root-user", "--net", sys.executable, "-c", code]
    asked = [
        subprocess.run(command, env={"PYTHONPATH": str(OPERATOR)}, capture_output=True, check=False)  # noqa: S603 # this interpreter, the text above
        for _ in range(3)
    ]
    if any(one.returncode for one in asked):
        pytest.skip("no namespaces here")
    found = [one.stdout for one in asked]

    assert len({*found, f"{sandbox_id()}\n".encode()}) == 4
    assert sandbox_id() == sandbox_id()


CLOSE: tuple[CloseDriver, ...] = (
    NginxClose(),
    MiddlewareClose(),
    EnvoyClose(9901),
    FileClose("/user/up"),
    FileClose("/user/down", FileAction.CREATE),
    FileClose("/nowhere/up"),
)


def test_a_drain_is_undone(tmp_path: Path) -> None:
    """All that it left on volumes goes, so that the next one is not answered by this one."""
    config = replace(a_config(), close=CLOSE, out_of_reach=("/nowhere/up",))
    agent = AgentProcess(tmp_path, config)
    settings = read_settings(agent.environment)
    (tmp_path / "user").mkdir()
    (tmp_path / "user" / "down").touch()
    (tmp_path / names.DRAINING_FILE[1:]).touch()
    others = tmp_path / f"{names.RELEASED_FILE[1:]}-notes"
    others.touch()
    for container in ("app", "gone-since"):
        (tmp_path / f"{names.RELEASED_FILE[1:]}.{container}").touch()
    (tmp_path / f"{names.RELOAD_FILE[1:]}.2").touch()
    assert write_marker(str(agent.marker), marker(Phase.DRAINED)) == ""

    assert undo_drain(settings) == ()
    assert not agent.marker.exists()
    assert sorted(path.name for path in agent.status_file.parent.iterdir()) == [others.name]
    assert [path.name for path in (tmp_path / "user").iterdir()] == ["up"]
    assert left_as_they_are(settings) == ("envoy on port 9901",)


def test_what_cannot_be_undone_is_said(tmp_path: Path) -> None:
    """And the rest is done."""
    agent = AgentProcess(tmp_path, a_config())
    draining = tmp_path / names.DRAINING_FILE[1:]
    draining.mkdir()
    agent.marker.touch()

    assert undo_drain(read_settings(agent.environment)) == (
        f"cannot remove {draining}: Is a directory",
    )
    assert not agent.marker.exists()
    shutil.rmtree(agent.status_file.parent)
    assert undo_drain(read_settings(agent.environment)) == ()


def ended(agent: AgentProcess) -> None:
    """Let the drain end, then stop the agent as the kubelet does."""
    agent.result()
    assert agent.stop() == 0


def told_to_end(agent: AgentProcess) -> None:
    """Stop the agent at once, as when its container's definition has changed."""
    assert agent.stop() == 0


def moved(agent: AgentProcess) -> None:
    """Kill it, and have the marker come from another sandbox."""
    agent.stop(signal.SIGKILL)
    raw = json.loads(agent.marker.read_text())
    agent.marker.write_text(json.dumps(raw | {"sandbox": "another"}))


@pytest.mark.parametrize(
    ("end", "quiet", "reason"),
    [
        pytest.param(ended, 0.2, "its drain had ended", id="all-containers-anew"),
        pytest.param(told_to_end, 60.0, "the agent was told to end", id="the-agent-anew"),
        pytest.param(moved, 60.0, "its sandbox", id="the-sandbox-anew", marks=needs_cookies),
    ],
)
def test_a_pod_that_lives_on_serves_and_drains_again(
    tmp_path: Path, end: Callable[[AgentProcess], None], quiet: float, reason: str
) -> None:
    """Else its clients are closed for ever, and its real end is answered at once."""
    port, envoy = free_port(), free_port()
    config = replace(
        a_config(quiet=quiet, timeout=600.0, agent_port=port, file_holds=("log",)),
        close=(EnvoyClose(envoy),),
    )
    with AgentProcess(tmp_path, config) as agent:
        assert agent.drain().startswith("ok started")
        end(agent)
        agent.start()
        eventually_sync(serves(port))

        assert f"the pod was asked to stop and lives on ({reason}" in agent.log
        assert (
            f"what envoy on port {envoy} did when the pod was asked to stop is not taken back"
            in agent.log
        )
        assert get(port, names.STATUS_FLAG_PATH) == (200, b"Serving\n")
        assert parse_report(get(port, names.REPORT_PATH)[1], uid="u-1").phase is Phase.SERVING
        assert [path.name for path in agent.status_file.parent.iterdir()] == ["serving"]
        assert agent.drain().startswith("ok started")
        assert not agent.status_file.exists()
