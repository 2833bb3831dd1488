"""Any number of replicas keep one Secret, and never one that is somebody else's."""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from lossless.cluster.client import Client
from lossless.cluster.errors import UnreachableError
from lossless.model.names import TLS_SECRET
from lossless.webhook.certificate import Material, make, renewed, service_names
from lossless.webhook.tls_secret import CertificateKeeper, load, server_context
from tests.support.fake_kubernetes import FakeKubernetes, fake_kubernetes
from tests.support.waiting import eventually
from tests.webhook.keys import encrypted

NAMESPACE = "lossless-system"
COLLECTION = f"/api/v1/namespaces/{NAMESPACE}/secrets"
PATH = f"{COLLECTION}/{TLS_SECRET}"
NAMES = service_names("lossless-webhook", NAMESPACE)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
async def cluster() -> AsyncIterator[tuple[FakeKubernetes, Client]]:
    """Return an API server and a client for it."""
    async with fake_kubernetes() as running:
        yield running


def keeper(client: Client, now: datetime = NOW, *, external: bool = False) -> CertificateKeeper:
    """Return a replica at a time of day; of an installation whose Secret others keep, if so."""
    return CertificateKeeper(
        client, NAMESPACE, server_context(), external=external, wall=lambda: now
    )


def stored(fake: FakeKubernetes) -> Material | None:
    """Return what the Secret holds."""
    data = fake.objects[PATH].get("data") or {}
    return Material.of({key: base64.b64decode(value) for key, value in data.items()})


def put(fake: FakeKubernetes, material: Material | None, **metadata: Any) -> None:
    """Store a Secret as somebody else would; only keys that hold something."""
    data = {} if material is None else {k: v for k, v in material.data().items() if v}
    encoded = {key: base64.b64encode(value).decode() for key, value in data.items()}
    fake.put(PATH, {"metadata": metadata, "type": "kubernetes.io/tls", "data": encoded})


async def test_the_first_one_makes_it(cluster: tuple[FakeKubernetes, Client]) -> None:
    """A new installation has a certificate without anybody's help."""
    fake, client = cluster
    replica = keeper(client)
    before = replica.ready
    await replica.refresh()

    assert (before, replica.ready) == (False, True)
    assert replica.expires == NOW + 365 * DAY
    assert fake.objects[PATH]["type"] == "kubernetes.io/tls"
    assert sorted(fake.objects[PATH]["data"]) == ["ca.crt", "ca.key", "tls.crt", "tls.key"]


async def test_all_replicas_agree(cluster: tuple[FakeKubernetes, Client]) -> None:
    """They start at once; one writes, the others take what is there."""
    fake, client = cluster
    await asyncio.gather(*(keeper(client).refresh() for _ in range(5)))

    assert len(fake.writes) == 1


async def test_nothing_due_nothing_written(cluster: tuple[FakeKubernetes, Client]) -> None:
    """A look at the Secret is a read."""
    fake, client = cluster
    put(fake, make(NAMES, NOW))
    replica = keeper(client, NOW + DAY)
    await replica.refresh()
    await replica.refresh()

    assert fake.writes == []


async def test_a_due_certificate_is_renewed_once(cluster: tuple[FakeKubernetes, Client]) -> None:
    """With the resource version that was read, so that two replicas never mix two pairs."""
    fake, client = cluster
    first = make(NAMES, NOW)
    put(fake, first)
    replicas = [keeper(client, NOW + 300 * DAY) for _ in range(5)]
    await asyncio.gather(*(replica.refresh() for replica in replicas))
    after = stored(fake)

    assert len(fake.writes) == 1
    assert after is not None
    assert (after.ca_bundle, after.ca_key) == (first.ca_bundle, first.ca_key)
    assert {replica.expires for replica in replicas} == {NOW + 665 * DAY}


async def test_an_empty_secret_is_filled(cluster: tuple[FakeKubernetes, Client]) -> None:
    """Somebody may have made the object, so that rights can name it; its labels stay."""
    fake, client = cluster
    put(fake, None, labels={"own": "1"})
    await keeper(client).refresh()

    assert stored(fake) is not None
    assert fake.objects[PATH]["metadata"]["labels"] == {"own": "1"}


async def test_a_damaged_authority_is_replaced(cluster: tuple[FakeKubernetes, Client]) -> None:
    """Without it nothing can be renewed; the controller publishes the new one."""
    fake, client = cluster
    good = make(NAMES, NOW)
    put(fake, Material(b"rubbish", good.certificate, good.key, good.ca_key))
    await keeper(client).refresh()
    after = stored(fake)

    assert after is not None
    assert after.ca_bundle.startswith(b"-----BEGIN CERTIFICATE-----")


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param({"ca.key": b"junk"}, id="key-of-the-authority"),
        pytest.param({"ca.crt": b""}, id="no-authority"),
        pytest.param({"ca.crt": b"junk", "tls.crt": b"junk"}, id="certificates"),
    ],
)
async def test_a_damaged_secret_is_put_back(
    cluster: tuple[FakeKubernetes, Client], damage: dict[str, bytes]
) -> None:
    """With the authority that API servers believe, as long as one replica has it."""
    fake, client = cluster
    good = make(NAMES, NOW)
    put(fake, good)
    replica = keeper(client, NOW + DAY)
    await replica.refresh()
    put(fake, Material.of(good.data() | damage))
    await replica.refresh()

    assert stored(fake) == good


