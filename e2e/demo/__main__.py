"""The command line of the demo."""

import argparse
import sys

from e2e.cluster.progress import Progress
from e2e.demo.story import Story, verdict
from e2e.load.plan import CONNECTIONS
from e2e.sample.manifests import Variant
from e2e.support.setbacks import SETBACKS


def main(arguments: list[str] | None = None) -> int:
    """Run the demo; 0 only if lossless lost nothing and plain lost some."""
    parser = argparse.ArgumentParser(
        prog="python -m e2e.demo",
        description="Roll a service out under load: plain, with a preStop sleep, and lossless.",
    )
    parser.add_argument(
        "--rows",
        default=",".join(Variant),
        help=f"comma-separated, from: {', '.join(Variant)} (default: all)",
    )
    parser.add_argument(
        "--connections", type=int, default=CONNECTIONS, help="keep-alive clients of our own"
    )
    parser.add_argument(
        "--keep", action="store_true", help="keep the plain and the sleep service, too"
    )
    options = parser.parse_args(arguments)
    try:
        variants = [Variant(name) for name in options.rows.split(",")]
    except ValueError as error:
        parser.error(f"--rows: {error}; choose from {', '.join(Variant)}")
    if options.connections < 1:
        parser.error(f"--connections {options.connections}: must be 1 or more")
    progress = Progress(sys.stdout)
    story = Story(progress, connections=options.connections, keep=options.keep)
    try:
        with story:
            results = [story.tell(variant) for variant in variants]
    except SETBACKS as error:
        progress.say(f"\nThe demo could not be carried out: {error}")
        progress.say(story.where_to_look())
        return 1
    except KeyboardInterrupt:
        progress.say("\nInterrupted. `make down` removes the cluster.")
        return 130
    progress.say(story.table(results))
    good, words = verdict(results)
    progress.say(words)
    progress.say(story.where_to_look())
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
