"""Asks the agents of draining pods often, so that the end of a drain is heard when it comes.

A released pod is gone in a moment: its app stops, its agent with it, and the kubelet says so a
second or two later. A look at everything each quarter of a second would be a burden for the API
server; asking the one agent is not.

An agent that does not answer is asked less and less often, and looks need not ask it: with a node
or a zone that is lost hundreds fall silent at once, and each question to one takes a second.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final

from lossless.cluster.reports import Agents
from lossless.cluster.watching import Key
from lossless.model.phases import ENDED
from lossless.model.report import Report
from lossless.model.rollout.observation import Endpoint, Unknown

#: Seconds between two questions to one agent that answers.
INTERVAL: Final = 0.25
#: Seconds at most between two questions to one that does not; each silence in a row doubles them.
SLOWEST: Final = 5.0
#: Silences in a row from which on looks do not ask by themselves: one alone may be a lost packet.
_SILENT: Final = 2
_NOTHING: Final[Mapping[str, Report]] = MappingProxyType({})
_NOBODY: Final[Mapping[str, Unknown]] = MappingProxyType({})


class Listener:
    """Listens to the agents of pods that drain."""

    def __init__(
        self,
        agents: Agents,
        wake: Callable[[Iterable[Key]], None],
        *,
        interval: float = INTERVAL,
        slowest: float = SLOWEST,
    ) -> None:
        """Listen to nobody yet.

        Args:
            agents: who asks.
            wake: is called when the drain of one of a LosslessRollout's pods has ended.
            interval: seconds between two questions to one agent that answers.
            slowest: seconds at most between two questions to one that does not.
        """
        self._agents = agents
        self._wake = wake
        self._interval = interval
        self._slowest = slowest
        self._tasks: defaultdict[Key, dict[str, asyncio.Task[None]]] = defaultdict(dict)
        self._results: defaultdict[Key, dict[str, Report]] = defaultdict(dict)
        self._silent: defaultdict[Key, dict[str, Unknown]] = defaultdict(dict)

    def results(self, key: Key) -> Mapping[str, Report]:
        """Return the ends of drains that were heard, by uid."""
        return MappingProxyType(dict(self._results.get(key, _NOTHING)))

    def silent(self, key: Key) -> Mapping[str, Unknown]:
        """Return why agents have not answered lately, by uid; they are asked again from here."""
        return MappingProxyType(dict(self._silent.get(key, _NOBODY)))

    def attend(self, key: Key, agents: Mapping[str, Endpoint]) -> None:
        """Listen to these pods of a LosslessRollout, and to no other.

        Args:
            key: of the LosslessRollout.
            agents: of pods that drain, by uid.
        """
        tasks, results = self._tasks[key], self._results[key]
        for uid in tasks.keys() - agents.keys():
            tasks.pop(uid).cancel()
            self._hear(key, uid)
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
        self._silent.clear()

    async def _listen(self, key: Key, uid: str, agent: Endpoint) -> None:
        wait, silences = self._interval, 0
        while True:
            await asyncio.sleep(wait)
            said = await self._agents.ask(agent, uid)
            if isinstance(said, Unknown):
                wait, silences = min(2 * wait, self._slowest), silences + 1
                if silences >= _SILENT:
                    self._silent[key][uid] = said
                continue
            wait, silences = self._interval, 0
            self._hear(key, uid)
            if said.phase in ENDED:
                self._results[key][uid] = said
                self._tasks[key].pop(uid, None)
                self._wake({key})
                return

    def _hear(self, key: Key, uid: str) -> None:
        """Take an agent for one that is not silent."""
        silent = self._silent.get(key)
        if silent is not None:
            silent.pop(uid, None)
            if not silent:
                del self._silent[key]
