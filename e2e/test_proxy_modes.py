"""kube-proxy leads connections to pods by nftables as well, and late as well."""

import subprocess
from collections.abc import Iterator
from typing import Final

import pytest

from e2e.cluster.network import in_namespace
from e2e.conftest import cannot_be_shown
from e2e.sample.manifests import Variant
from e2e.support import control, given, then, when
from e2e.support.testbed import Testbed
from e2e.support.worlds import MakeWorld

pytestmark = pytest.mark.alone("all kube-proxies are restarted")

#: The commands that print a node's rules. iptables' own are tables of nftables, too, in Debian,
#: so only kube-proxy's table is asked for.
_TOOLS: Final = {
    "nftables": ("nft", "list", "table", "ip", "kube-proxy"),
    "iptables": ("iptables-save", "-t", "nat"),
}


@pytest.fixture
def nftables(testbed: Testbed) -> Iterator[None]:
    """Have the cluster's kube-proxies use nftables meanwhile."""
    if not testbed.is_local:
        cannot_be_shown("the kube-proxies of this cluster are not ours to change")
    with testbed.proxied_by("nftables"):
        yield


@pytest.mark.usefixtures("nftables")
def test_a_rolling_update_by_nftables_loses_nothing(make: MakeWorld, testbed: Testbed) -> None:
    """Services are led by nftables, and by nothing that the other mode has left."""
    lossless = make("lossless")

    control.a_plain_rollout_loses_some(make, under="nftables")
    given.the_service(lossless, Variant.LOSSLESS)
    with given.load(lossless, via=given.another_way_in(lossless)) as load:
        rules = {tool: _rules(testbed, tool, lossless.service_address()) for tool in _TOOLS}
        when.rolled_out(lossless)
        load.goes_on(requests=2000)

    then.nothing_was_lost(lossless, load.report)
    assert rules["nftables"], "kube-proxy has no rule for the Service"
    assert not rules["iptables"], "what the other mode has left may lead connections, too"


def _rules(testbed: Testbed, tool: str, address: str) -> list[str]:
    """Return the rules, of all nodes, in which a Service's address stands."""
    nodes = [str(node["metadata"]["name"]) for node in testbed.kubectl.list("nodes")]
    return [
        line
        for node in nodes
        for line in subprocess.run(
            [*in_namespace(f"lossless-{node}"), *_TOOLS[tool]],
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        ).stdout.splitlines()
        if address in line
    ]
