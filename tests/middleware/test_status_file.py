"""Whether the pod drains, from one file and its directory."""

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from lossless.middleware.status_file import StatusFile
from lossless.model.names import STATUS_FILE_ENV

ROOT = Path(__file__).parents[2]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a status file's path; its directory is there, as where an agent is."""
    (tmp_path / "lossless").mkdir()
    return tmp_path / "lossless" / "serving"


def test_a_drain_is_the_file_gone_and_nothing_else(path: Path) -> None:
    """It can be taken back: an agent that made the file again would be believed."""
    status = StatusFile(str(path))
    path.touch()
    assert not status.draining()
    path.unlink()
    assert status.draining()
    path.touch()
    assert not status.draining()


@pytest.mark.parametrize(
    ("make", "draining"),
    [
        pytest.param([], False, id="no-agent"),
        pytest.param(["lossless/"], True, id="restarted-in-a-drain"),
        pytest.param(["lossless/serving"], False, id="serving"),
        pytest.param(["lossless"], False, id="the-directory-is-a-file-of-somebody-else"),
    ],
)
def test_what_it_finds_at_the_start(make: list[str], *, draining: bool, tmp_path: Path) -> None:
    """The directory alone tells whether there is an agent."""
    for name in make:
        there = tmp_path / name
        there.parent.mkdir(exist_ok=True)
        if name.endswith("/"):
            there.mkdir()
        else:
            there.touch()

    assert StatusFile(str(tmp_path / "lossless" / "serving")).draining() is draining


def test_what_cannot_be_read_counts_as_a_drain(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Unknown is never "serving"; it is said once. A loop of links stands for any such error."""
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    status = StatusFile(str(loop))

    with caplog.at_level(logging.WARNING):
        assert status.draining()
        assert status.draining()

    assert len(caplog.records) == 1
    assert "cannot be read" in caplog.text


def test_a_drain_seen_to_start_is_no_warning(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is what is expected."""
    path.touch()
    status = StatusFile(str(path))
    status.draining()
    path.unlink()

    assert status.draining()
    assert caplog.records == []


def test_an_answer_is_used_again_for_the_interval_and_no_longer(path: Path) -> None:
    """By a clock that only goes forward."""
    now = 100.0
    path.touch()
    status = StatusFile(str(path), interval=2.0, clock=lambda: now)
    assert not status.draining()
    path.unlink()

    now = 101.9
    assert not status.draining()
    now = 102.0
    assert status.draining()


@pytest.mark.parametrize(
    ("argument", "variable", "used"),
    [
        pytest.param(None, None, "/lossless/serving", id="default"),
        pytest.param(None, "", "/lossless/serving", id="empty-variable"),
        pytest.param(None, "/v/on", "/v/on", id="variable"),
        pytest.param("/a/on", "/v/on", "/a/on", id="argument-first"),
    ],
)
def test_where_it_looks(argument: str | None, variable: str | None, used: str) -> None:
    """The argument, then the variable, then the default."""
    environment = {} if variable is None else {STATUS_FILE_ENV: variable}

    assert StatusFile(argument, environment=environment).path == used


@pytest.mark.parametrize(
    ("path", "variable", "interval", "complaint"),
    [
        pytest.param("serving", "", 0.0, "status_file: 'serving'", id="relative"),
        pytest.param("/a\0b", "", 0.0, "status_file", id="no-path"),
        pytest.param(None, "on", 0.0, "LOSSLESS_STATUS_FILE: 'on'", id="relative-variable"),
        pytest.param("/a", "", -1.0, "interval: -1.0", id="negative"),
        pytest.param("/a", "", float("nan"), "interval: nan", id="not-a-number"),
    ],
)
def test_what_cannot_work_is_refused_at_the_start(
    path: str | None, variable: str, interval: float, complaint: str
) -> None:
    """The error names where the value came from."""
    with pytest.raises(ValueError, match=complaint):
        StatusFile(path, interval=interval, environment={STATUS_FILE_ENV: variable})


@pytest.mark.parametrize("module", ["asgi", "wsgi"])
def test_a_users_process_pays_for_nothing_of_the_operator(module: str) -> None:
    """Only the standard library and three modules of ours: this is what an image contains."""
    program = (
        f"import sys, lossless.middleware.{module}\n"
        "print(*{name.partition('.')[0] for name in sys.modules} - sys.stdlib_module_names)"
    )
    printed = subprocess.run(  # noqa: S603 # this interpreter, a program of ours
        [sys.executable, "-S", "-c", program],
        cwd=ROOT / "operator",
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert set(printed.split()) - {"__main__"} == {"lossless"}
