"""The command line of the proof."""

import argparse
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from e2e.clients.catalogue import CLIENTS
from e2e.clients.report import ClientReport
from e2e.clients.toolchain import prepare
from e2e.cluster.paths import Paths
from e2e.cluster.progress import Progress
from e2e.proof.matrix import Row, render, verdict
from e2e.proof.proxies import PROXIES, Proxy
from e2e.proof.running import ClientFailed
from e2e.proof.story import AT_LEAST, Scope, Setting, account, rolled_out_under_every_client, rows
from e2e.sample.manifests import Variant
from e2e.support import install
from e2e.support.programs import end_in_order_on_sigterm
from e2e.support.setbacks import SETBACKS
from e2e.support.testbed import Testbed, the_cluster
from e2e.support.world import World, clear_away, make_world, remove

_EXPECTED: Final = (ClientFailed, *SETBACKS)
#: Control first: if it loses nothing, the rest would prove nothing.
_VARIANTS: Final = (Variant.PLAIN, Variant.LOSSLESS)


class Proof:
    """Brings everything up, then tries one proxy after the other."""

    def __init__(self, progress: Progress, scope: Scope) -> None:
        self._progress = progress
        self._scope = scope

    def carried_out(self, proxies: list[Proxy]) -> list[Row]:
        """Return the rows of all proxies."""
        prepared = prepare(CLIENTS, Paths.of_user(), self._progress)
        with ExitStack() as stack:
            logs = Path(stack.enter_context(TemporaryDirectory(prefix="lossless-proof-")))
            testbed = stack.enter_context(the_cluster(self._progress))
            images = install.build_images(testbed)
            setting = Setting(install.build_proof_image(testbed), prepared, self._scope)
            with self._progress.step("Installing the chart"):
                install.install_chart(testbed, images)
            make = partial(_world, testbed, images, logs)
            return [row for proxy in proxies for row in self._tried(make, proxy, setting)]

    def _tried(self, make: Callable[[str], World], proxy: Proxy, setting: Setting) -> list[Row]:
        reports = {}
        for variant in _VARIANTS:
            world = make(f"proof-{proxy.name}-{variant}")
            with ExitStack() as stack:
                stack.callback(remove, world)
                with self._progress.step(f"{proxy.name}: a {variant} rollout under every client"):
                    seen = self._rolled_out(world, proxy, variant, setting)
                reports[variant] = seen
                lost = sum(report.failed for report in seen.values())
                self._progress.say(f"  {lost} requests lost")
                if lost and variant is Variant.LOSSLESS:
                    self._progress.say(account(world))
        return rows(proxy, setting, reports)

    def _rolled_out(
        self, world: World, proxy: Proxy, variant: Variant, setting: Setting
    ) -> Mapping[tuple[str, str], ClientReport]:
        try:
            return rolled_out_under_every_client(world, proxy, variant, setting)
        except _EXPECTED:
            self._progress.say(account(world))
            raise


def _world(testbed: Testbed, images: install.Images, logs: Path, name: str) -> World:
    """Return a new world, in place of one that an earlier run has left."""
    clear_away(testbed, name)
    return make_world(testbed, images, name, logs / name)


def main(arguments: list[str] | None = None) -> int:
    """Run the proof; 0 only if every lossless cell is zero or explained, and each control lost."""
    parser = argparse.ArgumentParser(
        prog="python -m e2e.proof",
        description="Roll a service out, plain and lossless, under every client at once.",
    )
    parser.add_argument(
        "--proxies",
        default=",".join(PROXIES),
        help=f"comma-separated, from: {', '.join(PROXIES)} (default: all)",
    )
    parser.add_argument(
        "--slow", type=float, default=30.0, help="seconds that slow answers take (default: 30)"
    )
    options = parser.parse_args(arguments)
    names = options.proxies.split(",")
    if unknown := [name for name in names if name not in PROXIES]:
        parser.error(f"--proxies: no {', '.join(unknown)}; choose from {', '.join(PROXIES)}")
    if options.slow <= 0:
        parser.error(f"--slow {options.slow:g}: must be more than 0")
    end_in_order_on_sigterm()
    progress = Progress(sys.stdout)
    proxies = [PROXIES[name] for name in names]
    try:
        found = Proof(progress, Scope(slow_seconds=options.slow)).carried_out(proxies)
    except _EXPECTED as error:
        progress.say(f"\nThe proof could not be carried out: {error}")
        return 2
    required = os.environ.get("LOSSLESS_E2E") == "required"
    good, against = verdict(found, at_least=AT_LEAST, required=required)
    progress.say(f"\n{render(found)}")
    for proxy in proxies:
        for protocol, reason in proxy.left_out.items():
            progress.say(f"not tried: {protocol} through {proxy.name}: {reason}")
    progress.say("\nProved." if good else "\nNOT PROVED:\n  " + "\n  ".join(against))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
