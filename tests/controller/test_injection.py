"""The webhook configuration is kept in step with namespaces and the authority."""

import asyncio
import base64
from collections.abc import AsyncIterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from lossless.cluster.errors import UnreachableError
from lossless.controller.injection import PERIOD, Injection
from lossless.model.names import WEBHOOK_NAME
from lossless.model.webhook_configuration import webhook_configuration
from tests.support.fake_kubernetes import FakeKubernetes, fake_kubernetes
from tests.support.waiting import eventually

PATH = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/lossless"
ADVICE = PATH.replace("mutating", "validating")
SECRET = "/api/v1/namespaces/lossless/secrets/lossless-webhook-tls"  # noqa: S105 # a path
AUTHORITY = b"-----BEGIN CERTIFICATE-----"


class Kept:
    """An Injection and what it depends on."""

    def __init__(self, fake: FakeKubernetes, injection: Injection, seen: set[str]) -> None:
        self.fake = fake
        self.injection = injection
        self.namespaces = seen

    def selected(self) -> list[str]:
        """Return the namespaces that the webhook is asked about."""
        hooks: list[dict[str, Any]] = self.fake.objects[PATH]["webhooks"]
        ours = [hook for hook in hooks if hook["name"] == WEBHOOK_NAME]
        rules = [hook["namespaceSelector"]["matchExpressions"][0] for hook in ours]
        return [value for rule in rules for value in rule["values"]]


@pytest.fixture
async def kept() -> AsyncIterator[Kept]:
    """What the chart ships: a configuration without webhooks, and a certificate."""
    async with fake_kubernetes() as (fake, client):
        fake.put(PATH, {"webhooks": []})
        fake.put(SECRET, {"data": {"ca.crt": base64.b64encode(AUTHORITY).decode()}})
        namespaces: set[str] = set()
        injection = Injection(client, "lossless", "Ignore", lambda: frozenset(namespaces))
        yield Kept(fake, injection, namespaces)


@pytest.fixture
async def shared() -> AsyncIterator[Kept]:
    """The same, where cert-manager's injector keeps the authority."""
    async with fake_kubernetes() as (fake, client):
        fake.put(PATH, {"webhooks": []})
        fake.put(ADVICE, {"webhooks": []})
        fake.put(SECRET, {"data": {"ca.crt": base64.b64encode(AUTHORITY).decode()}})
        namespaces = {"shop"}
        injection = Injection(
            client, "lossless", "Ignore", lambda: frozenset(namespaces), external_authority=True
        )
        yield Kept(fake, injection, namespaces)


async def test_namespaces_come_and_go(kept: Kept) -> None:
    """The webhook is asked about those that hold a LosslessRollout, and no other."""
    assert await kept.injection.step() is False
    kept.namespaces |= {"shop", "blog"}
    assert await kept.injection.step() is True
    assert kept.selected() == ["blog", "shop"]
    kept.namespaces.clear()
    assert await kept.injection.step() is True
    assert kept.fake.objects[PATH]["webhooks"] == []


async def test_nothing_is_written_for_nothing(kept: Kept) -> None:
    """Also when the API server has filled in defaults."""
    kept.namespaces.add("shop")
    await kept.injection.step()
    kept.fake.objects[PATH]["webhooks"][0]["clientConfig"]["service"]["extra"] = "a default"

    assert await kept.injection.step() is False
    assert len(kept.fake.writes) == 1


async def test_what_somebody_changed_is_put_right(kept: Kept) -> None:
    """Drift is an outage that waits."""
    kept.namespaces.add("shop")
    await kept.injection.step()
    kept.fake.objects[PATH]["webhooks"][0]["failurePolicy"] = "Fail"

    assert await kept.injection.step() is True
    assert kept.fake.objects[PATH]["webhooks"][0]["failurePolicy"] == "Ignore"


