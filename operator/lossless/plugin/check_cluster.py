"""``check [NAME]``: what is wrong with a set-up that is in a cluster."""

from collections.abc import Collection

from lossless.checks.finding import Severity
from lossless.model.names import KIND
from lossless.plugin.check import told
from lossless.plugin.exits import Exit
from lossless.plugin.neighbours import surroundings_of
from lossless.plugin.session import Session
from lossless.plugin.terminal import Terminal


async def check_cluster(  # noqa: PLR0913 # where, what, and how to tell it
    session: Session,
    terminal: Terminal,
    name: str | None,
    output: str,
    fail_on: Severity | None,
    *,
    accept: Collection[str] = (),
) -> Exit:
    """Look at one LosslessRollout of the cluster, or at all that are asked for.

    Raises:
        RefusedError: there is none of that name.
        ApiError: refused or unanswered.
    """
    raws = [await session.rollout(name)] if name else await session.rollouts()
    if not raws:
        terminal.note(f"No {KIND} to check; kubectl lossless check -A looks at all namespaces.")
        return Exit.OK
    setups = [await surroundings_of(session, raw) for raw in raws]
    return told(setups, terminal, output, fail_on, accept)