async def using_what_others_brought(fake: FakeKubernetes, client: Client) -> CertificateKeeper:
    """Return a replica that serves with a pair of which it has no authority's key."""
    put(fake, Material(ALIEN.ca_bundle, ALIEN.certificate, ALIEN.key))
    replica = keeper(client)
    await replica.refresh()
    return replica


@pytest.mark.parametrize("emptied", [False, True], ids=["deleted", "emptied"])
@pytest.mark.parametrize("days", [1, 300], ids=["in-its-term", "due"])
async def test_a_secret_that_is_gone_is_put_back(
    cluster: tuple[FakeKubernetes, Client], days: int, *, emptied: bool
) -> None:
    """With its authority, which API servers believe already; what is due in it is renewed."""
    fake, client = cluster
    first = make(NAMES, NOW)
    put(fake, first)
    replicas = [keeper(client, NOW + days * DAY) for _ in range(2)]
    for replica in replicas:
        await replica.refresh()
    before = stored(fake)
    if emptied:
        put(fake, None)
    else:
        fake.remove(PATH)
    await asyncio.gather(*(replica.refresh() for replica in replicas))
    after = stored(fake)

    assert after == before
    assert after is not None
    assert after.ca_bundle == first.ca_bundle


async def test_what_others_brought_is_not_put_back(
    cluster: tuple[FakeKubernetes, Client],
) -> None:
    """Whoever deletes it goes back to certificates that the webhook makes itself."""
    fake, client = cluster
    replica = await using_what_others_brought(fake, client)
    fake.remove(PATH)
    await replica.refresh()
    after = stored(fake)

    assert after is not None
    assert after.ca_key
    assert after.ca_bundle != ALIEN.ca_bundle


ALIEN = make(NAMES, NOW)


@pytest.mark.parametrize(
    ("material", "metadata"),
    [
        pytest.param(
            ALIEN,
            {"annotations": {"cert-manager.io/certificate-name": "webhook"}},
            id="cert-managers",
        ),
        pytest.param(
            Material(ALIEN.ca_bundle, ALIEN.certificate, ALIEN.key), {}, id="a-pair-without-ca-key"
        ),
    ],
)
@pytest.mark.parametrize("days", [1, 300, 400])
async def test_a_secret_of_others_is_used_but_never_written(
    cluster: tuple[FakeKubernetes, Client],
    material: Material,
    metadata: dict[str, Any],
    days: int,
) -> None:
    """Even when it is due: two keepers of one Secret would fight for ever."""
    fake, client = cluster
    put(fake, material, **metadata)
    replica = keeper(client, NOW + days * DAY)
    await replica.refresh()

    assert replica.ready
    assert fake.writes == []


@pytest.mark.parametrize(
    "material",
    [
        pytest.param(None, id="empty"),
        pytest.param(Material(b"", ALIEN.certificate, b""), id="without-key"),
    ],
)
async def test_a_secret_of_others_that_is_not_filled_yet(
    cluster: tuple[FakeKubernetes, Client], material: Material | None
) -> None:
    """It is waited for, and the message says what can be done."""
    fake, client = cluster
    put(fake, material, annotations={"cert-manager.io/certificate-name": "webhook"})
    with pytest.raises(ValueError, match="wait for its keeper, or delete it"):
        await keeper(client).refresh()

    assert fake.writes == []


async def test_a_bad_pair_of_others_does_not_break_what_is_in_use(
    cluster: tuple[FakeKubernetes, Client],
) -> None:
    """The certificate that was loaded last goes on serving."""
    fake, client = cluster
    replica = await using_what_others_brought(fake, client)
    put(fake, Material(ALIEN.ca_bundle, ALIEN.certificate, make(NAMES, NOW).key))
    with pytest.raises(ValueError, match="do not belong together"):
        await replica.refresh()

    assert replica.ready
    assert replica.expires == NOW + 365 * DAY


async def test_it_keeps_trying(cluster: tuple[FakeKubernetes, Client]) -> None:
    """An API server that is down at start does not end the webhook."""
    fake, client = cluster
    fake.refuse = lambda _method, _path: 503
    replica = CertificateKeeper(client, NAMESPACE, server_context(), interval=0.01)
    with pytest.raises(UnreachableError):
        await replica.refresh()
    running = asyncio.create_task(replica.run())
    async with asyncio.timeout(5):
        while len(fake.requests) < 3:  # noqa: ASYNC110 # the server counts
            await asyncio.sleep(0.005)
        fake.refuse = lambda _method, _path: None
        while not replica.ready:  # noqa: ASYNC110 # the same
            await asyncio.sleep(0.005)
    running.cancel()

    assert stored(fake) is not None


