"""``python -m e2e.hosts``: three rolling publishes on three hosts under load, as a table."""

import argparse
import os
import subprocess
import sys

from e2e.cluster.errors import ClusterError
from e2e.cluster.progress import Progress
from e2e.hosts.machines import Times
from e2e.hosts.story import ROOT, site, table, tell, verdict
from e2e.hosts.ways import WAYS
from e2e.support.eventually import NeverHappened
from e2e.support.load import LoadFailed
from e2e.support.programs import end_in_order_on_sigterm

_EXPECTED = (ClusterError, LoadFailed, NeverHappened, subprocess.SubprocessError)


def main(arguments: list[str] | None = None) -> int:
    """Run it; 0 only if lossless lost none, was faster than the sleeps, and naive lost some."""
    parser = argparse.ArgumentParser(
        prog="python -m e2e.hosts",
        description="Publish on three hosts behind HAProxy under load: naively, with the seed's"
        " sleeps, and with lossless host rollout over SSH.",
    )
    parser.add_argument(
        "--rows",
        default=",".join(WAYS),
        help=f"comma-separated, from: {', '.join(WAYS)}; naive and lossless prove it",
    )
    parser.add_argument(
        "--scale",
        type=float,
        default=Times().scale,
        help="of the seed's 60 s and 10 s, for the sleeps and for lossless (default: %(default)s)",
    )
    options = parser.parse_args(arguments)
    ways = options.rows.split(",")
    unknown = [way for way in ways if way not in WAYS]
    if unknown:
        parser.error(f"--rows: {', '.join(unknown)}: choose from {', '.join(WAYS)}")
    if not 0 < options.scale <= 1:
        parser.error(f"--scale {options.scale}: must be above 0, up to 1")
    if os.geteuid() != 0:
        parser.error("network namespaces need root")
    end_in_order_on_sigterm()
    progress = Progress(sys.stdout)
    times = Times(options.scale)
    results = []
    try:
        with site(times) as made:
            for way in ways:
                with progress.step(f"rolling out: {way}"):
                    results.append(tell(made, way))
    except _EXPECTED as error:
        progress.say(f"\nIt could not be carried out: {error}\nFiles: {ROOT}")
        return 1
    except KeyboardInterrupt:
        progress.say("\nInterrupted; everything is removed.")
        return 130
    progress.say(
        f"\nThree hosts behind HAProxy; sleeps of {times.socket_timeout + times.health_check:g} s"
        f" and {times.health_check:g} s a host:\n"
    )
    progress.say(table(results))
    good, words = verdict(results)
    progress.say(words)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
