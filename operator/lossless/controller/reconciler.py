"""One look at one LosslessRollout: gather, decide, apply."""

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Final

import structlog

from lossless.cluster.apply import Announcer, evict, set_gate, write_status
from lossless.cluster.client import Client
from lossless.cluster.errors import ApiError, ConflictError, NotFoundError, ThrottledError
from lossless.cluster.gather import ask_again, gather
from lossless.cluster.reports import Agents
from lossless.cluster.watching import Key
from lossless.controller.index import Index
from lossless.controller.listener import Listener
from lossless.controller.metrics import ControllerMetrics
from lossless.controller.views import Views, acts
from lossless.model.conditions import Reason
from lossless.model.rollout.announcements import Announcement
from lossless.model.rollout.decision import Decision, SetGate, decide
from lossless.model.rollout.observation import Endpoint, Observation

_log: Final = structlog.get_logger(__name__)
#: Seconds after which the world is looked at again if it changed while it was acted on.
_AGAIN: Final = 0.2


class NotLeadingError(RuntimeError):
    """Another process may lead by now: nothing more is written."""


class _Knowledge:
    """What events and agents have told, for ``gather``."""

    def __init__(self, index: Index, listener: Listener) -> None:
        self.hints = index.hints
        self.told_gone = index.told_gone
        self.results = listener.results
        self.silent = listener.silent


def _draining(seen: Observation) -> dict[str, Endpoint]:
    """Return where the agents are that can tell when their pods' drains end, by uid."""
    return {
        pod.uid: pod.endpoint
        for pod in seen.pods
        if pod.deletion is not None and pod.evidence is not None and pod.address
    }


class Reconciler:
    """Looks at LosslessRollouts, one at a call."""

    def __init__(  # noqa: PLR0913 # collaborators, each by its name
        self,
        client: Client,
        agents: Agents,
        index: Index,
        listener: Listener,
        metrics: ControllerMetrics,
        *,
        identity: str,
        leading: Callable[[], bool],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Take collaborators that somebody else closes.

        Args:
            client: to the API server.
            agents: to the agents.
            index: what events have told.
            listener: what agents have told between looks.
            metrics: to count in.
            identity: of this process, for Events.
            leading: whether this process may write now.
            clock: seconds of the epoch.
        """
        self._client = client
        self._agents = agents
        self._index = index
        self._listener = listener
        self._metrics = metrics
        self._announcer = Announcer(client, identity)
        self._leading = leading
        self._clock = clock
        self.views = Views(time.monotonic)
        """What the last looks saw."""

    def changed(self, keys: Iterable[Key]) -> None:
        """Have the next looks at ``keys`` read the cluster: an event told of a change."""
        self.views.forget(keys)

    def begin(self) -> None:
        """Have all next looks read the cluster: this process has just begun to lead."""
        self.views.forget_all()

    async def look(self, key: Key, woken: float) -> float | None:
        """Look at ``key`` and act; return the seconds to the next look, if one is planned.

        Args:
            key: namespace and name of a LosslessRollout, which may be gone.
            woken: the event loop's time of the event that led here.

        Raises:
            ApiError: something could not be read or written; to be tried again.
            NotLeadingError: nothing was written.
        """
        seen, decision = await self._judge(key)
        if not self._leading():
            raise NotLeadingError(f"{key.namespace}/{key.name}: decided, but not leading any more")
        self._listener.attend(key, _draining(seen))
        changed, refused = await self._set_gates(key, decision, woken)
        if seen.rollout is None:
            self._metrics.forget(key)
            self.views.forget((key,))
        else:
            stored = await self._store(key, seen, seen.rollout.uid, decision)
            changed |= not stored
            if stored:
                await self._evict(key, seen.rollout.uid, decision)
                self.views.keep(key, seen, decision, self._index.hints(key))
            else:
                self.views.forget((key,))
        if refused is not None:
            raise refused
        waits = [wait for wait in (decision.next_look, _AGAIN if changed else None) if wait]
        return min(waits, default=None)

    async def _judge(self, key: Key) -> tuple[Observation, Decision]:
        """Decide by the last view if it holds and nothing but a status follows; else by reads."""
        known = _Knowledge(self._index, self._listener)
        view = self.views.recall(key, known.hints(key))
        if view is not None:
            seen = await ask_again(self._agents, view, key, known)
            decision = decide(seen, self._clock())
            if not acts(decision):
                return seen, decision
        self.views.begin(key)
        seen = await gather(self._client, self._agents, key, known)
        return seen, decide(seen, self._clock())

    async def _set_gates(
        self, key: Key, decision: Decision, woken: float
    ) -> tuple[bool, ApiError | None]:
        """Write the gates; return whether the world has changed meanwhile, and what was refused.

        One pod's refusal keeps neither the others nor the status from being written.
        """
        results = await asyncio.gather(
            *(self._set_gate(key, gate, woken) for gate in decision.gates), return_exceptions=True
        )
        changed, refused = False, None
        for result in results:
            match result:
                case NotFoundError() | ConflictError():
                    changed = True
                case ApiError():
                    refused = result
                case BaseException():
                    raise result
                case None:
                    pass
        return changed, refused

    async def _set_gate(self, key: Key, gate: SetGate, woken: float) -> None:
        await set_gate(self._client, key.namespace, gate, self._clock())
        if gate.open:
            self._metrics.gate.observe(asyncio.get_running_loop().time() - woken)
        _log.info(
            "gate opened" if gate.open else "gate held",
            namespace=key.namespace,
            rollout=key.name,
            pod=gate.pod,
            reason=gate.reason,
        )

    async def _store(self, key: Key, seen: Observation, uid: str, decision: Decision) -> bool:
        """Store the status and say what follows from it; return whether that was possible."""
        if decision.status is not None:
            try:
                await write_status(self._client, key, uid, decision.status)
            except (NotFoundError, ConflictError):
                return False
        if decision.measures is not None:
            self._metrics.measure(key, decision.measures)
        self._index.acted_on(key, seen.departures)
        for outcome in decision.outcomes:
            self._metrics.ended(key, outcome)
        for said in decision.announcements:
            await self._announce(key, uid, said)
        return True

    async def _announce(self, key: Key, uid: str, said: Announcement) -> None:
        _log.info(
            "announced",
            namespace=key.namespace,
            rollout=key.name,
            reason=said.reason.value,
            note=said.message,
        )
        try:
            await self._announcer.announce(key, uid, said, self._clock())
        except ApiError as error:
            # Status says it as well; a lost Event is no reason to look again.
            _log.warning("event not made", error=str(error))

    async def _evict(self, key: Key, uid: str, decision: Decision) -> None:
        for pod in decision.evictions:
            try:
                await evict(self._client, key.namespace, pod)
            except (NotFoundError, ConflictError, ThrottledError) as error:
                _log.info("stuck pod not evicted", pod=pod.pod, error=str(error))
                continue
            self._metrics.replaced.labels(*key).inc()
            _log.warning(
                "stuck pod evicted", namespace=key.namespace, rollout=key.name, pod=pod.pod
            )
            said = Announcement(
                Reason.REPLACED,
                f"{pod.pod} never started because of its agent; it is made anew without one",
                warning=True,
            )
            await self._announce(key, uid, said)
