"""One kind of object, followed in every namespace of a scope.

A namespace that refuses us is either gone, with its Role, or misses its Role. It must neither keep
the others from being served nor have this process restarted for ever; whoever must know is told
by the log, where the watch says it again and again.
"""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from typing import Generic, TypeVar

from lossless.cluster.client import Client, Raw, resource_path
from lossless.cluster.watching import Changed, Watch
from lossless.model.scope import Scope

T = TypeVar("T")


class Watches(Generic[T]):
    """Follows one kind of object; run ``follow()`` once, read ``objects`` at any time."""

    def __init__(  # noqa: PLR0913 # as ``Watch``
        self,
        client: Client,
        api_version: str,
        plural: str,
        parse: Callable[[Raw], T],
        scope: Scope,
        *,
        label_selector: str = "",
    ) -> None:
        """Describe what to follow; nothing is sent before ``follow()``.

        Args:
            client: where to ask.
            api_version: of the kind.
            plural: of the kind, as in URL paths.
            parse: see ``Watch``.
            scope: where to look; one watch for each of its namespaces, or one for all.
            label_selector: as in ``kubectl -l``; applied by the server.
        """
        self._each = tuple(
            Watch(
                client,
                resource_path(api_version, plural, namespace=namespace),
                parse,
                label_selector=label_selector,
            )
            for namespace in scope.collections
        )

    @property
    def objects(self) -> list[T]:
        """Everything that is known now."""
        return [found for watch in self._each for found in watch.objects.values()]

    @property
    def synced(self) -> bool:
        """Whether everything that the server lets us see was seen once, and that is some."""
        return any(watch.synced for watch in self._each) and all(
            watch.synced or watch.forbidden for watch in self._each
        )

    def silence(self) -> float:
        """Return the seconds since the server was last heard by the watch that hears it least.

        Those that it refuses aside, unless it refuses all; infinite if one has never heard it.
        """
        heard = [watch.silence() for watch in self._each if not watch.forbidden]
        return max(heard or (watch.silence() for watch in self._each))

    async def follow(self, take: Callable[[Changed[T]], None]) -> None:
        """Hand every change to ``take``, for ever; what ``take`` or ``parse`` raises ends it."""
        async with asyncio.TaskGroup() as tasks:
            for watch in self._each:
                tasks.create_task(_follow(watch, take))


async def _follow(watch: Watch[T], take: Callable[[Changed[T]], None]) -> None:
    async with aclosing(watch.events()) as events:
        async for event in events:
            if isinstance(event, Changed):
                take(event)
