"""What the leader does: watches wake, workers look, and everything is looked at now and then."""

import asyncio
import random
from collections.abc import Iterable
from typing import Any, Final

import structlog

from lossless.cluster.client import Client, Raw
from lossless.cluster.errors import ApiError, ForbiddenError, NotFoundError
from lossless.cluster.objects import (
    Claim,
    PodEventSummary,
    annotations_of,
    claim_of,
    metadata_of,
    pod_event_summary_of,
    status_of,
)
from lossless.cluster.watches import Watches
from lossless.cluster.watching import Change, Changed, Key
from lossless.cluster.workloads import PLURALS, REVISION_ANNOTATION, list_all
from lossless.controller.index import Index
from lossless.controller.injection import Injection
from lossless.controller.listener import Listener
from lossless.controller.metrics import ControllerMetrics
from lossless.controller.options import ControllerOptions
from lossless.controller.reconciler import NotLeadingError, Reconciler
from lossless.controller.workqueue import WorkQueue
from lossless.model.names import API_VERSION, PLURAL, ROLLOUT_LABEL
from lossless.model.targets import Kind, Target

_log: Final = structlog.get_logger(__name__)
#: Seconds for one look, all requests and their retries included.
_LOOK: Final = 60.0
#: Seconds of silence of a watch, beyond which its bookmarks (one a minute) must have been lost.
STALE: Final = 300.0


