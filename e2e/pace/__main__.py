"""``python -m e2e.pace``: rollouts of several sizes under load, by each pace, in one run."""

import argparse
import math
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from e2e.cluster.progress import Progress
from e2e.pace.table import Pace, Row, table, verdict
from e2e.sample.manifests import Variant
from e2e.support import given, install, when
from e2e.support.programs import end_in_order_on_sigterm
from e2e.support.setbacks import SETBACKS
from e2e.support.testbed import the_cluster
from e2e.support.timeline import Step
from e2e.support.world import World, clear_away, make_world, remove
from lossless.model.rollout.strategy import Strategy

_SIZES: Final = (3, 12, 30)
#: What the API server fills in for a Deployment that says nothing.
_STRATEGY: Final = Strategy()


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 0 only if lossless rollouts lost nothing and plain ones lost some."""
    parser = argparse.ArgumentParser(prog="python -m e2e.pace", description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, metavar="REPLICAS")
    sizes = parser.parse_args(arguments).sizes or list(_SIZES)
    progress = Progress(sys.stdout)
    end_in_order_on_sigterm()
    rows: list[Row] = []
    try:
        with the_cluster(progress) as testbed, tempfile.TemporaryDirectory() as logs:
            images = install.build_images(testbed)
            install.install_chart(testbed, images)
            for replicas in sizes:
                for pace in Pace:
                    name = f"pace-{pace.name.lower()}-{replicas}"
                    clear_away(testbed, name)
                    world = make_world(testbed, images, name, Path(logs) / name)
                    try:
                        with progress.step(f"{replicas} replicas, {pace}"):
                            rows.append(_rolled_out(world, replicas, pace))
                    finally:
                        remove(world)
    except SETBACKS as reason:
        progress.say(f"The table could not be made: {reason}")
        return 1
    progress.say(f"\n{table(rows)}")
    good, words = verdict(rows)
    progress.say(f"\n{words}")
    return 0 if good else 1


def _rolled_out(world: World, replicas: int, pace: Pace) -> Row:
    given.the_service(
        world, pace.variant, replicas=replicas, drain={}, spec={"pacing": pace.pacing}
    )
    when.the_strategy_is(world, _STRATEGY.max_surge, _STRATEGY.max_unavailable)
    with given.load(world) as load:
        seconds = when.rolled_out(world)
        load.goes_on(requests=1000)
    limit = None
    if pace.variant is Variant.LOSSLESS:
        wave = _STRATEGY.wave(replicas) if pace is Pace.OWN else 1
        limit = math.ceil(replicas / wave) * _of_a_wave(world.timeline.steps)
    report = load.report
    return Row(replicas, pace, seconds, report.requests, report.failed, limit)


def _of_a_wave(steps: Sequence[Step]) -> float:
    """Return how long a pod takes to start, and another to drain and end: the medians, added.

    Starts are those of the first deployment: a pod of a rollout may wait for its gate.
    """
    began = next(step.at for step in steps if step.what.startswith("rollout to"))
    starts = _between([step for step in steps if step.at < began], "created", "ready")
    return _median(starts) + _median(_between(steps, "asked to stop", "gone"))


def _between(steps: Sequence[Step], first: str, last: str) -> list[float]:
    begun: dict[str, float] = {}
    found = []
    for step in steps:
        if step.what.startswith(first):
            begun.setdefault(step.pod, step.at)
        elif step.what.startswith(last) and step.pod in begun:
            found.append(step.at - begun.pop(step.pod))
    return found


def _median(values: Sequence[float]) -> float:
    ordered = sorted(values)
    return ordered[len(ordered) // 2] if ordered else math.nan


if __name__ == "__main__":
    sys.exit(main())
