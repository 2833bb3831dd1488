"""``history NAME``: what past rollouts did, from the LosslessRollout's own status."""

from lossless.cluster.objects import metadata_of
from lossless.cluster.rollout_status import parse_status
from lossless.plugin.exits import Exit
from lossless.plugin.history_table import history_table
from lossless.plugin.session import Session
from lossless.plugin.terminal import Terminal


async def history(session: Session, terminal: Terminal, name: str, output: str) -> Exit:
    """Show the rollout that is under way, if one is, and those that have ended.

    Raises:
        RefusedError: there is no LosslessRollout of that name.
        ApiError: refused or unanswered.
    """
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
    if not rollouts:
        terminal.note(f"No rollout of {metadata_of(raw).get('name')} was seen yet.")
        return Exit.OK
    terminal.say(history_table(rollouts, terminal.width, terminal.paint))
    return Exit.OK
