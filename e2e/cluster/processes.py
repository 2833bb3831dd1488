"""Starting, finding and ending the cluster's processes, and nobody else's.

A pid alone proves nothing: the kernel gives it to a stranger later. So a process is remembered by
its pid, its start time and the boot it belongs to, and it is signalled through a pidfd that was
opened before the start time was compared.
"""

from __future__ import annotations

import json
import os
import signal
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from e2e.cluster.errors import ClusterError
from e2e.cluster.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

MARKER = "LOSSLESS_CLUSTER"
"""Environment variable of every component and what it starts itself; its value is the state dir.

It finds the processes of an `up` that was killed before it could write a pid file.
"""

_ALREADY_GONE = (ProcessLookupError, FileNotFoundError)


@dataclass(frozen=True)
class ProcessId:
    """One process, for ever.

    Attributes:
        pid: The kernel's number.
        started: Clock ticks after boot, field 22 of /proc/PID/stat.
        boot: The kernel's random id of the boot.
    """

    pid: int
    started: int
    boot: str


@cache
def boot_id() -> str:
    """The id of the running boot."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def parse_stat(text: str) -> tuple[str, int]:
    """The state letter and the start time (clock ticks after boot) of a /proc/PID/stat line.

    The second field is the program's name in parentheses and may hold spaces and parentheses
    itself, so fields are counted from the last one (proc(5)).
    """
    fields = text.rpartition(")")[2].split()
    return fields[0], int(fields[19])


def _look(pid: int) -> tuple[str, int] | None:
    try:
        return parse_stat(Path(f"/proc/{pid}/stat").read_text())
    except _ALREADY_GONE:
        return None


def identify(pid: int) -> ProcessId | None:
    """The process that has this pid now; None when there is none or only its zombie."""
    seen = _look(pid)
    return None if seen is None or seen[0] in "ZX" else ProcessId(pid, seen[1], boot_id())


def is_alive(process: ProcessId) -> bool:
    """Whether exactly this process still runs; collects it if it is our own dead child."""
    seen = _look(process.pid)
    if seen is None or seen[1] != process.started or process.boot != boot_id():
        return False
    if seen[0] not in "ZX":
        return True
    with suppress(ChildProcessError):
        os.waitpid(process.pid, os.WNOHANG)
    return False


def send(process: ProcessId, number: signal.Signals) -> bool:
    """Signal exactly this process; False when it is gone."""
    try:
        handle = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return False
    try:
        if not is_alive(process):
            return False
        signal.pidfd_send_signal(handle, number)
    except ProcessLookupError:
        return False
    finally:
        os.close(handle)
    return True


def end(processes: Iterable[ProcessId], *, grace: float) -> None:
    """End processes: SIGTERM, then SIGKILL for those that are still there after `grace` seconds.

    Raises:
        ClusterError: One survives SIGKILL, which means it hangs in the kernel.
    """
    left = [process for process in processes if send(process, signal.SIGTERM)]

    def all_gone() -> bool:
        left[:] = [process for process in left if is_alive(process)]
        return not left

    deadline = time.monotonic() + grace
    while not all_gone() and time.monotonic() < deadline:
        time.sleep(0.02)
    for process in left:
        send(process, signal.SIGKILL)
    wait_until(
        all_gone,
        what=f"the end of killed processes {[process.pid for process in left]}",
        timeout=20,
        interval=0.02,
        remedy="`ps -o pid,stat,wchan,args -p PID` shows what they hang on.",
    )


def kill(processes: Iterable[ProcessId]) -> None:
    """SIGKILL at once, and wait until they are gone."""
    victims = list(processes)
    for process in victims:
        send(process, signal.SIGKILL)
    end(victims, grace=0)


def spawn(argv: Sequence[str], *, log: Path, environ: Mapping[str, str]) -> ProcessId:
    """Start a daemon in a session of its own, its output appended to `log`.

    posix_spawn instead of subprocess.Popen: nobody waits for a daemon, and a forgotten Popen warns.

    Raises:
        FileNotFoundError: The program does not exist.
        ClusterError: It ended before it could be identified.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    # What we have inherited ourselves, such as the lock of a `flock` around us, is not the daemon's
    # to keep. To close what is closed already is no error here (glibc, spawni.c).
    inherited = sorted({int(entry.name) for entry in Path("/proc/self/fd").iterdir()} - {0, 1, 2})
    pid = os.posix_spawnp(
        argv[0],
        list(argv),
        dict(environ),
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log), flags, 0o644),
            (os.POSIX_SPAWN_DUP2, 1, 2),
            *((os.POSIX_SPAWN_CLOSE, number) for number in inherited),
        ],
        setsid=True,
        setsigmask=[],
        setsigdef=[signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE],
    )
    process = identify(pid)
    if process is None:
        raise ClusterError(f"{argv[0]} ended at once.", f"Its output is in {log}.")
    return process


def write_pid_file(path: Path, process: ProcessId) -> None:
    """Remember a process; atomic, so that a reader never sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(asdict(process)))
    draft.replace(path)


def read_pid_file(path: Path) -> ProcessId | None:
    """The remembered process; None when there is no file or none that can be understood."""
    try:
        record = json.loads(path.read_text())
        return ProcessId(int(record["pid"]), int(record["started"]), str(record["boot"]))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def _pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _ourselves() -> set[int]:
    """This process and its ancestors, which must survive whatever namespace they are in."""
    family: set[int] = set()
    pid = os.getpid()
    while pid > 0 and pid not in family:
        family.add(pid)
        try:
            pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        except _ALREADY_GONE:
            break
    return family


def find(*, marker: str, namespaces: Iterable[Path], cgroups: Iterable[Path]) -> list[ProcessId]:
    """Every process of a cluster, whoever started it and whatever became of its pid file.

    Args:
        marker: The value of `MARKER` in a component's environment.
        namespaces: Bound namespace files (of `ip netns`, or mount namespaces); a process in one of
            these is the cluster's.
        cgroups: Directories; the processes in and below them are the cluster's.
    """
    inodes = {
        (status.st_dev, status.st_ino) for status in map(_stat, namespaces) if status is not None
    }
    wanted = f"{MARKER}={marker}".encode()
    pids: set[int] = set()
    for pid in _pids():
        if _in_namespace(pid, inodes) or wanted in _environment(pid):
            pids.add(pid)
    for cgroup in cgroups:
        for procs in cgroup.rglob("cgroup.procs"):
            try:
                pids.update(int(word) for word in procs.read_text().split())
            except OSError:  # a cgroup that went away, or a threaded one (EOPNOTSUPP)
                continue
    found = (identify(pid) for pid in pids - _ourselves() if pid > 0)
    return [process for process in found if process is not None]


def markers() -> set[str]:
    """The value of `MARKER` of every process that has one: the state folders of clusters."""
    prefix = f"{MARKER}=".encode()
    return {
        entry.removeprefix(prefix).decode(errors="replace")
        for pid in _pids()
        for entry in _environment(pid)
        if entry.startswith(prefix)
    }


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None


def _in_namespace(pid: int, inodes: set[tuple[int, int]]) -> bool:
    statuses = (_stat(Path(f"/proc/{pid}/ns/{kind}")) for kind in ("net", "mnt"))
    return any(
        status is not None and (status.st_dev, status.st_ino) in inodes for status in statuses
    )


def _environment(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return []
