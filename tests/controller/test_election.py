"""One leads: it stops before another begins, and lets go when it ends."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from lossless.cluster.client import Client
from lossless.cluster.lease import LeaseStore
from lossless.controller.election import Election
from lossless.controller.options import ElectionTiming
from tests.support.fake_kubernetes import FakeKubernetes, fake_kubernetes
from tests.support.waiting import eventually

PATH = "/apis/coordination.k8s.io/v1/namespaces/lossless/leases/lossless-controller"
QUICK = ElectionTiming(duration=3, renew=2, retry=0.05)
#: What takes so long does not happen in a test.
SLOW = ElectionTiming(duration=60, renew=40, retry=0.05)


class Candidate:
    """A process that takes part."""

    def __init__(self, client: Client, name: str, timing: ElectionTiming = QUICK) -> None:
        store = LeaseStore(client, "lossless", "lossless-controller")
        self.election = Election(store, name, timing)
        self.working = False
        self.terms = 0
        self.fails = asyncio.Event()
        self.task = asyncio.create_task(self.election.run(self.work))

    async def work(self) -> None:
        """Work until told to stop, or fail if a test says so."""
        self.working, self.terms = True, self.terms + 1
        try:
            await self.fails.wait()
            raise RuntimeError("the work failed")
        finally:
            self.working = False

    async def end(self) -> None:
        """End as on SIGTERM."""
        self.task.cancel()
        await asyncio.wait({self.task})


@pytest.fixture
async def api() -> AsyncIterator[tuple[FakeKubernetes, Client]]:
    """No Lease yet."""
    async with fake_kubernetes() as (fake, client):
        yield fake, client


def holder(fake: FakeKubernetes) -> str:
    """Return who holds the Lease."""
    return str(fake.objects[PATH]["spec"]["holderIdentity"])


async def test_one_of_two_leads(api: tuple[FakeKubernetes, Client]) -> None:
    """The other stands by, for as long as the first renews."""
    fake, client = api
    first, second = Candidate(client, "a"), Candidate(client, "b")
    await eventually(lambda: first.working or second.working)
    await asyncio.sleep(QUICK.duration * 1.5)

    assert first.working != second.working
    assert first.election.leading() != second.election.leading()
    assert holder(fake) == ("a" if first.working else "b")
    await first.end()
    await second.end()


async def test_who_ends_in_order_lets_go(api: tuple[FakeKubernetes, Client]) -> None:
    """The next one does not wait for the Lease to expire."""
    fake, client = api
    first = Candidate(client, "a", SLOW)
    await eventually(lambda: first.working)
    second = Candidate(client, "b", SLOW)

    await first.end()
    released = holder(fake)
    await eventually(lambda: second.working)

    assert (first.working, first.election.leading()) == (False, False)
    assert released in {"", "b"}
    await second.end()


async def test_who_vanishes_is_succeeded_when_its_lease_has_expired(
    api: tuple[FakeKubernetes, Client],
) -> None:
    """By the clock of the one who watches, not by the times in the Lease."""
    fake, client = api
    spec = {
        "holderIdentity": "gone",
        "leaseDurationSeconds": QUICK.duration,
        "renewTime": "2001-01-01T00:00:00.000000Z",
    }
    fake.put(PATH, {"spec": spec})
    began = asyncio.get_running_loop().time()
    second = Candidate(client, "b")
    await eventually(lambda: second.working)
    took = asyncio.get_running_loop().time() - began

    assert took >= QUICK.duration
    await second.end()


async def test_who_cannot_renew_stops_before_another_may_begin(
    api: tuple[FakeKubernetes, Client],
) -> None:
    """An API server that cannot be reached is no reason to end, but to stop acting."""
    fake, client = api
    timing = ElectionTiming(duration=6, renew=0.6, retry=0.05)
    candidate = Candidate(client, "a", timing)
    await eventually(lambda: candidate.working)
    fake.refuse = lambda _method, _path: 503
    lost = asyncio.get_running_loop().time()
    await eventually(lambda: not candidate.working)
    took = asyncio.get_running_loop().time() - lost

    assert took < timing.duration
    assert not candidate.election.leading()
    assert not candidate.task.done()
    fake.refuse = lambda _method, _path: None
    await eventually(lambda: candidate.working)
    assert candidate.terms == 2
    await candidate.end()


async def test_who_is_robbed_of_the_lease_stops_at_once(
    api: tuple[FakeKubernetes, Client],
) -> None:
    """Somebody has edited the Lease."""
    fake, client = api
    candidate = Candidate(client, "a", SLOW)
    await eventually(lambda: candidate.working)

    spec = fake.objects[PATH]["spec"] | {"holderIdentity": "thief", "leaseDurationSeconds": 30}
    fake.put(PATH, {"spec": spec})
    await eventually(lambda: not candidate.working)

    assert holder(fake) == "thief"
    await candidate.end()
    assert holder(fake) == "thief"


async def test_a_touched_lease_that_is_still_ours_is_kept(
    api: tuple[FakeKubernetes, Client],
) -> None:
    """For example an annotation, or our own renewal whose answer got lost."""
    fake, client = api
    candidate = Candidate(client, "a")
    await eventually(lambda: candidate.working)
    for _ in range(5):
        fake.put(PATH, fake.objects[PATH])
        await asyncio.sleep(0.05)
    await asyncio.sleep(QUICK.renew)

    assert (candidate.working, candidate.terms) == (True, 1)
    await candidate.end()


async def test_a_failure_at_work_ends_the_process_and_lets_go(
    api: tuple[FakeKubernetes, Client],
) -> None:
    """Whoever started it hears of it; somebody else goes on."""
    fake, client = api
    candidate = Candidate(client, "a")
    await eventually(lambda: candidate.working)

    candidate.fails.set()
    with pytest.raises(RuntimeError, match="the work failed"):
        await asyncio.wait_for(candidate.task, 2)

    assert holder(fake) == ""


async def test_a_process_that_slept_does_not_act_on_an_old_lease(
    api: tuple[FakeKubernetes, Client],
) -> None:
    """A frozen process that wakes up knows before its tasks do."""
    _, client = api
    now = 0.0
    store = LeaseStore(client, "lossless", "lossless-controller")
    election = Election(store, "a", ElectionTiming(), clock=lambda: now)
    seen: list[bool] = []

    async def work() -> None:
        nonlocal now
        seen.append(election.leading())
        now += 10.1
        seen.append(election.leading())

    task = asyncio.create_task(election.run(work))
    await eventually(lambda: len(seen) >= 2)
    task.cancel()
    await asyncio.wait({task})

    assert seen[:2] == [True, False]


@pytest.mark.parametrize(
    ("duration", "renew", "retry"),
    [pytest.param(10, 10.0, 2.0, id="renew"), pytest.param(15, 2.0, 2.0, id="retry")],
)
def test_timings_that_would_let_two_lead_are_refused(
    duration: int, renew: float, retry: float
) -> None:
    """Each must be shorter than the next."""
    with pytest.raises(ValueError, match="shorter than the next"):
        ElectionTiming(duration, renew, retry)
