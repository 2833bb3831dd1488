"""The command line: one line says what is wrong, and the exit code whose fault it is."""

import subprocess
import sys
from pathlib import Path

import pytest

from lossless.__main__ import main

KUBECONFIG = """
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "http://127.0.0.1:9"}}]
users: [{name: u, user: {}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
"""


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        pytest.param([], "required: command", id="no-command"),
        pytest.param(["controller"], "--namespace", id="no-namespace"),
        pytest.param(["webhook", "--namespace=x"], "--agent-image", id="no-agent-image"),
        pytest.param(["selftest"], "--namespace", id="a test of nothing"),
        pytest.param(
            ["controller", "--namespace=x", "--certificate=theirs"], "theirs", id="unknown-keeper"
        ),
        pytest.param(
            ["controller", "--namespace=x", "--failure-policy=Hope"], "Hope", id="unknown-choice"
        ),
    ],
)
def test_wrong_options_exit_with_2(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """As argparse has it; the message names the option."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)

    assert ended.value.code == 2
    assert complaint in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        pytest.param(
            ["webhook", "--namespace=x", "--agent-image=a", "--agent-memory=lots"],
            "lossless webhook: agent memory 'lots'",
            id="a-value-that-cannot-work",
        ),
        pytest.param(
            ["webhook", "--namespace=x", "--agent-image=a", "--port=70000"],
            "lossless webhook: port 70000",
            id="a-port-that-cannot-be",
        ),
        pytest.param(
            ["webhook", "--namespace=x", "--agent-image=a", "--agent-run-as-user=0"],
            "lossless webhook: agent run_as_user 0",
            id="an-agent-that-is-root",
        ),
        pytest.param(
            [
                "webhook",
                "--namespace=x",
                "--agent-image=a",
                "--agent-run-as-user=",
                "--agent-run-as-group=",
                "--kubeconfig=/nonexistent",
            ],
            "lossless webhook: kubeconfig '/nonexistent': no such file",
            id="an-agent-whose-user-is-the-platforms-and-no-kubeconfig",
        ),
        pytest.param(
            ["selftest", "--namespace=x", "--kubeconfig=/nonexistent"],
            "lossless selftest: kubeconfig '/nonexistent': no such file",
            id="no-kubeconfig-to-test-by",
        ),
        pytest.param(
            ["release", "--kubeconfig=/nonexistent"],
            "lossless release: kubeconfig '/nonexistent': no such file",
            id="no-kubeconfig",
        ),
    ],
)
def test_what_cannot_work_exits_with_1(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The field, its value and the remedy, without a traceback."""
    assert main(arguments) == 1
    assert complaint in capsys.readouterr().err


def test_an_api_server_that_is_not_there_is_no_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Port 9 of loopback: nobody listens."""
    path = tmp_path / "kubeconfig"
    path.write_text(KUBECONFIG)

    assert main(["release", f"--kubeconfig={path}"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("lossless release: ")
    assert "Traceback" not in said


def test_a_package_that_is_not_installed_is_named_with_its_remedy() -> None:
    """The package itself has no dependencies, so that applications can install it."""
    ended = subprocess.run(  # this interpreter, without any site-packages
        [sys.executable, "-S", "-m", "lossless", "release"],
        cwd=Path(__file__).parent.parent / "operator",
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 1
    assert ended.stderr.startswith("lossless release: ")
    assert "is not installed: pip install 'lossless-operator[operator]'" in ended.stderr
    assert "Traceback" not in ended.stderr
