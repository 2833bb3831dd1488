"""Processes that are never mistaken for others; with real ones."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from e2e.cluster import processes
from e2e.cluster.errors import ClusterError
from e2e.cluster.processes import ProcessId
from e2e.cluster.waiting import wait_until

SLEEPER = [sys.executable, "-c", "import time; time.sleep(60)"]
STUBBORN = [
    sys.executable,
    "-uc",
    "import signal as s, time; s.signal(s.SIGTERM, s.SIG_IGN); print('deaf'); time.sleep(60)",
]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Where a process writes."""
    return tmp_path / "logs" / "it.log"


@pytest.fixture
def sleeper(log: Path, tmp_path: Path) -> Iterator[ProcessId]:
    """A process that sleeps, marked as a component of a cluster in tmp_path."""
    environ = {**os.environ, processes.MARKER: str(tmp_path)}
    process = processes.spawn(SLEEPER, log=log, environ=environ)
    yield process
    processes.kill([process])


@pytest.mark.parametrize(
    ("name", "state"),
    [
        pytest.param("etcd", "S", id="plain name"),
        pytest.param("a b", "R", id="a space in the name"),
        pytest.param("x) R 1 (y", "D", id="a name that looks like the fields after it"),
    ],
)
def test_a_stat_line_is_read_whatever_the_program_is_called(name: str, state: str) -> None:
    """Field 2 is free text in parentheses (proc(5)); field 22 is the start time."""
    fields = " ".join(str(number) for number in range(4, 53))

    assert processes.parse_stat(f"17 ({name}) {state} {fields}\n") == (state, 22)


def test_a_recycled_pid_is_not_the_process(sleeper: ProcessId) -> None:
    """Another start time, or another boot, is another process: it is never signalled."""
    for stranger in (replace(sleeper, started=sleeper.started - 1), replace(sleeper, boot="other")):
        assert not processes.is_alive(stranger)
        assert not processes.send(stranger, signal.SIGKILL)

    assert processes.is_alive(sleeper)


def test_a_daemon_keeps_nothing_open_that_is_ours(log: Path, tmp_path: Path) -> None:
    """A lock that we have inherited would be held for as long as the cluster is up."""
    lock = os.open(tmp_path / "lock", os.O_CREAT | os.O_RDWR)
    os.set_inheritable(lock, True)  # noqa: FBT003 # the standard library takes it by position
    process = processes.spawn(SLEEPER, log=log, environ=os.environ)
    try:
        # Not by number: the program opens files of its own.
        opened = [entry.resolve() for entry in Path(f"/proc/{process.pid}/fd").iterdir()]
        assert tmp_path / "lock" not in opened
    finally:
        processes.kill([process])
        os.close(lock)


def test_a_killed_child_is_gone_at_once(sleeper: ProcessId) -> None:
    """A zombie of ours is collected, so that it does not count as alive."""
    processes.kill([sleeper])

    assert not processes.is_alive(sleeper)
    assert not Path(f"/proc/{sleeper.pid}").exists()


def test_who_ignores_sigterm_is_killed_after_the_grace(log: Path) -> None:
    """Ending never depends on the good will of the process."""
    process = processes.spawn(STUBBORN, log=log, environ=os.environ)
    wait_until(lambda: "deaf" in log.read_text(), what="the process to be deaf", timeout=10)

    processes.end([process], grace=0.1)

    assert not processes.is_alive(process)


def test_a_pid_file_gives_the_process_back(sleeper: ProcessId, tmp_path: Path) -> None:
    """Written and read, it is the same process."""
    file = tmp_path / "run" / "it.json"
    processes.write_pid_file(file, sleeper)

    assert processes.read_pid_file(file) == sleeper


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(None, id="no file"),
        pytest.param("", id="empty"),
        pytest.param('{"pid": 1', id="half written"),
        pytest.param('{"pid": 1}', id="of another version"),
        pytest.param("[]", id="not an object"),
    ],
)
def test_a_pid_file_without_sense_names_no_process(text: str | None, tmp_path: Path) -> None:
    """A killed run may leave any of these behind."""
    file = tmp_path / "it.json"
    if text is not None:
        file.write_text(text)

    assert processes.read_pid_file(file) is None


def test_a_process_without_a_pid_file_is_found_by_its_mark(
    sleeper: ProcessId, tmp_path: Path
) -> None:
    """`up` may be killed between starting a process and writing its pid file."""
    # The kernel shows an environment a moment after the new program has begun.
    wait_until(
        lambda: processes.find(marker=str(tmp_path), namespaces=[], cgroups=[]) == [sleeper],
        what="the marked process to be found",
        timeout=5,
    )
    assert str(tmp_path) in processes.markers()


def test_another_clusters_processes_are_not_found(sleeper: ProcessId, tmp_path: Path) -> None:
    """The mark carries the state folder; a prefix of it is another folder."""
    found = processes.find(marker=str(tmp_path)[:-1], namespaces=[], cgroups=[])

    assert sleeper not in found


def test_we_never_find_ourselves(tmp_path: Path) -> None:
    """`down` may be run from within a node's namespace; it must not kill itself or its shell."""
    cgroup = tmp_path / "cgroup"
    cgroup.mkdir()
    (cgroup / "cgroup.procs").write_text(f"{os.getpid()}\n{os.getppid()}\n")

    assert processes.find(marker="none", namespaces=[], cgroups=[cgroup]) == []


def test_the_processes_of_nested_cgroups_are_found(sleeper: ProcessId, tmp_path: Path) -> None:
    """A pod's processes carry no mark; they are known by their cgroup."""
    nested = tmp_path / "cgroup" / "kubepods" / "pod"
    nested.mkdir(parents=True)
    (nested / "cgroup.procs").write_text(f"{sleeper.pid}\n")

    found = processes.find(marker="none", namespaces=[], cgroups=[tmp_path / "cgroup"])

    assert found == [sleeper]


def test_a_program_that_cannot_be_started_says_so(log: Path) -> None:
    """No pid is made up for it."""
    with pytest.raises((FileNotFoundError, ClusterError)):
        processes.spawn(["/no/such/program"], log=log, environ={})


def test_output_is_appended_to_the_log(log: Path) -> None:
    """A restart does not lose what the run before it said."""
    for word in ("one", "two"):
        argv = [sys.executable, "-uc", f"import time; print('{word}'); time.sleep(60)"]
        process = processes.spawn(argv, log=log, environ=os.environ)
        wait_until(lambda word=word: word in log.read_text(), what=word, timeout=10)  # type: ignore[misc]
        processes.kill([process])

    assert log.read_text() == "one\ntwo\n"


def test_ending_nobody_is_harmless() -> None:
    """A process that is gone already is no error."""
    done = subprocess.Popen([sys.executable, "-c", ""])
    gone = ProcessId(done.pid, 1, processes.boot_id())
    done.wait()

    processes.end([gone], grace=1)
