"""Faults of the product and of the cluster in mid-rollout: what is promised under each."""

from collections.abc import Iterator

import pytest

from e2e.cluster.cluster import Cluster
from e2e.faults.catalogue import FAULTS, Fault
from e2e.faults.story import suffered, the_control, well_again
from e2e.support import then
from e2e.support.testbed import Testbed
from e2e.support.worlds import MakeWorld

_ALONE = pytest.mark.alone("a fault of the product or of the cluster, which all others would share")


@pytest.fixture
def mended(testbed: Testbed) -> Iterator[None]:
    """Bring cluster and product back to full strength afterwards."""
    yield
    well_again(testbed)


def test_without_the_product_requests_are_lost(make: MakeWorld) -> None:
    """The control of all others here: the same load can tell."""
    assert the_control(make("plain")).failed


def _faults(*, confined: bool) -> pytest.MarkDecorator:
    quick = [one for one in FAULTS if one.quick and one.confined is confined]
    return pytest.mark.parametrize("fault", [pytest.param(one, id=one.key) for one in quick])


@_ALONE
@pytest.mark.usefixtures("mended")
@_faults(confined=False)
def test_a_rollout_survives(make: MakeWorld, cluster: Cluster, fault: Fault) -> None:
    """It ends, no pod is kept from starting, and what is lost has a reason that is known."""
    _is_survived(make, cluster, fault)


@_faults(confined=True)
def test_a_rollout_survives_what_strikes_its_own_pods(
    make: MakeWorld, cluster: Cluster, fault: Fault
) -> None:
    """As well as what strikes all."""
    _is_survived(make, cluster, fault)


def _is_survived(make: MakeWorld, cluster: Cluster, fault: Fault) -> None:
    world = make(fault.key)
    row = suffered(world, cluster, fault)
    assert not row.breaks, f"{row.breaks}\n{row}\n{then.evidence(world)}"
