"""The control of a claim: the same act without the product, under the same load, loses requests."""

from collections.abc import Callable
from typing import Final

from e2e.load.report import LoadReport
from e2e.sample.manifests import Variant
from e2e.support import given, then, when
from e2e.support.world import World

#: Replicas and circumstances of controls that lost requests in this run: one holds for all of its
#: tests that roll the same service out under the same load.
_SHOWN: Final[set[tuple[int, str]]] = set()


def a_plain_rollout_loses_some(
    make: Callable[[str], World], *, replicas: int = 3, under: str = ""
) -> None:
    """Roll an unprotected service out under load, once in a run, and insist on losses.

    Args:
        make: makes its world.
        replicas: of its Deployment.
        under: what is otherwise than usual in the cluster.
    """
    if (replicas, under) not in _SHOWN:
        plainly_rolled_out(make("plain"), replicas=replicas)
        _SHOWN.add((replicas, under))


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
