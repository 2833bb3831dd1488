"""``history`` as text: one line per rollout, newest first. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime

from lossless.model.durations import format_duration
from lossless.model.status import RolloutRecord
from lossless.plugin.layout import paragraph, table
from lossless.plugin.paint import Paint


def history_table(rollouts: Sequence[RolloutRecord], width: int, paint: Paint) -> list[str]:
    """Return the lines: a table, and below it what interrupted a rollout."""
    heading = ("STARTED (UTC)", "REVISION", "TOOK", "DRAINED", "TIMEDOUT", "LOST", "DISCARDED")
    rows = [
        (
            moment(one.started),
            step(one),
            format_duration(one.finished - one.started) if one.finished else "under way",
            *map(str, (one.drained, one.timed_out, one.lost, one.discarded)),
        )
        for one in rollouts
    ]
    lines = table([heading, *rows], paint=paint.bold)
    for one in rollouts:
        said = _interruptions(one)
        if said:
            text = f"revision {one.revision or '?'}: {'; '.join(said)}"
            lines += [paint.yellow(line) for line in paragraph(text, width)]
    return lines


def moment(seconds: int) -> str:
    """Return a time of day in UTC, as people read it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def step(one: RolloutRecord) -> str:
    """Return from which revision to which a rollout led."""
    return f"{one.before or '?'} → {one.revision or '?'}"


def _interruptions(one: RolloutRecord) -> list[str]:
    said = []
    if one.paused:
        said.append(f"paused ({one.paused})")
    if one.resumed:
        said.append(f"resumed ({one.resumed})")
    if one.superseded:
        said.append("superseded by another revision before it was done")
    return said