@pytest.mark.parametrize("key", ["tls.key", "ca.key"])
@pytest.mark.parametrize("started", [False, True], ids=["from-the-start", "later"])
async def test_an_encrypted_key_of_our_own_is_made_anew(
    cluster: tuple[FakeKubernetes, Client], key: str, *, started: bool
) -> None:
    """Whoever has stored it so; both webhooks go on."""
    fake, client = cluster
    good = make(NAMES, NOW)
    put(fake, good)
    replica = keeper(client)
    if started:
        await replica.refresh()
    data = good.data()
    put(fake, Material.of(data | {key: encrypted(data[key])}))
    await replica.refresh()
    after = stored(fake)

    assert replica.ready
    assert after is not None
    assert renewed(after, NAMES, NOW) is after
    # An authority whose key cannot be read, and that nobody has in use, is the only one to go.
    assert (after.ca_bundle == good.ca_bundle) is (started or key == "tls.key")


@pytest.mark.parametrize("annotated", [False, True], ids=["a-pair", "cert-managers"])
async def test_an_encrypted_key_of_others_is_told_until_it_is_replaced(
    cluster: tuple[FakeKubernetes, Client], *, annotated: bool
) -> None:
    """By the loop that keeps looking, with the remedy; nothing of theirs is written."""
    fake, client = cluster
    theirs = {"annotations": {"cert-manager.io/certificate-name": "webhook"}} if annotated else {}
    put(fake, Material(ALIEN.ca_bundle, ALIEN.certificate, encrypted(ALIEN.key)), **theirs)
    replica = CertificateKeeper(client, NAMESPACE, server_context(), interval=0.01)
    with capture_logs() as said:
        running = asyncio.create_task(replica.run())
        await eventually(lambda: bool(said))
        put(fake, Material(ALIEN.ca_bundle, ALIEN.certificate, ALIEN.key), **theirs)
        await eventually(lambda: replica.ready)
    running.cancel()

    assert said[0]["error"] == "tls.key is encrypted; store it without a passphrase"
    assert fake.writes == []


async def test_what_nobody_expected_does_not_end_it(
    cluster: tuple[FakeKubernetes, Client],
) -> None:
    """A webhook that ends over its certificate takes the last good one with it."""
    fake, client = cluster
    put(fake, ALIEN)
    looks: list[int] = []

    def wall() -> datetime:
        looks.append(1)
        if len(looks) == 1:
            raise RuntimeError("of a kind that nobody expects")
        return NOW

    replica = CertificateKeeper(client, NAMESPACE, server_context(), interval=0.01, wall=wall)
    with capture_logs() as said:
        running = asyncio.create_task(replica.run())
        await eventually(lambda: replica.ready)
    running.cancel()

    assert (said[0]["event"], said[0]["log_level"]) == ("certificate not refreshed", "error")
    assert said[0]["exc_info"]


def test_a_pair_that_does_not_fit_leaves_the_context_alone() -> None:
    """OpenSSL would take the certificate and keep the old key; then no handshake succeeds."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    load(context, ALIEN)
    other = renewed(ALIEN, ("other.example",), NOW)
    with pytest.raises(ValueError, match="do not belong together"):
        load(context, Material(b"", other.certificate, ALIEN.key))

    assert handshake(context) == ssl.PEM_cert_to_DER_cert(ALIEN.certificate.decode())


def handshake(server: ssl.SSLContext) -> bytes | None:
    """Return the certificate that a client is shown."""
    client = ssl.create_default_context()
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(to_client, to_server)
    theirs = server.wrap_bio(to_server, to_client, server_side=True)
    for side in (ours, theirs, ours, theirs):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    return ours.getpeercert(binary_form=True)


@pytest.mark.parametrize(
    ("stores", "state"),
    [pytest.param(0, "does not exist", id="none"), pytest.param(1, "holds no", id="empty")],
)
async def test_an_external_keeper_is_waited_for(
    cluster: tuple[FakeKubernetes, Client], stores: int, state: str
) -> None:
    """A Secret of our own, made while cert-manager still signs, would be one that two keep."""
    fake, client = cluster
    for _ in range(stores):
        put(fake, None)
    replica = keeper(client, external=True)
    with pytest.raises(ValueError, match=f"{TLS_SECRET} {state}.*describe certificate"):
        await replica.refresh()
    assert (replica.ready, fake.writes) == (False, [])

    put(fake, Material(ALIEN.ca_bundle, ALIEN.certificate, ALIEN.key))
    await replica.refresh()
    assert (replica.ready, fake.writes) == (True, [])


@pytest.mark.parametrize("days", [1, 300, 400])
async def test_a_secret_from_before_is_the_external_keepers(
    cluster: tuple[FakeKubernetes, Client], days: int
) -> None:
    """Ours, from before the change of keepers: served with until it is replaced, never renewed."""
    fake, client = cluster
    put(fake, make(NAMES, NOW))
    replica = keeper(client, NOW + days * DAY, external=True)
    await replica.refresh()

    assert (replica.ready, fake.writes) == (True, [])