class Leader:
    """The work of the one process that leads."""

    def __init__(  # noqa: PLR0913, PLR0917 # collaborators
        self,
        client: Client,
        index: Index,
        reconciler: Reconciler,
        injection: Injection,
        listener: Listener,
        metrics: ControllerMetrics,
        options: ControllerOptions,
    ) -> None:
        """Take collaborators that somebody else closes."""
        self._client = client
        self._index = index
        self._reconciler = reconciler
        self._injection = injection
        self._listener = listener
        self._metrics = metrics
        self._options = options
        self._queue: WorkQueue | None = None
        self._watches: tuple[Watches[Any], ...] = ()
        self._looked = 0.0

    def wake(self, keys: Iterable[Key]) -> None:
        """Have these LosslessRollouts looked at, if this process leads."""
        if self._queue is not None:
            self._told(self._queue, keys)

    def _told(self, queue: WorkQueue, keys: Iterable[Key]) -> None:
        keys = frozenset(keys)
        self._reconciler.changed(keys)
        for key in keys:
            queue.add(key)

    def unhealthy_reason(self) -> str:
        """Return why this process should be restarted; empty if it should not."""
        if self._queue is None:
            return ""
        if any(watch.synced and watch.silence() > STALE for watch in self._watches):
            return f"a watch has been silent for more than {STALE:.0f} s"
        if self._queue.oldest() > STALE:
            return f"a LosslessRollout has waited for more than {STALE:.0f} s to be looked at"
        if asyncio.get_running_loop().time() - self._looked > STALE + self._options.resync:
            return "the LosslessRollouts have not been listed for too long"
        return ""

    def synced(self) -> bool:
        """Return whether everything was seen at least once."""
        return self._queue is not None and all(watch.synced for watch in self._watches)

    async def lead(self) -> None:
        """Work until cancelled."""
        queue = self._queue = WorkQueue()
        self._looked = asyncio.get_running_loop().time()
        self._index.forget_pods()
        self._reconciler.begin()
        scope = self._options.scope
        pods = Watches(
            self._client, "v1", "pods", pod_event_summary_of, scope, label_selector=ROLLOUT_LABEL
        )
        workloads = {
            kind: Watches(self._client, kind.api_version, plural, _release_of, scope)
            for kind, plural in PLURALS.items()
        }
        self._watches = (pods, *workloads.values())
        self._metrics.leader.set(1)
        try:
            async with asyncio.TaskGroup() as tasks:
                listed = asyncio.Event()
                tasks.create_task(self._resync(queue, listed))
                tasks.create_task(self._follow_pods(queue, pods))
                for kind, watch in workloads.items():
                    tasks.create_task(self._follow_workloads(queue, kind, watch))
                tasks.create_task(self._keep_injection(listed))
                for _ in range(self._options.workers):
                    tasks.create_task(self._work(queue))
        finally:
            queue.close()
            self._listener.close()
            self._queue, self._watches = None, ()
            self._metrics.leader.set(0)
            self._metrics.forget_all()

    async def _follow_pods(self, queue: WorkQueue, watches: Watches[PodEventSummary]) -> None:
        def take(changed: Changed[PodEventSummary]) -> None:
            self._told(queue, self._index.saw(changed))

        await watches.follow(take)

    async def _follow_workloads(
        self, queue: WorkQueue, kind: Kind, watches: Watches[tuple[object, ...]]
    ) -> None:
        """Wake on releases, scales and changes of strategy; not on each change of status."""
        known: dict[Key, object] = {}

        def take(changed: Changed[tuple[object, ...]]) -> None:
            key = changed.key
            if known.get(key) != changed.object or changed.change is Change.DELETED:
                known[key] = changed.object
                self._told(queue, self._index.targeting(key.namespace, Target(kind, key.name)))
            if changed.change is Change.DELETED:
                known.pop(key, None)

        await watches.follow(take)

    async def _keep_injection(self, listed: asyncio.Event) -> None:
        # An index that is not complete yet would take the webhook away from some namespaces.
        await listed.wait()
        await self._injection.keep()

    async def _resync(self, queue: WorkQueue, listed: asyncio.Event) -> None:
        """List everything now and then: whatever an event failed to tell is found here."""
        spread = 0.0
        while True:
            try:
                untold = await self._list_rollouts()
            except ApiError as error:
                _log.warning("LosslessRollouts not listed", error=str(error))
            else:
                self._looked = asyncio.get_running_loop().time()
                listed.set()
                self._injection.wake()
                self._told(queue, untold)
                # No view is forgotten for it: those of rollouts under way, which are looked at all
                # the time, would be read anew in one burst, and age by themselves.
                for key in self._index.everybody() - untold:
                    queue.add_after(key, spread * random.random())  # noqa: S311 # jitter
                spread = self._options.resync / 2
            await asyncio.sleep(self._options.resync * random.uniform(0.9, 1.1))  # noqa: S311 # jitter

    async def _list_rollouts(self) -> frozenset[Key]:
        """List all LosslessRollouts; return those that changed or went without an event."""
        claims: dict[Key, Claim] = {}
        with self._index.listing() as told:
            for namespace in self._options.scope.collections:
                claims |= await self._claims_in(namespace)
            return self._index.replace_all(claims, told)

    async def _claims_in(self, namespace: str) -> dict[Key, Claim]:
        """Return the LosslessRollouts of one namespace; of "", those of all."""
        try:
            listed = await list_all(self._client, API_VERSION, PLURAL, namespace)
        except NotFoundError:
            _log.warning("the CustomResourceDefinition is not installed", resource=PLURAL)
            listed = []
        except ForbiddenError as error:
            if not namespace:
                raise
            # Gone, or without its Role: the other namespaces are served all the same, and what is
            # known of this one stays known.
            _log.warning(
                "a watched namespace refuses; is it there, and has the chart made its Role?",
                namespace=namespace,
                error=str(error),
            )
            return {k: v for k, v in self._index.rollouts.items() if k.namespace == namespace}
        claims = {}
        for raw in listed:
            metadata = metadata_of(raw)
            claims[Key(metadata["namespace"], metadata["name"])] = claim_of(raw)
        return claims

    async def _work(self, queue: WorkQueue) -> None:
        loop = asyncio.get_running_loop()
        while True:
            key, woken = await queue.take()
            self._metrics.queued.set(len(queue))
            began, result = loop.time(), "ok"
            try:
                async with asyncio.timeout(_LOOK):
                    again = await self._reconciler.look(key, woken)
            except NotLeadingError as error:
                _log.info("not written", reason=str(error))
                queue.done(key)
            except (ApiError, TimeoutError) as error:
                result = "failed"
                retry = queue.failed(key, getattr(error, "retry_after", 0.0))
                _log.warning(
                    "look failed",
                    namespace=key.namespace,
                    rollout=key.name,
                    error=str(error) or "no answer in time",
                    retry_in=round(retry, 2),
                )
            except Exception:  # noqa: BLE001 # one that we cannot handle must not stop the others
                result = "error"
                queue.failed(key)
                _log.exception("look failed", namespace=key.namespace, rollout=key.name)
            else:
                queue.done(key, again)
            self._metrics.reconcile.labels(result).observe(loop.time() - began)


def _release_of(raw: Raw) -> tuple[object, ...]:
    """Return what of a workload changes with its spec, and with each release.

    A DaemonSet has made its ControllerRevision once it has observed its generation; a StatefulSet
    names its own.
    """
    status = status_of(raw)
    return (
        metadata_of(raw).get("generation"),
        annotations_of(raw).get(REVISION_ANNOTATION),
        status.get("observedGeneration") if "desiredNumberScheduled" in status else None,
        status.get("desiredNumberScheduled"),
        status.get("updateRevision"),
        # What the API server refuses its ReplicaSet stands in both.
        [c.get("status") for c in status.get("conditions") or () if c["type"] == "ReplicaFailure"],
    )
