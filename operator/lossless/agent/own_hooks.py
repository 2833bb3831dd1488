"""Runs what containers had as their own preStop, in the kubelet's place and at its moment."""

import asyncio
from collections.abc import Callable, Iterable

from lossless.agent.causes import cause_of
from lossless.agent.log import Log
from lossless.model.drain.hooks import HttpHook, OwnHook


class OwnHooks:
    """The hooks of one pod, all at once as the kubelet would run them.

    None of them can fail a drain: what goes wrong is told, and each ends with the drain's deadline.
    """

    def __init__(
        self,
        hooks: Iterable[OwnHook],
        host: str,
        *,
        log: Log,
        note: Callable[[str, str], None],
    ) -> None:
        """Know them; none runs yet.

        Args:
            hooks: at most one for each container.
            host: the pod's address, to which the kubelet would send them.
            log: told how each ended.
            note: takes what the hook was and what went wrong with it, for the report.
        """
        self._host = host
        self._log = log
        self._note = note
        self._pending = {hook.container: hook for hook in hooks if isinstance(hook, HttpHook)}

    def done(self, container: str) -> bool:
        """Tell whether the container's own hook has ended, or never was one to wait for."""
        return container not in self._pending

    async def run(self, seconds: float) -> None:
        """Run all that have not been run.

        Args:
            seconds: that each of them has.
        """
        pending = list(self._pending.values())
        await asyncio.gather(*(self._run(hook, seconds) for hook in pending))

    async def _run(self, hook: HttpHook, seconds: float) -> None:
        from lossless.agent.http_client import exchange  # noqa: PLC0415 # only where there is one

        what = f"preStop of {hook.container}"
        try:
            async with asyncio.timeout(seconds):
                answer = await exchange(
                    hook.port,
                    "GET",
                    hook.path,
                    host=self._host,
                    headers=hook.headers,
                    limit=None,
                )
        except Exception as error:  # noqa: BLE001 # see the class's promise
            self._note(what, f"{what}: {cause_of(error, seconds)}")
        else:
            self._log("own hook done", container=hook.container, status=answer.status)
            if not answer.success:
                self._note(what, f"{what}: it was answered with status {answer.status}")
        finally:
            self._pending.pop(hook.container, None)
