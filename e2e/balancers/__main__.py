"""``python -m e2e.balancers``: the table balancer by route, plain against lossless."""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from e2e.balancers.running import Software
from e2e.balancers.story import LAG, rolled_out_behind_balancers, table, verdict
from e2e.clients.catalogue import CLIENTS, Toolchain
from e2e.clients.toolchain import Missing, prepare
from e2e.cluster.paths import Paths
from e2e.cluster.progress import Progress
from e2e.cluster.topology import DEFAULT_PROXY_MODE, PROXY_MODES, ProxyMode
from e2e.sample.manifests import Variant
from e2e.support import install
from e2e.support.programs import end_in_order_on_sigterm
from e2e.support.setbacks import SETBACKS
from e2e.support.testbed import the_cluster
from e2e.support.world import clear_away, make_world, remove


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table; 0 only if lossless lost nothing and plain lost some."""
    parser = argparse.ArgumentParser(
        prog="python -m e2e.balancers",
        description="Roll a service out, plain and lossless, behind every balancer at once.",
    )
    parser.add_argument(
        "--proxy-mode",
        choices=PROXY_MODES,
        default=DEFAULT_PROXY_MODE,
        help="kube-proxy's meanwhile (default: %(default)s)",
    )
    mode: ProxyMode = parser.parse_args(argv).proxy_mode
    end_in_order_on_sigterm()
    progress = Progress(sys.stdout)
    wheels = prepare(
        [client for client in CLIENTS if client.toolchain is Toolchain.PYTHON],
        Paths.of_user(),
        progress,
    )[Toolchain.PYTHON]
    if isinstance(wheels, Missing):
        progress.say(f"Envoy cannot be had: {wheels}")
        return 1
    programs = {
        Software.HAPROXY: "haproxy",
        Software.NGINX: "nginx",
        Software.ENVOY: str(wheels.folder / "bin" / "envoy"),
    }
    try:
        with (
            the_cluster(progress) as testbed,
            nullcontext() if mode == DEFAULT_PROXY_MODE else testbed.proxied_by(mode),
            tempfile.TemporaryDirectory() as logs,
        ):
            images = install.build_images(testbed)
            install.install_chart(testbed, images)
            seen = {}
            for variant in (Variant.PLAIN, Variant.LOSSLESS):
                name = f"balancers-{variant}"
                clear_away(testbed, name)
                world = make_world(testbed, images, name, Path(logs, variant))
                try:
                    with progress.step(f"A {variant} rollout of three pods behind all balancers"):
                        seen[variant] = rolled_out_behind_balancers(world, variant, programs)
                finally:
                    remove(world)
    except SETBACKS as reason:
        progress.say(f"The table could not be made: {reason}")
        return 1
    progress.say(f"\n{table(seen[Variant.PLAIN], seen[Variant.LOSSLESS])}")
    good, words = verdict(seen[Variant.PLAIN], seen[Variant.LOSSLESS])
    progress.say(f"\n{words} Every balancer is {LAG} s late to notice what it is not told.")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
