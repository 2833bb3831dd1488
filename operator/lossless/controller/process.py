"""The controller as one process: composes, and ends everything in order."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, Final

import structlog

from lossless.cluster.client import Client
from lossless.cluster.lease import LeaseStore
from lossless.cluster.reports import Agents
from lossless.cluster.watching import Key
from lossless.controller.election import Election
from lossless.controller.front import follow_rollouts, registry
from lossless.controller.index import Index
from lossless.controller.injection import Injection
from lossless.controller.leader import Leader
from lossless.controller.listener import Listener
from lossless.controller.metrics import ControllerMetrics
from lossless.controller.options import ControllerOptions
from lossless.controller.reconciler import Reconciler
from lossless.model.names import LEASE
from lossless.telemetry.server import Probe, serving

_log: Final = structlog.get_logger(__name__)
#: Seconds without an answer about the Lease after which this replica is not ready.
_OUT_OF_TOUCH: Final = 30.0
#: Seconds for kopf to end in order.
_KOPF: Final = 10.0


async def run(options: ControllerOptions) -> None:
    """Run the controller until SIGTERM or SIGINT; the Lease is released at the end.

    Raises:
        ConfigurationError: there is no way to an API server.
        OSError: the HTTP port is taken.
        Exception: a part of the process failed; the others have been ended before.
    """
    stopping, ready = asyncio.Event(), asyncio.Event()
    metrics, index = ControllerMetrics(), Index()
    async with (
        await Client.connect(options.kubeconfig) as client,
        Agents(port=options.agent_port, timeout=options.agent_timeout) as agents,
    ):
        election = Election(
            LeaseStore(client, options.namespace, LEASE), options.identity, options.election
        )

        def served() -> frozenset[str]:
            return frozenset(filter(options.scope.serves, index.namespaces()))

        def drains_ended(keys: Iterable[Key]) -> None:
            leader.wake(keys)

        listener = Listener(agents, drains_ended)
        reconciler = Reconciler(
            client,
            agents,
            index,
            listener,
            metrics,
            identity=options.identity,
            leading=election.leading,
        )
        injection = Injection(
            client,
            options.namespace,
            options.failure_policy,
            served,
            external_authority=options.external_certificate,
        )
        leader = Leader(client, index, reconciler, injection, listener, metrics, options)

        def rollouts_changed(keys: Iterable[Key]) -> None:
            leader.wake(keys)
            injection.wake()

        def unready_reason() -> str:
            if not ready.is_set():
                return "the LosslessRollouts are not followed yet"
            if election.silence() > _OUT_OF_TOUCH:
                return "the API server has not answered about the Lease"
            return "the watches are not synced yet" if election.leading() != leader.synced() else ""

        async with serving(
            metrics.registry,
            healthy=lambda: Probe.of(leader.unhealthy_reason()),
            ready=lambda: Probe.of(unready_reason()),
            host=options.host,
            port=options.http_port,
        ) as port:
            _log.info(
                "controller started",
                identity=options.identity,
                http_port=port,
                namespaces=options.scope.namespaces or "all",
            )
            handlers = registry(client, index, rollouts_changed, stopping)
            await _run(
                follow_rollouts(handlers, options.scope, ready=ready, stop=stopping),
                election.run(leader.lead),
                stopping,
            )
    _log.info("controller stopped", identity=options.identity)


async def _run(
    front: Coroutine[Any, Any, None], work: Coroutine[Any, Any, None], stopping: asyncio.Event
) -> None:
    """Run both until one ends or ``stopping`` is set, end both, and raise what either raised."""
    following, working = asyncio.create_task(front), asyncio.create_task(work)
    asked = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait({following, working, asked}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        # The work first: kopf waits in the end for everything that runs besides it.
        stopping.set()
        working.cancel()
        await asyncio.wait({working, asked})
        _, late = await asyncio.wait({following}, timeout=_KOPF)
        for task in late:
            task.cancel()
            await asyncio.wait({task})
    for task in (working, following):
        if not task.cancelled():
            task.result()
