"""Lets each container go when it may stop, by an answer or by a file."""

import asyncio
from collections import deque
from collections.abc import Callable

from lossless.agent import files
from lossless.agent.clock import Clock
from lossless.agent.drain import Drain
from lossless.agent.own_hooks import OwnHooks
from lossless.model.drain.agent_config import AgentConfig
from lossless.model.drain.hooks import SleepHook
from lossless.model.drain.release_rule import CONSECUTIVE, PACE, Hold, Presence, all_gone, may_stop


class Holds:
    """The holds of one pod's containers."""

    def __init__(  # noqa: PLR0913 # what is waited for, and how it is seen
        self,
        drain: Drain,
        config: AgentConfig,
        own_hooks: OwnHooks,
        *,
        look: Callable[[], Presence],
        clock: Clock,
        released: str,
    ) -> None:
        """Hold until ``drain`` has ended, and some beyond.

        Args:
            drain: of the pod.
            config: which containers wait for what.
            own_hooks: their own hooks.
            look: looks at the main containers.
            clock: the drain's.
            released: path of the files that let containers go; a dot and the name are added.
        """
        self._drain = drain
        self._config = config
        self._own_hooks = own_hooks
        self._look = look
        self._clock = clock
        self._released = released
        self._looks: deque[Presence] = deque(maxlen=CONSECUTIVE)
        waits = dict.fromkeys(config.barrier.sidecars, config.barrier.seconds)
        sleeps = {hook.container: hook for hook in config.hooks if isinstance(hook, SleepHook)}
        self._holds = {
            name: Hold(
                sleep=sleeps[name].seconds if name in sleeps else 0.0, waits=waits.get(name, 0.0)
            )
            for name in (*waits, *sleeps)
        }

    async def wait(self, container: str = "") -> None:
        """Return when the container may stop; without a name, when the drain has ended."""
        await self._drain.ended.wait()
        while not self._may_stop(container):  # noqa: ASYNC110 # time alone can change the answer
            await asyncio.sleep(PACE)

    async def run(self) -> None:
        """Do the containers' own hooks, then let go by files who waits for one."""
        await self._drain.started.wait()
        state = self._drain.state()
        left = max(0.0, state.started + state.timeout - self._clock.boot())
        await asyncio.gather(
            self._own_hooks.run(left), self._watch(), *map(self._release, self._config.file_holds)
        )

    def _may_stop(self, container: str) -> bool:
        return may_stop(
            self._drain.state(),
            self._clock.boot(),
            self._holds.get(container, Hold()),
            own_hook_done=self._own_hooks.done(container),
            looks=tuple(self._looks),
        )

    async def _watch(self) -> None:
        """Look at the main containers from the drain's end on, as long as anybody waits."""
        barrier = self._config.barrier
        await self._drain.ended.wait()
        ended = self._drain.state().ended or 0.0
        while (
            barrier.sidecars
            and not all_gone(tuple(self._looks))
            and self._clock.boot() - ended < barrier.seconds
        ):
            self._looks.append(self._look())
            await asyncio.sleep(PACE)

    async def _release(self, container: str) -> None:
        await self.wait(container)
        path = f"{self._released}.{container}"
        self._drain.note(f"release of {container}", files.show(path))
