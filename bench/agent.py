"""What the agent costs in a pod: memory, start, CPU, and one look beside the usual ways to look.

``python bench/agent.py`` opens connections from another network namespace to one of its own (as
root; else fewer, on loopback) and prints a table for a pod that serves and one for each number of
connections. The resources that the webhook requests for the injected container follow from them.
"""

import argparse
import statistics
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
# The agent must find its package as in its image, and no module by this folder's names.
sys.path[:1] = [str(ROOT / "operator"), str(ROOT)]

from bench.pod.agent_process import agent  # noqa: E402 # the path comes first
from bench.pod.connections import connections  # noqa: E402 # the same
from bench.pod.looks import AGENT, compare  # noqa: E402 # the same
from bench.pod.network import Network, enter_namespace, network  # noqa: E402 # the same

#: Seconds until a drain looks at its pace, and of CPU measured then.
_WARM: Final = 5.0
_DRAINING: Final = 20.0


def report_start(rounds: int, seconds: float) -> None:
    """Print the table of an agent that serves nobody."""
    status, listening, resident, own = [], [], [], []
    for _ in range(rounds):
        with agent() as running:
            status.append(running.wait_for(running.status_file.exists))
            listening.append(running.wait_for(running.listens))
            resident.append(running.memory())
            own.append(running.memory("RssAnon"))
    with agent() as running:
        running.wait_for(running.listens)
        idle = running.cpu(seconds)
        after = running.memory()
    _rows(
        ("a pod that serves", ""),
        ("start to status file", f"{statistics.median(status) * 1000:.0f} ms"),
        ("start to listening", f"{statistics.median(listening) * 1000:.0f} ms"),
        (
            "memory (RSS) at start",
            "{:.1f} MB, {:.1f} MB of it not shared".format(
                *map(statistics.median, (resident, own))
            ),
        ),
        (f"the same after {seconds:.0f} s", f"{after:.1f} MB"),
        (f"idle CPU over {seconds:.0f} s", f"{idle:.2f} millicores"),
    )


def report_connections(place: Network, count: int, rounds: int, seconds: float) -> None:
    """Print the tables of a pod with ``count`` connections."""
    with connections(place, count) as ports:
        looks = compare(ports, rounds)
        with agent() as running:
            running.wait_for(running.listens)
            start = running.memory()
            idle = running.cpu(seconds)
            serving = running.memory()
            running.drain()
            running.cpu(_WARM)
            draining = running.cpu(_DRAINING)
            after, most = running.memory(), running.memory("VmHWM")
    assert looks[AGENT].sockets == count, f"{looks[AGENT].sockets} of {count} connections seen"
    assert all(look.sockets >= count for look in looks.values())
    first = looks[AGENT]
    sys.stdout.write(f"{f'{count:,} connections':<32}{'wall':>12}{'CPU':>12}{'times agent':>16}\n")
    for name, look in looks.items():
        ratio = f"{look.wall / first.wall:.2f} / {look.cpu / first.cpu:.2f}"
        sys.stdout.write(
            f"{name:<32}{look.wall * 1000:>9.1f} ms{look.cpu * 1000:>9.1f} ms{ratio:>16}\n"
        )
    grown = (
        f"{start:.1f} MB at start, {serving:.1f} serving, {after:.1f} draining, {most:.1f} at most"
    )
    _rows(
        ("CPU, serving", f"{idle:.2f} millicores over {seconds:.0f} s"),
        ("CPU, draining", f"{draining:.0f} millicores over {_DRAINING:.0f} s"),
        ("memory (RSS)", grown),
    )


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="looks and starts measured")
    parser.add_argument("--seconds", type=float, default=60.0, help="of an agent that serves")
    parser.add_argument("--connections", type=int, nargs="*", default=[100, 10_000, 50_000])
    options = parser.parse_args()
    enter_namespace()
    with network() as place:
        if place.remark:
            sys.stdout.write(f"{place.remark}\n\n")
        report_start(options.rounds, options.seconds)
        for count in options.connections:
            possible = count if place.most is None else min(count, place.most)
            report_connections(place, possible, options.rounds, options.seconds)


def _rows(*rows: tuple[str, str]) -> None:
    for name, value in rows:
        sys.stdout.write(f"{name:<32}{value}\n")
    sys.stdout.write("\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
