"""kopf: the front end for the custom resource.

kopf follows the LosslessRollouts, brings its connection and its signals; everything else is ours.
Only ``on.event`` is used: change-detecting handlers write annotations, timers and daemons add
finalizers, an index is quadratic at start and keeps ghosts (kopf 1.45).
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import kopf
from kubernetes.aio.client.configuration import Configuration

from lossless.cluster.client import Client
from lossless.cluster.objects import claim_of
from lossless.cluster.watching import Key
from lossless.controller.index import Index
from lossless.model.names import GROUP, PLURAL, VERSION
from lossless.model.scope import Scope

_BEARER: Final = "bearer "
#: Seconds between the attempts of one request, the last for ever.
_BACKOFFS: Final = (1, 1, 2, 3, 5, 8, 13, 21, 30)


class _Endless:
    """Attempts without end.

    kopf ends when one watch gives up: after a minute without an API server, and again and again
    where one of several namespaces is gone. Whether this process is any good its probes say.
    """

    def __iter__(self) -> Iterator[float]:
        yield from _BACKOFFS
        while True:
            yield _BACKOFFS[-1]


def settings() -> kopf.OperatorSettings:
    """Return kopf's settings, each for a reason."""
    # Its info is one line for each event, with all settings in it.
    logging.getLogger("kopf").setLevel(logging.WARNING)
    chosen = kopf.OperatorSettings()
    # Events are ours, with reasons and only once for each transition.
    chosen.posting.enabled = False
    # The Lease elects; kopf's peering would freeze both replicas after an unclean end.
    chosen.peering.standalone = True
    # No watches of namespaces and CustomResourceDefinitions: the one resource is known.
    chosen.scanning.disabled = True
    chosen.watching.server_timeout = 300
    chosen.watching.connect_timeout = 5
    chosen.watching.reconnect_backoff = 1
    chosen.networking.request_timeout = 15
    chosen.networking.connect_timeout = 3
    chosen.networking.error_backoffs = _Endless()
    return chosen


async def connection_of(configuration: Configuration) -> kopf.ConnectionInfo:
    """Return the credentials of our own client as kopf wants them.

    kopf's own login would ask DNS for ``kubernetes.default.svc`` and read kubeconfigs by other
    rules; one process should have one way to its API server.
    """
    token = await configuration.get_api_key_with_prefix("BearerToken", alias="authorization")
    if token is not None and token.lower().startswith(_BEARER):
        token = token[len(_BEARER) :]
    return kopf.ConnectionInfo(
        server=configuration.host,
        ca_path=configuration.ssl_ca_cert,
        insecure=not configuration.verify_ssl,
        certificate_path=configuration.cert_file,
        private_key_path=configuration.key_file,
        token=token.strip() if token else None,
    )


def registry(
    client: Client,
    index: Index,
    wake: Callable[[Iterable[Key]], None],
    stopping: asyncio.Event,
) -> kopf.OperatorRegistry:
    """Return all handlers of the product.

    Args:
        client: whose credentials kopf uses.
        index: is told of every LosslessRollout.
        wake: is called with those that are to be looked at.
        stopping: is set when the process was asked to stop.
    """
    handlers = kopf.OperatorRegistry()

    @kopf.on.login(registry=handlers)
    async def login(**_: Any) -> kopf.ConnectionInfo:
        return await connection_of(client.api.configuration)

    @kopf.on.event(GROUP, VERSION, PLURAL, registry=handlers)
    def rollout_changed(
        type: str | None,  # noqa: A002 # kopf passes it by this name
        namespace: str | None,
        name: str | None,
        body: kopf.Body,
        **_: Any,
    ) -> None:
        key = Key(namespace or "", name or "")
        wake(index.remove(key) if type == "DELETED" else index.put(key, claim_of(body)))

    @kopf.on.cleanup(registry=handlers)
    def cleanup(**_: Any) -> None:
        stopping.set()

    return handlers


async def follow_rollouts(
    handlers: kopf.OperatorRegistry, scope: Scope, *, ready: asyncio.Event, stop: asyncio.Event
) -> None:
    """Run kopf until the process gets SIGTERM or SIGINT, or ``stop`` is set.

    Args:
        handlers: of the product.
        scope: whose LosslessRollouts are followed.
        ready: is set once kopf has started.
        stop: ends it in order, which a cancellation does not: its sessions would stay open.
    """
    await kopf.operator(
        registry=handlers,
        settings=settings(),
        standalone=True,
        clusterwide=not scope.namespaces,
        namespaces=scope.namespaces,
        ready_flag=ready,
        stop_flag=stop,
    )
