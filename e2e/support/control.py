"""The control of a claim: the same act without the product, under the same load, loses requests."""

from e2e.load.report import LoadReport
from e2e.sample.manifests import Variant
from e2e.support import given, then, when
from e2e.support.world import World


def a_plain_rollout_loses_some(plain: World, *, replicas: int = 3) -> tuple[LoadReport, float]:
    """Roll an unprotected service out under load, and insist that requests are lost.

    Returns:
        What the clients saw, and the seconds until no old pod was left.
    """
    given.the_service(plain, Variant.PLAIN, replicas=replicas)
    with given.load(plain) as load:
        seconds = when.rolled_out(plain)
        load.goes_on(requests=500)
    then.something_was_lost(plain, load.report)
    return load.report, seconds
