"""``status [NAME] [--watch]``: how rollouts stand, from what the controller has written."""

import asyncio
import time
from collections.abc import Iterable
from contextlib import aclosing
from typing import Final

from lossless.cluster.client import Raw, resource_path
from lossless.cluster.objects import metadata_of, rollout_of
from lossless.cluster.watching import Timing, Watch
from lossless.model.names import API_VERSION, KIND, PLURAL
from lossless.plugin.exits import Exit, RefusedError
from lossless.plugin.session import Session
from lossless.plugin.terminal import Terminal
from lossless.plugin.tree import View, stale, tree

#: Seconds between two drawings while nothing happens: times and bars move on.
_TICK: Final = 1.0
#: The server is asked anew so often that its silence means something.
_TIMING: Final = Timing(relist=20.0, silence=30.0)


async def status(session: Session, terminal: Terminal, name: str | None, output: str) -> Exit:
    """Show one LosslessRollout, or all that are asked for.

    Raises:
        RefusedError: there is none of that name.
        ApiError: refused or unanswered.
    """
    raws = [await session.rollout(name)] if name else await session.rollouts()
    if output in {"json", "yaml"}:
        terminal.document(output, raws[0] if name else _listed(raws))
        return Exit.OK
    if not raws:
        where = "in any namespace" if session.all_namespaces else f"in {session.namespace}"
        terminal.note(f"No {KIND} {where}.")
        return Exit.OK
    terminal.say(_trees(raws, terminal, output))
    return Exit.OK


async def watch(session: Session, terminal: Terminal, name: str | None, output: str) -> Exit:
    """Show the same and follow it, until Ctrl-C or until what was named is gone.

    On a terminal one picture is drawn over and over; elsewhere a new one is written whenever the
    controller has written something new.

    Raises:
        RefusedError: there is none of that name.
        ApiError: refused.
    """
    named = ""
    if name:
        named = metadata_of(await session.rollout(name)).get("name", "")
    else:
        # A watch tries again for ever; what will never work is to be said at once.
        await session.rollouts()
    followed = Watch(
        session.client,
        resource_path(API_VERSION, PLURAL, namespace=session.scope),
        lambda raw: raw,
        field_selector=f"metadata.name={named}" if named else "",
        timing=_TIMING,
    )
    changed = asyncio.Event()

    async def follow() -> None:
        async with aclosing(followed.events()) as events:
            async for _ in events:
                changed.set()

    follower = asyncio.create_task(follow())
    if terminal.live:
        terminal.clear()
    try:
        while True:
            waiter = asyncio.create_task(changed.wait())
            tick = _TICK if terminal.live and followed.objects else None
            await asyncio.wait(
                {waiter, follower}, timeout=tick, return_when=asyncio.FIRST_COMPLETED
            )
            waiter.cancel()
            if follower.done():
                await follower
            news = changed.is_set()
            changed.clear()
            raws = [raw for _, raw in sorted(followed.objects.items())]
            if news and named and not raws:
                raise RefusedError(
                    f"{KIND} {session.namespace}/{named} has been deleted, so its pods are no"
                    " longer held; apply it again if that was not meant"
                )
            _draw(terminal, raws, output, news=news, silence=followed.silence())
    finally:
        follower.cancel()
        await asyncio.gather(follower, return_exceptions=True)


def _draw(terminal: Terminal, raws: list[Raw], output: str, *, news: bool, silence: float) -> None:
    if terminal.live:
        terminal.redraw([*stale(silence, terminal.paint), *_trees(raws, terminal, output)])
    elif news and raws:
        terminal.say([*_trees(raws, terminal, output), ""])


def _trees(raws: Iterable[Raw], terminal: Terminal, output: str) -> list[str]:
    lines: list[str] = []
    for raw in raws:
        metadata, rollout = metadata_of(raw), rollout_of(raw)
        if rollout is None:
            continue
        view = View(
            namespace=metadata.get("namespace", ""),
            name=metadata.get("name", ""),
            rollout=rollout,
            now=time.time(),
            wide=output == "wide",
        )
        lines += [*tree(view, terminal.width, terminal.paint), ""]
    return lines[:-1]


def _listed(raws: list[Raw]) -> Raw:
    return {"apiVersion": "v1", "kind": "List", "items": raws}
