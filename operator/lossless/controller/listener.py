"""Asks the agents of draining pods often, so that the end of a drain is heard when it comes.

A released pod is gone in a moment: its app stops, its agent with it, and the kubelet says so a
second or two later. A look at everything each quarter of a second would be a burden for the API
server; asking the one agent is not.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final

from lossless.cluster.reports import Agents
from lossless.cluster.watching import Key
from lossless.model.observation import Endpoint
from lossless.model.phases import ENDED
from lossless.model.report import Report

#: Seconds between two questions to one agent.
INTERVAL: Final = 0.25
_NOTHING: Final[Mapping[str, Report]] = MappingProxyType({})


class Listener:
    """Listens to the agents of pods that drain."""

    def __init__(
        self,
        agents: Agents,
        wake: Callable[[Iterable[Key]], None],
        *,
        interval: float = INTERVAL,
    ) -> None:
        """Listen to nobody yet.

        Args:
            agents: who asks.
            wake: is called when the drain of one of a LosslessRollout's pods has ended.
            interval: seconds between two questions to one agent.
        """
        self._agents = agents
        self._wake = wake
        self._interval = interval
        self._tasks: defaultdict[Key, dict[str, asyncio.Task[None]]] = defaultdict(dict)
        self._results: defaultdict[Key, dict[str, Report]] = defaultdict(dict)

    def results(self, key: Key) -> Mapping[str, Report]:
        """Return the ends of drains that were heard, by uid."""
        return MappingProxyType(dict(self._results.get(key, _NOTHING)))

    def attend(self, key: Key, agents: Mapping[str, Endpoint]) -> None:
        """Listen to these pods of a LosslessRollout, and to no other.

        Args:
            key: of the LosslessRollout.
            agents: of pods that drain, by uid.
        """
        tasks, results = self._tasks[key], self._results[key]
        for uid in tasks.keys() - agents.keys():
            tasks.pop(uid).cancel()
        for uid in results.keys() - agents.keys():
            del results[uid]
        for uid in agents.keys() - tasks.keys() - results.keys():
            tasks[uid] = asyncio.create_task(self._listen(key, uid, agents[uid]))
        if not tasks:
            del self._tasks[key]
        if not results:
            del self._results[key]

    def close(self) -> None:
        """Listen to nobody any more."""
        for tasks in self._tasks.values():
            for task in tasks.values():
                task.cancel()
        self._tasks.clear()
        self._results.clear()

    async def _listen(self, key: Key, uid: str, agent: Endpoint) -> None:
        while True:
            await asyncio.sleep(self._interval)
            said = await self._agents.ask(agent, uid)
            if isinstance(said, Report) and said.phase in ENDED:
                self._results[key][uid] = said
                self._tasks[key].pop(uid, None)
                self._wake({key})
                return