async def test_a_new_authority_is_passed_on(kept: Kept) -> None:
    """The certificate was renewed."""
    kept.namespaces.add("shop")
    await kept.injection.step()
    kept.fake.put(SECRET, {"data": {"ca.crt": base64.b64encode(b"new").decode()}})

    assert await kept.injection.step() is True
    hook = kept.fake.objects[PATH]["webhooks"][0]
    assert base64.b64decode(hook["clientConfig"]["caBundle"]) == b"new"


DAMAGED = pytest.mark.parametrize(
    "secret",
    [
        pytest.param(None, id="no Secret"),
        pytest.param({"data": {}}, id="no authority in it"),
        pytest.param({"data": {"ca.crt": "%%%"}}, id="not base64"),
    ],
)


@DAMAGED
@pytest.mark.parametrize("external", [False, True], ids=["own", "of others"])
async def test_what_is_trusted_already_stays(
    kept: Kept, shared: Kept, secret: dict[str, Any] | None, *, external: bool
) -> None:
    """The webhook serves on with what it had; without a hook pods would start unprotected.

    It puts the Secret back within 60 s, and the leader looks every 15 s.
    """
    both = shared if external else kept
    both.fake.put(ADVICE, {"webhooks": []})
    both.namespaces.add("shop")
    await both.injection.step()
    del both.fake.objects[SECRET]
    if secret is not None:
        both.fake.put(SECRET, secret)

    assert await both.injection.step() is False
    both.namespaces.add("blog")
    assert await both.injection.step() is True
    assert both.selected() == ["blog", "shop"]
    for path in (PATH, ADVICE):
        (hook,) = both.fake.objects[path]["webhooks"]
        assert base64.b64decode(hook["clientConfig"]["caBundle"]) == AUTHORITY


@DAMAGED
async def test_without_an_authority_there_is_no_webhook(
    kept: Kept, secret: dict[str, Any] | None
) -> None:
    """Where there never was one, every call would fail."""
    kept.namespaces.add("shop")
    del kept.fake.objects[SECRET]
    if secret is not None:
        kept.fake.put(SECRET, secret)

    assert await kept.injection.step() is False
    assert kept.selected() == []


async def test_a_configuration_that_is_gone_is_not_made_anew(kept: Kept) -> None:
    """The chart is being removed; a webhook without a service would be left behind."""
    kept.namespaces.add("shop")
    del kept.fake.objects[PATH]

    assert await kept.injection.step() is False
    assert PATH not in kept.fake.objects


async def test_another_installations_webhook_is_left_alone(kept: Kept) -> None:
    """A controller that is tried out on a laptop must not switch off the one that works."""
    theirs = webhook_configuration(["shop"], b"theirs", "elsewhere")["webhooks"]
    kept.fake.put(PATH, {"webhooks": theirs})
    kept.namespaces.add("blog")

    assert await kept.injection.step() is False
    assert kept.fake.objects[PATH]["webhooks"] == theirs


async def test_it_is_woken_at_once_and_survives_refusals(kept: Kept) -> None:
    """The first pods of a namespace may come right after its LosslessRollout."""
    task = asyncio.create_task(kept.injection.keep())
    await eventually(lambda: any("mutating" in request for request in kept.fake.requests))
    kept.namespaces.add("shop")
    kept.injection.wake()
    await eventually(lambda: kept.selected() == ["shop"], within=0.5 * PERIOD)
    kept.fake.refuse = lambda _method, _path: 500
    kept.injection.wake()
    with pytest.raises(UnreachableError):
        await kept.injection.step()
    kept.fake.refuse = lambda _method, _path: None
    kept.namespaces.add("blog")
    kept.injection.wake()

    await eventually(lambda: kept.selected() == ["blog", "shop"])
    task.cancel()


