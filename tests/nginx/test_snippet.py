"""What ``lossless nginx-snippet`` prints, and what it refuses."""

import shutil
import subprocess
import time
from pathlib import Path

import pytest

from lossless.__main__ import main
from lossless.nginx.snippet import Wishes, reload_command, snippet


def test_each_location_gets_a_named_one_of_its_own() -> None:
    """A name comes from a path; two that would be the same are told apart."""
    text = snippet(Wishes("http://app", locations=("/", "/a-b/", "/a_b/", "= /x")))

    for name in ("@draining", "@draining_a_b", "@draining_a_b_2", "@draining_x"):
        assert text.count(f"error_page 418 = {name};") == 1
        assert text.count(f"location {name} {{") == 1


def test_websocket_headers_stand_in_both_of_a_pair() -> None:
    """A named location inherits none of them."""
    text = snippet(Wishes("http://app", websocket=True))

    assert text.count("proxy_set_header Upgrade $http_upgrade;") == 2
    assert text.count("map $http_upgrade $lossless_connection") == 1


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        pytest.param(["--upstream=app"], "--upstream: 'app'", id="no-scheme"),
        pytest.param(["--upstream=http://app/x"], "without a path", id="a-path"),
        pytest.param(["--upstream=http://a;}"], "--upstream", id="an-end-of-the-directive"),
        pytest.param(["--status-file=serving"], "--status-file", id="relative"),
        pytest.param(["--status-file=/a b"], "--status-file", id="a-space"),
        pytest.param(["--location=@x"], "--location: '@x'", id="a-named-location"),
        pytest.param(["--location=/a {"], "--location", id="a-brace"),
        pytest.param(["--location=/", "--location=/"], "twice", id="the-same-twice"),
        pytest.param(["--http2", "--reload-after=-1"], "--reload-after: -1", id="negative"),
    ],
)
def test_what_nginx_would_not_take_is_refused(
    options: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The option, its value, and what is right."""
    assert main(["nginx-snippet", *options]) == 1
    assert complaint in capsys.readouterr().err


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    """Return the file that a stand-in for nginx writes its arguments to."""
    log = tmp_path / "calls"
    stand_in = tmp_path / "nginx"
    stand_in.write_text(f'#!/bin/sh\necho "$@" >> {log}\n')
    stand_in.chmod(0o755)
    return log


def run_hook(directory: Path, status_file: Path, *, steps: int) -> None:
    """Run the hook as the kubelet does, with a quicker clock: ``steps`` looks at the file."""
    command = reload_command(str(status_file), 0).replace("-gt 50", f"-gt {steps}")
    shell = shutil.which("sh")
    assert shell is not None
    path = f"{directory}:/usr/bin:/bin"
    subprocess.run([shell, "-c", command], env={"PATH": path}, check=True, timeout=15)  # noqa: S603 # our own command


def test_the_hook_reloads_once_a_drain_has_started(tmp_path: Path, calls: Path) -> None:
    """The status file is gone by then."""
    run_hook(tmp_path, tmp_path / "serving", steps=50)

    assert calls.read_text() == "-s reload\n"


def test_the_hook_reloads_nothing_where_no_drain_starts(tmp_path: Path, calls: Path) -> None:
    """A liveness probe that restarts the container runs it too."""
    (tmp_path / "serving").touch()
    started = time.monotonic()
    run_hook(tmp_path, tmp_path / "serving", steps=2)

    assert not calls.exists()
    assert time.monotonic() - started < 5
