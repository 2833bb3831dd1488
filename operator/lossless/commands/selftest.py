"""``lossless selftest``: does this installation work, asked as its users' pods depend on it.

Three questions, in the order in which one needs the other: is the API served; does a controller
lead; does the API server reach the webhook. The last one is a dry run of a LosslessRollout whose
target does not exist: the webhook, and nobody else, warns of it. The webhook is asked about by way
of the API server because that is the way that fails: a firewall, a CNI, a stale ``caBundle``.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Final

from lossless.cluster.client import Client, Raw, resource_path
from lossless.cluster.errors import ApiError, ForbiddenError, NotFoundError
from lossless.cluster.lease import Lease, LeaseStore
from lossless.model.names import (
    API_VERSION,
    GROUP,
    KIND,
    LEASE,
    NO_TARGET_WARNING,
    NOT_SERVED_WARNING,
    PLURAL,
    WARNING_PREFIX,
    WEBHOOK_CONFIGURATION,
    WEBHOOK_SERVICE,
)

#: Seconds between two attempts at one question.
PAUSE: Final = 1.0
#: The second one where the installation serves other namespaces than its own.
_SIGNS: Final = tuple(
    f"{WARNING_PREFIX}{begin}" for begin in (NO_TARGET_WARNING, NOT_SERVED_WARNING)
)
_NAME: Final = "lossless-selftest"
_Question = Callable[[Client, str, float], Awaitable[str]]


class SelftestError(ValueError):
    """Something does not work; the text says what, and what to look at."""


async def examine(
    client: Client, namespace: str, timeout: float, *, pause: float = PAUSE
) -> AsyncIterator[str]:
    """Yield a sentence for each thing that works.

    Args:
        client: of the API server.
        namespace: of the installation.
        timeout: seconds for all of it; an installation that is still starting has so long.
        pause: seconds between two attempts.

    Raises:
        SelftestError: the first thing that did not work in time.
    """
    deadline = time.monotonic() + timeout
    questions: tuple[_Question, ...] = (_served, _led, _reviewed)
    for question in questions:
        yield await _until(deadline, pause, partial(question, client, namespace, pause))


async def _until(deadline: float, pause: float, ask: Callable[[], Awaitable[str]]) -> str:
    """Ask until it is answered; raise the last complaint once there is no time left.

    Each question is asked at least once, and stopped where the deadline finds it waiting.
    """
    complaint = SelftestError(
        "the API server did not answer in time; see whether it is up: kubectl version"
    )
    while True:
        try:
            async with asyncio.timeout(max(pause, deadline - time.monotonic())):
                return await ask()
        except SelftestError as error:
            complaint = error
        except TimeoutError:
            raise complaint from None
        except ForbiddenError as error:
            raise SelftestError(
                f"the test itself lacks a right; run it by helm test, which brings them: {error}"
            ) from error
        except ApiError as error:
            complaint = SelftestError(
                f"the API server refused, or did not answer: {error}; see whether it is up: kubectl"
                " version"
            )
        if time.monotonic() + pause > deadline:
            raise complaint
        await asyncio.sleep(pause)


async def _served(client: Client, namespace: str, _: float) -> str:
    try:
        await client.get(_rollouts(namespace), {"limit": "1"})
    except NotFoundError:
        raise SelftestError(
            f"{API_VERSION} {PLURAL} are not served: the CustomResourceDefinition is missing;"
            f" install with crds.enabled=true, or see: kubectl describe crd {PLURAL}.{GROUP}"
        ) from None
    return f"{API_VERSION} {PLURAL} are served"


async def _led(client: Client, namespace: str, pause: float) -> str:
    store = LeaseStore(client, namespace, LEASE)
    first = await store.read()
    seen = _held(first, namespace)
    began = time.monotonic()
    # Only a change is proof, whatever the clocks say.
    while time.monotonic() - began <= seen.duration:
        await asyncio.sleep(pause)
        now = _held(await store.read(), namespace)
        if (now.holder, now.renewed) != (seen.holder, seen.renewed):
            return f"{now.holder} leads, and has just renewed its Lease"
    raise SelftestError(
        f"{seen.holder} holds Lease {LEASE} but has not renewed it for {seen.duration} s, so new"
        f" pods get no readiness gate; {_look(namespace, 'controller')}"
    )


def _held(lease: Lease | None, namespace: str) -> Lease:
    if lease is None or not lease.holder:
        raise SelftestError(
            f"no controller leads: Lease {LEASE} in namespace {namespace} has no holder;"
            f" {_look(namespace, 'controller')}"
        )
    return lease


async def _reviewed(client: Client, namespace: str, _: float) -> str:
    warnings = await client.dry_run(_rollouts(namespace), _probe(namespace))
    if not any(warning.startswith(_SIGNS) for warning in warnings):
        raise SelftestError(
            f"the API server got no answer from the webhook, so new pods are not protected. It asks"
            f" Service {WEBHOOK_SERVICE} in namespace {namespace}, port 443. See whether a firewall"
            " or the CNI keeps it from pods (then set webhook.hostNetwork=true), whether"
            f" validatingwebhookconfiguration {WEBHOOK_CONFIGURATION} has a caBundle, and"
            f" {_look(namespace, 'webhook')}"
        )
    return "the webhook answers the API server's reviews"


def _probe(namespace: str) -> Raw:
    """Return a LosslessRollout that is never stored, on a Deployment that does not exist."""
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"generateName": f"{_NAME}-", "namespace": namespace},
        "spec": {"targetRef": {"kind": "Deployment", "name": _NAME}},
    }


def _rollouts(namespace: str) -> str:
    return resource_path(API_VERSION, PLURAL, namespace=namespace)


def _look(namespace: str, program: str) -> str:
    return f"kubectl -n {namespace} logs deployment/lossless-{program}"
