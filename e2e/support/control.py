"""The control of a claim: the same act without the product, under the same load, loses requests."""

from e2e.load.report import LoadReport
from e2e.sample.manifests import Variant
from e2e.support import given, then, when
from e2e.support.world import World
from e2e.support.worlds import MakeWorld


def a_plain_rollout_loses_some(make: MakeWorld, *, replicas: int = 3, under: str = "") -> None:
    """Roll an unprotected service out under load, once in a run, and insist on losses.

    One holds for all stories of a run that roll the same service out under the same load.

    Args:
        make: makes its world.
        replicas: of its Deployment.
        under: what is otherwise than usual in the cluster.
    """
    with make.turns.once(f"plain-{replicas}-{under}") as wanted:
        if wanted:
            plainly_rolled_out(make("plain"), replicas=replicas)


def plainly_rolled_out(plain: World, *, replicas: int = 3) -> tuple[LoadReport, float]:
    """Roll an unprotected service out under load, and insist on losses.

    Returns:
        What the clients saw, and the seconds until no old pod was left.
    """
    given.the_service(plain, Variant.PLAIN, replicas=replicas)
    with given.load(plain) as load:
        seconds = when.rolled_out(plain)
        load.goes_on(requests=500)
    then.something_was_lost(plain, load.report)
    return load.report, seconds
