"""The status file, the drain marker and the termination message."""

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossless.agent.files import (
    Marker,
    hide_status,
    parse_marker,
    read_marker,
    show_status,
    write_last_words,
    write_marker,
)

MARKER = Marker(
    started=4000.0,
    started_wall=1_700_000_000.0,
    report='{"phase":"Drained"}',
    sandbox="cf75",
    stopped=True,
)


def test_the_status_file_comes_and_goes(tmp_path: Path) -> None:
    """Others can read it; doing either twice is the same as once."""
    path = tmp_path / "serving"

    assert [show_status(str(path)), show_status(str(path))] == ["", ""]
    assert stat.S_IMODE(path.stat().st_mode) & 0o444 == 0o444
    assert [hide_status(str(path)), hide_status(str(path))] == ["", ""]
    assert not path.exists()


def test_what_cannot_be_written_is_said_and_nothing_else(tmp_path: Path) -> None:
    """No volume, a full one or a read-only one must not stop a drain."""
    nowhere = str(tmp_path / "missing" / "file")

    assert show_status(nowhere) == f"cannot create {nowhere}: No such file or directory"
    assert write_marker(nowhere, MARKER) == f"cannot write {nowhere}: No such file or directory"
    assert write_last_words(nowhere, "{}") == f"cannot write {nowhere}: No such file or directory"
    assert hide_status(nowhere) == ""
    assert hide_status(str(tmp_path)) == f"cannot remove {tmp_path}: Is a directory"


def test_a_status_file_that_is_there_is_left_as_it_is(tmp_path: Path) -> None:
    """Somebody may have put something into it."""
    path = tmp_path / "on"
    path.write_text("yes")

    assert show_status(str(path)) == ""
    assert path.read_text() == "yes"


def test_what_nobody_may_write_is_told_with_the_remedy() -> None:
    """The kernel's own folder refuses everybody, root too."""
    refused = show_status("/sys/lossless-on")

    assert refused.startswith("cannot create /sys/lossless-on: ")
    assert refused.endswith(
        f"; give user {os.geteuid()} write access to its directory, or the pod an fsGroup"
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_directory_that_is_closed_to_the_agent_is_told_with_the_remedy(tmp_path: Path) -> None:
    """On a volume of the user's, which may belong to somebody else."""
    path = tmp_path / "status" / "on"
    path.parent.mkdir()
    remedy = f"; give user {os.geteuid()} write access to its directory, or the pod an fsGroup"
    path.parent.chmod(0o555)
    assert show_status(str(path)) == f"cannot create {path}: Permission denied{remedy}"
    path.parent.chmod(0o755)
    path.touch()
    path.parent.chmod(0o555)

    assert show_status(str(path)) == f"cannot remove {path} when the pod drains{remedy}"
    assert hide_status(str(path)) == f"cannot remove {path}: Permission denied{remedy}"


def test_a_marker_of_the_version_before_is_read() -> None:
    """The image of a running pod's agent can be changed."""
    text = '{"started": 4000.0, "startedWall": 5000.0, "report": ""}'

    assert parse_marker(text) == Marker(4000.0, 5000.0)


def test_a_marker_is_written_whole_and_read_again(tmp_path: Path) -> None:
    """And leaves nothing else behind."""
    path = tmp_path / "drain.json"

    assert write_marker(str(path), MARKER) == ""
    assert read_marker(str(path), 5000.0, 1_700_001_000.0) == MARKER
    assert [one.name for one in tmp_path.iterdir()] == ["drain.json"]


def test_no_marker_is_no_drain(tmp_path: Path) -> None:
    """The agent was started for the first time, or restarted while it served."""
    assert read_marker(str(tmp_path / "drain.json"), 5000.0, 1_700_001_000.0) is None


def test_a_damaged_marker_is_a_drain_since_it_was_written(tmp_path: Path) -> None:
    """Whatever it holds, only a drain writes one."""
    path = tmp_path / "drain.json"
    path.write_text("{")
    os.utime(path, (1_700_000_990.0, 1_700_000_990.0))

    found = read_marker(str(path), 5000.0, 1_700_001_000.0)

    assert found == Marker(started=4990.0, started_wall=1_700_000_990.0)


def test_an_unreadable_marker_is_a_drain_too(tmp_path: Path) -> None:
    """A directory in its place can be neither read nor taken for nothing."""
    path = tmp_path / "drain.json"
    path.mkdir()

    assert read_marker(str(path), 5000.0, 1e12) is not None


@pytest.mark.parametrize(
    ("boot", "wall", "expected"),
    [
        pytest.param(4060.0, 1_700_000_060.0, 4000.0, id="the-same-boot"),
        pytest.param(4060.0, 1_600_000_000.0, 4000.0, id="whatever-the-wall-clock-does"),
        pytest.param(50.0, 1_700_000_090.0, -40.0, id="the-node-was-started-anew"),
        pytest.param(50.0, 1_600_000_000.0, 50.0, id="and-its-wall-clock-went-back"),
    ],
)
def test_a_restarted_agent_keeps_the_deadline(boot: float, wall: float, expected: float) -> None:
    """Seconds since the drain's start go on, on whichever clock can still tell."""
    assert MARKER.started_by(boot, wall) == expected


def test_last_words_are_written_in_place(tmp_path: Path) -> None:
    """The kubelet has mounted this very file: another one in its place would not be read."""
    path = tmp_path / "termination-log"
    path.write_text("older and longer words")
    before = path.stat().st_ino

    assert write_last_words(str(path), "newer") == ""
    assert (path.read_text(), path.stat().st_ino) == ("newer", before)


@given(st.floats(min_value=0, max_value=1e10), st.floats(min_value=0, max_value=1e10), st.text())
def test_a_marker_survives_as_text(started: float, wall: float, report: str) -> None:
    """Whatever the report says."""
    marker = Marker(started, wall, report)

    assert parse_marker(marker.to_json()) == marker


@given(st.text(max_size=200))
def test_any_text_is_a_marker_or_a_value_error(text: str) -> None:
    """No text makes the agent fail at its start."""
    with pytest.raises(ValueError):  # noqa: PT011 # its text depends on the input
        parse_marker(text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('{"started": NaN, "startedWall": 1, "report": ""}', id="nan"),
        pytest.param('{"started": 1, "startedWall": Infinity, "report": ""}', id="infinite"),
        pytest.param('{"started": -1, "startedWall": 1, "report": ""}', id="negative"),
        pytest.param('{"started": 1}', id="half"),
        pytest.param("[" * 100_000, id="deep"),
    ],
)
def test_times_must_be_times(text: str) -> None:
    """A deadline that is not a number would never pass."""
    with pytest.raises(ValueError):  # noqa: PT011 # json's texts and ours
        parse_marker(text)
