"""What ended rollouts have done, kept with the LosslessRollout: bounded, newest first."""

from dataclasses import replace

from lossless.model.status import MAX_HISTORY, RolloutRecord


def remembered(
    history: tuple[RolloutRecord, ...],
    before: RolloutRecord | None,
    after: RolloutRecord | None,
    now: float,
) -> tuple[RolloutRecord, ...]:
    """Return ``status.history`` after one look.

    Args:
        history: as the last look left it.
        before: ``status.lastRollout`` as the last look left it.
        after: the same, now.
        now: seconds of the epoch.
    """
    if after is None:
        return history
    ran = before is not None and not before.finished
    past = history
    if before is not None and ran and before.revision != after.revision:
        ended = max(int(now), before.started)
        past = (replace(before, finished=ended, superseded=True), *past)
    if after.finished and after != before:
        past = (after, *past)
    return past[:MAX_HISTORY]
