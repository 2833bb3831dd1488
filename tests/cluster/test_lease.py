"""The Lease: taken, renewed and released with optimistic locking."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from lossless.cluster.lease import Lease, LeaseStore
from tests.support.fake_kubernetes import FakeKubernetes, fake_kubernetes

PATH = "/apis/coordination.k8s.io/v1/namespaces/lossless/leases/lossless-controller"
NOW = 1_800_000_000.25
FREE = Lease("", 0, "", "", 0, "7")


@pytest.fixture
async def lease() -> AsyncIterator[tuple[FakeKubernetes, LeaseStore]]:
    """No Lease yet."""
    async with fake_kubernetes() as (fake, client):
        yield fake, LeaseStore(client, "lossless", "lossless-controller")


async def test_the_first_makes_it(lease: tuple[FakeKubernetes, LeaseStore]) -> None:
    """In the form that kubectl and the webhook read."""
    fake, store = lease

    taken = await store.take(await store.read(), "a", 15, NOW)

    assert taken is not None
    assert fake.objects[PATH]["spec"] == {
        "holderIdentity": "a",
        "leaseDurationSeconds": 15,
        "acquireTime": "2027-01-15T08:00:00.250000Z",
        "renewTime": "2027-01-15T08:00:00.250000Z",
        "leaseTransitions": 0,
    }


async def test_a_renewal_keeps_when_it_was_acquired(
    lease: tuple[FakeKubernetes, LeaseStore],
) -> None:
    """A takeover does not, and counts."""
    _, store = lease
    first = await store.take(None, "a", 15, NOW)

    renewed = await store.take(first, "a", 15, NOW + 2)
    taken_over = await store.take(renewed, "b", 15, NOW + 60)

    assert first is not None
    assert renewed is not None
    assert taken_over is not None
    assert renewed.acquired == first.acquired < renewed.renewed
    assert (taken_over.transitions, taken_over.acquired) == (1, taken_over.renewed)


async def test_who_has_not_seen_the_newest_does_not_get_it(
    lease: tuple[FakeKubernetes, LeaseStore],
) -> None:
    """Of two that found it free, one gets it."""
    _, store = lease
    seen = await store.take(None, "a", 15, NOW)

    first, second = await store.take(seen, "b", 15, NOW), await store.take(seen, "c", 15, NOW)

    assert first is not None
    assert second is None
    assert await store.take(None, "d", 15, NOW) is None


async def test_a_released_lease_has_no_holder(
    lease: tuple[FakeKubernetes, LeaseStore],
) -> None:
    """Whoever reads it next may take it at once."""
    _, store = lease
    held = await store.take(None, "a", 15, NOW)
    assert held is not None

    await store.release(held, NOW + 1)
    seen = await store.read()

    assert seen is not None
    assert (seen.holder, seen.duration) == ("", 1)


@pytest.mark.parametrize(
    ("spec", "parsed"),
    [
        pytest.param(
            {"holderIdentity": "a", "renewTime": "t", "leaseDurationSeconds": 15},
            Lease("a", 15, "t", "", 0, "7"),
            id="whole",
        ),
        pytest.param(
            {"holderIdentity": "a", "acquireTime": "s", "leaseTransitions": 3},
            Lease("a", 0, "", "s", 3, "7"),
            id="of-its-past",
        ),
        pytest.param({"leaseDurationSeconds": "15"}, FREE, id="duration-as-text"),
        pytest.param({"leaseDurationSeconds": True}, FREE, id="duration-as-bool"),
        pytest.param({"leaseDurationSeconds": -1}, FREE, id="negative-duration"),
        pytest.param({"holderIdentity": None}, FREE, id="nulls"),
        pytest.param("none", FREE, id="text"),
        pytest.param(None, FREE, id="no-spec"),
    ],
)
def test_a_lease_is_parsed(spec: Any, parsed: Lease) -> None:
    """What is missing or strange makes a Lease that nobody holds, or that never lasts."""
    assert Lease.parse({"metadata": {"resourceVersion": "7"}, "spec": spec}) == parsed


def test_a_lease_that_says_nothing_is_free() -> None:
    """Another program may have made it."""
    assert Lease.parse({}) == Lease("", 0, "", "", 0, "")
