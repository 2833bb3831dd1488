"""The command line of the demo."""

import argparse
import sys
from pathlib import Path
from typing import Final

from e2e.cluster.progress import Progress
from e2e.demo.machine import made_on
from e2e.demo.page import demo_page
from e2e.demo.story import Story, verdict
from e2e.load.plan import CONNECTIONS
from e2e.sample.manifests import Variant
from e2e.support.programs import end_in_order_on_sigterm
from e2e.support.setbacks import SETBACKS
from lossless.plugin.exits import RefusedError
from lossless.plugin.pages.destination import STDOUT, check_destination, write_page

#: In the current folder, and not kept by git.
PAGE: Final = "lossless-demo.html"


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
    parser.add_argument(
        "--html", default=PAGE, metavar="FILE", help=f"where the page is written (default: {PAGE})"
    )
    options = parser.parse_args(arguments)
    try:
        variants = [Variant(name) for name in options.rows.split(",")]
    except ValueError as error:
        parser.error(f"--rows: {error}; choose from {', '.join(Variant)}")
    if options.connections < 1:
        parser.error(f"--connections {options.connections}: must be 1 or more")
    if options.html == STDOUT:
        parser.error("--html -: the demo itself writes to standard output; name a file")
    try:
        check_destination(options.html)
    except RefusedError as error:
        parser.error(str(error))
    end_in_order_on_sigterm()
    progress = Progress(sys.stdout)
    story = Story(progress, connections=options.connections, keep=options.keep)
    try:
        with story:
            made = made_on(story.testbed)
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
    try:
        write_page(demo_page(results, options.connections, made), options.html, sys.stdout)
    except RefusedError as error:
        progress.say(f"\nThere is no page: {error}")
    else:
        progress.say(f"\nThe same as a page, with charts: {Path(options.html).resolve()}")
    progress.say(story.where_to_look())
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
