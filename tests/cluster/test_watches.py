"""One kind of object in several namespaces: one store, and no namespace that stops the others."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from lossless.cluster.client import Client
from lossless.cluster.objects import metadata_of
from lossless.cluster.watches import Watches
from lossless.cluster.watching import Change, Changed
from lossless.model.scope import Scope
from tests.support.fake_kubernetes import FakeKubernetes, fake_kubernetes
from tests.support.waiting import eventually

PODS = "/api/v1/namespaces/{}/pods"


@pytest.fixture
async def cluster() -> AsyncIterator[tuple[FakeKubernetes, Client]]:
    """One pod in each of three namespaces."""
    async with fake_kubernetes() as (fake, client):
        for namespace in ("shop", "bank", "other"):
            fake.put(f"{PODS.format(namespace)}/{namespace}-1", {})
        yield fake, client


class Followed:
    """Watches that are being followed, and what they said."""

    def __init__(self, client: Client, scope: Scope) -> None:
        self.said: list[tuple[Change, str]] = []
        self.watches: Watches[str] = Watches(
            client, "v1", "pods", lambda raw: str(metadata_of(raw)["name"]), scope
        )
        self.task = asyncio.create_task(self.watches.follow(self.take))

    def take(self, changed: Changed[str]) -> None:
        """Note a change."""
        self.said.append((changed.change, changed.object))

    async def end(self) -> None:
        """Follow no more."""
        self.task.cancel()
        await asyncio.wait({self.task})


@pytest.mark.parametrize(
    ("scope", "seen"),
    [
        pytest.param(Scope(), ["bank-1", "other-1", "shop-1"], id="whole-cluster"),
        pytest.param(Scope(("shop", "bank")), ["bank-1", "shop-1"], id="named"),
    ],
)
async def test_what_is_followed(
    cluster: tuple[FakeKubernetes, Client], scope: Scope, seen: list[str]
) -> None:
    """Everything of the named namespaces in one store, and nothing of others is asked for."""
    fake, client = cluster
    followed = Followed(client, scope)
    await eventually(lambda: followed.watches.synced and len(followed.watches.objects) == len(seen))
    await eventually(lambda: sum(watch for *_, watch in fake.calls) == len(scope.collections))
    fake.remove(f"{PODS.format('shop')}/shop-1")
    await eventually(lambda: (Change.DELETED, "shop-1") in followed.said)
    await followed.end()

    assert sorted(name for change, name in followed.said if change is Change.ADDED) == seen
    assert "shop-1" not in followed.watches.objects
    assert followed.watches.silence() < 5
    if scope.namespaces:
        assert {path for _, path, _ in fake.calls} == {PODS.format(n) for n in scope.namespaces}


@pytest.mark.parametrize(
    ("refused", "synced"),
    [
        pytest.param({"bank"}, True, id="one"),
        pytest.param({"bank", "shop"}, False, id="all"),
    ],
)
async def test_a_namespace_that_refuses(
    cluster: tuple[FakeKubernetes, Client], refused: set[str], *, synced: bool
) -> None:
    """It keeps nobody else from being served; but who is refused everywhere has seen nothing."""
    fake, client = cluster
    refusals: list[str] = []

    def refuse(_: str, path: str) -> int | None:
        if any(f"/{namespace}/" in path for namespace in refused):
            refusals.append(path)
            return 403
        return None

    fake.refuse = refuse
    followed = Followed(client, Scope(("shop", "bank")))
    await eventually(lambda: len({*refusals}) == len(refused))
    await eventually(lambda: synced == bool(followed.watches.objects))
    await eventually(lambda: followed.watches.synced is synced)
    heard = followed.watches.silence()
    fake.refuse = lambda _method, _path: None
    await eventually(lambda: sorted(followed.watches.objects) == ["bank-1", "shop-1"])
    after = followed.watches.synced
    await followed.end()

    assert after
    assert heard < 5 if synced else heard == float("inf")


async def test_what_the_taker_raises_ends_all(cluster: tuple[FakeKubernetes, Client]) -> None:
    """Whoever follows would otherwise live on with half of its watches."""
    _, client = cluster
    watches: Watches[str] = Watches(client, "v1", "pods", lambda _: "", Scope(("shop", "bank")))

    def take(_: Changed[str]) -> None:
        raise RuntimeError("no")

    with pytest.raises(ExceptionGroup):
        await asyncio.wait_for(watches.follow(take), 5)
