"""Balancers outside the cluster hear of a drain late, each in its own way, and lose nothing."""

import pytest

from e2e.balancers.running import Software
from e2e.balancers.story import AT_LEAST, LAG, rolled_out_behind_balancers
from e2e.sample.manifests import Variant
from e2e.support import then
from e2e.support.worlds import MakeWorld

pytestmark = pytest.mark.costs(200)

#: Both from Debian; ``python -m e2e.balancers`` adds Envoy.
_PROGRAMS = {Software.HAPROXY: "haproxy", Software.NGINX: "nginx"}


@pytest.mark.timeout(600, func_only=True)
def test_balancers_that_notice_late_lose_nothing(make: MakeWorld) -> None:
    """By ClusterIP, NodePorts of both policies, the status flag and DNS, all in one rollout.

    HAProxy believes a DNS answer, or a health check, for 15 s more; the DNS server's own cache
    adds up to 30 s. The control is what most people do, a preStop sleep of 10 s.
    """
    sleep, lossless = make("sleep"), make("lossless")

    control = rolled_out_behind_balancers(sleep, Variant.SLEEP, _PROGRAMS)
    cells = rolled_out_behind_balancers(lossless, Variant.LOSSLESS, _PROGRAMS)

    assert sum(cell.report.failed for cell in control), "the control lost none: proves nothing"
    for cell in cells:
        lossless.mark(f"{cell.software} by {cell.route}")
        then.nothing_was_lost(lossless, cell.report, at_least=AT_LEAST)
    last = then.the_rollout_drained(lossless, pods=3)
    assert last["seconds"] >= 3 * LAG, f"no drain outlasted the balancers: {last}"