@pytest.mark.parametrize(
    ("namespaces", "authority", "selected"),
    [
        pytest.param(["b", "a", "a"], b"ca", ["a", "b"], id="in order, once"),
        pytest.param(["kube-system", "lossless", "a"], b"ca", ["a"], id="never the cluster's own"),
        pytest.param(["kube-system"], b"ca", None, id="nobody is left"),
        pytest.param([], b"ca", None, id="nobody"),
        pytest.param(["a"], b"", None, id="no authority"),
    ],
)
def test_who_is_selected(
    namespaces: list[str], authority: bytes, selected: list[str] | None
) -> None:
    """An empty selector would select every namespace; there is none then."""
    hooks = webhook_configuration(namespaces, authority, "lossless")["webhooks"]

    values = [h["namespaceSelector"]["matchExpressions"][0]["values"] for h in hooks]
    assert values == ([] if selected is None else [selected])


async def test_advice_is_given_as_soon_as_there_is_an_authority(kept: Kept) -> None:
    """The first LosslessRollout of a cluster deserves it too; failing, it is ignored."""
    kept.fake.put(ADVICE, {"webhooks": []})

    assert await kept.injection.step() is True
    (hook,) = kept.fake.objects[ADVICE]["webhooks"]
    assert hook["failurePolicy"] == "Ignore"
    assert hook["rules"][0]["resources"] == ["losslessrollouts"]
    assert await kept.injection.step() is False


@pytest.mark.parametrize("bundle", ["", "%%%"], ids=["empty", "not base64"])
async def test_a_webhook_that_nobody_could_trust_is_withdrawn(kept: Kept, bundle: str) -> None:
    """Somebody has emptied it, and nobody knows the authority any more: every call fails."""
    kept.namespaces.add("shop")
    await kept.injection.step()
    kept.fake.objects[PATH]["webhooks"][0]["clientConfig"]["caBundle"] = bundle
    del kept.fake.objects[SECRET]

    assert await kept.injection.step() is True
    assert kept.fake.objects[PATH]["webhooks"] == []


@pytest.mark.parametrize("path", [PATH, ADVICE])
async def test_an_authority_of_others_is_set_once_and_then_theirs(shared: Kept, path: str) -> None:
    """Set with the webhook, which would be called in vain without; then never undone."""
    await shared.injection.step()
    client_config = shared.fake.objects[path]["webhooks"][0]["clientConfig"]
    assert client_config["caBundle"] == base64.b64encode(AUTHORITY).decode()
    client_config["caBundle"] = "dGhlaXJz"

    assert await shared.injection.step() is False
    assert shared.fake.objects[path]["webhooks"][0]["clientConfig"]["caBundle"] == "dGhlaXJz"


async def test_a_change_of_namespaces_leaves_the_authority_of_others(shared: Kept) -> None:
    """All fields are applied together; this one as it was found."""
    await shared.injection.step()
    shared.fake.objects[PATH]["webhooks"][0]["clientConfig"]["caBundle"] = "dGhlaXJz"
    shared.namespaces.add("blog")

    assert await shared.injection.step() is True
    assert shared.selected() == ["blog", "shop"]
    hook = shared.fake.objects[PATH]["webhooks"][0]
    assert hook["clientConfig"]["caBundle"] == "dGhlaXJz"


async def test_an_authority_that_was_emptied_is_set_again(shared: Kept) -> None:
    """By whoever: no authority is no protection."""
    await shared.injection.step()
    shared.fake.objects[PATH]["webhooks"][0]["clientConfig"]["caBundle"] = ""

    assert await shared.injection.step() is True
    hook = shared.fake.objects[PATH]["webhooks"][0]
    assert hook["clientConfig"]["caBundle"] == base64.b64encode(AUTHORITY).decode()


@pytest.mark.parametrize("data", [{}, {"tls.crt": "eA=="}], ids=["empty", "no CA"])
async def test_an_issuer_without_ca_is_named(shared: Kept, data: dict[str, str]) -> None:
    """Once, and nothing is called that could not be trusted."""
    shared.fake.put(SECRET, {"data": data})
    with capture_logs() as said:
        await shared.injection.step()
        await shared.injection.step()

    assert shared.fake.objects[PATH]["webhooks"] == []
    assert sum("the issuer does not give its CA" in line["event"] for line in said) == 1
