"""``python -m e2e.faults``: the table fault by fault, with a plain rollout as its control."""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from e2e.cluster.cluster import Cluster
from e2e.cluster.progress import Progress
from e2e.faults.catalogue import FAULTS, Fault
from e2e.faults.story import suffered, the_control, well_again
from e2e.faults.table import Row, table, verdict
from e2e.support import install
from e2e.support.install import Images
from e2e.support.programs import end_in_order_on_sigterm
from e2e.support.setbacks import SETBACKS
from e2e.support.testbed import Testbed, the_cluster
from e2e.support.world import clear_away, make_world, remove


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 0 only if every promise is kept and the control lost some."""
    chosen = _chosen(arguments)
    progress = Progress(sys.stdout)
    # What a fault has broken must be mended on the way out.
    end_in_order_on_sigterm()
    try:
        with the_cluster(progress) as testbed, tempfile.TemporaryDirectory() as logs:
            images = install.build_images(testbed)
            install.install_chart(testbed, images)
            cluster = Cluster.current()
            plain, rows, setbacks = _told(testbed, images, cluster, chosen, Path(logs), progress)
    except SETBACKS as reason:
        progress.say(f"The table could not be made: {reason}")
        return 1
    progress.say(f"\n{table(plain, rows)}")
    good, words = verdict(plain, rows)
    progress.say(f"\n{words}")
    for fault, setback in setbacks:
        progress.say(f"NOT SHOWN: {fault.name} {fault.moment}: {setback}")
    return 0 if good and not setbacks else 1


def _told(  # noqa: PLR0913, PLR0917 # what a run consists of
    testbed: Testbed,
    images: Images,
    cluster: Cluster,
    chosen: Sequence[Fault],
    logs: Path,
    progress: Progress,
) -> tuple[Row, list[Row], list[tuple[Fault, BaseException]]]:
    """Return the control, a row for each fault, and what came between some of them and a row."""
    clear_away(testbed, "faults-plain")
    world = make_world(testbed, images, "faults-plain", logs / "plain")
    try:
        with progress.step("A plain rollout, without any fault"):
            plain = the_control(world)
    finally:
        remove(world)
    rows: list[Row] = []
    setbacks: list[tuple[Fault, BaseException]] = []
    for fault in chosen:
        try:
            with progress.step(f"{fault.name}, {fault.moment}"):
                rows.append(_under(fault, testbed, images, cluster, logs))
        except (*SETBACKS, AssertionError, LookupError) as reason:
            setbacks.append((fault, reason))
            progress.say(f"  {reason}")
        else:
            progress.say(f"  {rows[-1]}")
    return plain, rows, setbacks


def _under(fault: Fault, testbed: Testbed, images: Images, cluster: Cluster, logs: Path) -> Row:
    name = f"faults-{fault.key}"
    clear_away(testbed, name)
    world = make_world(testbed, images, name, logs / fault.key)
    try:
        return suffered(world, cluster, fault)
    finally:
        # First the cluster: without it nothing can be removed.
        well_again(testbed)
        remove(world)


def _chosen(arguments: Sequence[str] | None) -> list[Fault]:
    keys = [fault.key for fault in FAULTS]
    parser = argparse.ArgumentParser(prog="python -m e2e.faults", description=__doc__)
    parser.add_argument("faults", nargs="*", metavar="FAULT", help=f"of {', '.join(keys)}")
    wanted = parser.parse_args(arguments).faults
    unknown = sorted(set(wanted) - set(keys))
    if unknown:
        parser.error(f"no such fault: {', '.join(unknown)}; choose of {', '.join(keys)}")
    named = {fault.key: fault for fault in FAULTS}
    return [named[key] for key in wanted or keys]


if __name__ == "__main__":
    sys.exit(main())
