"""``history NAME``: what past rollouts did, from the LosslessRollout's own status."""

import time

from lossless import __version__
from lossless.cluster.client import Raw
from lossless.cluster.objects import metadata_of
from lossless.cluster.rollout_status import parse_status
from lossless.model.status import RolloutRecord
from lossless.model.targets import target_of
from lossless.plugin.drain_events import drains_of
from lossless.plugin.exits import Exit
from lossless.plugin.history_table import history_table
from lossless.plugin.pages.destination import STDOUT, check_destination, write_page
from lossless.plugin.pages.history_page import Past, history_page
from lossless.plugin.session import Session
from lossless.plugin.terminal import Terminal


async def history(
    session: Session, terminal: Terminal, name: str, output: str, html: str | None = None
) -> Exit:
    """Show the rollout that is under way, if one is, and those that have ended.

    Args:
        session: where to ask.
        terminal: where to write.
        name: of the LosslessRollout.
        output: ``json``, ``yaml``, or empty for text.
        html: file for a page instead; ``-`` is standard output.

    Raises:
        RefusedError: there is no LosslessRollout of that name, or the file cannot be written.
        ApiError: refused or unanswered.
    """
    if html is not None:
        check_destination(html)
    raw = await session.rollout(name)
    stored = raw.get("status") or {}
    status = parse_status(stored)
    last = status.last_rollout
    running = last is not None and not last.finished
    if output in {"json", "yaml"}:
        items = [stored["lastRollout"]] if running else []
        items += stored.get("history") or []
        metadata = metadata_of(raw)
        where = {key: metadata.get(key, "") for key in ("namespace", "name")}
        terminal.document(output, where | {"items": items})
        return Exit.OK
    rollouts = [last] if last is not None and running else []
    rollouts += status.history
    if html is not None:
        write_page(history_page(await _past(session, raw, rollouts)), html, terminal.out)
        if html != STDOUT:
            terminal.note(f"Wrote {html}.")
        return Exit.OK
    if not rollouts:
        terminal.note(f"No rollout of {metadata_of(raw).get('name')} was seen yet.")
        return Exit.OK
    terminal.say(history_table(rollouts, terminal.width, terminal.paint))
    return Exit.OK


async def _past(session: Session, raw: Raw, rollouts: list[RolloutRecord]) -> Past:
    metadata = metadata_of(raw)
    namespace = metadata.get("namespace", session.namespace)
    events = await session.items_if_allowed("v1", "events", namespace)
    target = target_of(raw)
    return Past(
        name=f"{namespace}/{metadata.get('name', '')}",
        target="nothing that it could protect" if target is None else str(target),
        rollouts=rollouts,
        drains=None if events is None else drains_of(events, str(metadata.get("uid", ""))),
        now=time.time(),
        version=__version__,
    )
