"""What is left behind when the product is removed: no webhook, and no gate that is shut."""

from collections.abc import AsyncIterator

import pytest

from lossless.cluster.client import Client
from lossless.cluster.errors import GoneError
from lossless.cluster.watching import PAGE
from lossless.commands.release import release
from lossless.model.names import GATE, WEBHOOK_CONFIGURATION
from tests.support.fake_kubernetes import FakeKubernetes, fake_kubernetes
from tests.support.raw_objects import PODS, raw_pod

CONFIGURATION = (
    "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/" + WEBHOOK_CONFIGURATION
)
ADVICE = CONFIGURATION.replace("mutating", "validating")


@pytest.fixture
async def api() -> AsyncIterator[tuple[FakeKubernetes, Client]]:
    """A held pod, one whose gate nobody has looked at, one that serves, one that terminates."""
    async with fake_kubernetes() as (fake, client):
        fake.put(CONFIGURATION, {"webhooks": [{"name": "pods.lossless.dev"}]})
        fake.put(ADVICE, {"webhooks": [{"name": "losslessrollouts.lossless.dev"}]})
        fake.put(f"{PODS}/held", raw_pod("held", ready=False, gate=False))
        fake.put(f"{PODS}/fresh", raw_pod("fresh", ready=False, gate=None))
        fake.put(f"{PODS}/serving", raw_pod("serving", gate=True))
        yield fake, client


def _gate_of(fake: FakeKubernetes, pod: str) -> str:
    conditions = fake.objects[f"{PODS}/{pod}"]["status"]["conditions"]
    return next(str(c["status"]) for c in conditions if c["type"] == GATE)


async def test_injection_ends_before_the_gates_open(api: tuple[FakeKubernetes, Client]) -> None:
    """In the other order a pod could be injected after the last look, and be held for ever."""
    fake, client = api

    assert await release(client, settle=0) == 2

    assert not {CONFIGURATION, ADVICE} & fake.objects.keys()
    assert fake.writes[0][:2] == ("DELETE", CONFIGURATION)
    assert [_gate_of(fake, pod) for pod in ("held", "fresh", "serving")] == ["True"] * 3


async def test_a_second_removal_finds_nothing_to_do(api: tuple[FakeKubernetes, Client]) -> None:
    """The hook of a removal that failed half-way runs again."""
    fake, client = api
    await release(client, settle=0)
    written = len(fake.writes)

    assert await release(client, settle=0) == 0

    assert [write for write in fake.writes[written:] if write[0] == "PATCH"] == []


#: So many that the pods at the end are on the third page.
MANY = 2 * PAGE + 1


def _fill(fake: FakeKubernetes) -> None:
    """Add pods that serve on all pages, and one that is held at the end of each."""
    for number in range(MANY):
        last = number % PAGE == PAGE - 10 or number == MANY - 1
        name = f"many-{number:04}"
        fake.put(f"{PODS}/{name}", raw_pod(name, ready=not last, gate=not last))


async def test_the_pods_are_read_by_the_page(api: tuple[FakeKubernetes, Client]) -> None:
    """All pods of a large cluster at once are more than the memory of the Job that removes."""
    fake, client = api
    _fill(fake)

    assert await release(client, settle=0) == 5

    assert fake.longest_page == PAGE
    assert {_gate_of(fake, path.rpartition("/")[2]) for path in fake.objects} == {"True"}


async def test_a_list_that_has_expired_begins_anew(api: tuple[FakeKubernetes, Client]) -> None:
    """An API server keeps the state that a list began with for some minutes only."""
    fake, client = api
    _fill(fake)

    def compact_once(method: str, _path: str) -> None:
        if method == "PATCH" and not fake.written("PATCH", PODS):
            fake.compact()

    fake.refuse = compact_once

    assert await release(client, settle=0) == 5

    assert fake.requests.count("GET /api/v1/pods") == 1 + 1 + 3
    assert {_gate_of(fake, path.rpartition("/")[2]) for path in fake.objects} == {"True"}


async def test_a_list_that_always_expires_ends(api: tuple[FakeKubernetes, Client]) -> None:
    """Without a gate opened in between, the next attempt would end as this one did."""
    fake, client = api
    _fill(fake)

    def forget(_method: str, _path: str) -> None:
        fake.compact()

    fake.refuse = forget

    with pytest.raises(GoneError, match="410"):
        await release(client, settle=0)

    assert fake.requests.count("GET /api/v1/pods") == 4
