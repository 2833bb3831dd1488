"""``restart NAME``: replace all pods of the workload, one after another."""

import time

from lossless.cluster.client import MERGE_PATCH
from lossless.cluster.timestamps import format_time
from lossless.model.commands import follow
from lossless.plugin.exits import Exit, RefusedError
from lossless.plugin.session import Session
from lossless.plugin.terminal import Terminal

#: What ``kubectl rollout restart`` writes (k8s.io/kubectl pkg/polymorphichelpers, objectrestarter).
RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"


async def restart(session: Session, terminal: Terminal, name: str) -> Exit:
    """Do what ``kubectl rollout restart`` does to the workload of a LosslessRollout.

    Raises:
        RefusedError: there is no such LosslessRollout or workload, or it is paused.
        ApiError: refused or unanswered.
    """
    rollout = await session.rollout(name)
    workload = await session.workload(rollout)
    reference = session.workload_reference(rollout)
    if (workload.get("spec") or {}).get("paused"):
        raise RefusedError(
            f"{reference} is paused, so a restart would do nothing until it is resumed; first:"
            f" kubectl rollout resume {reference.kind.lower()} {reference.name}"
            f" -n {session.namespace}"
        )
    stamp = {RESTARTED_AT: format_time(time.time())}
    await session.client.patch(
        reference.path,
        {"spec": {"template": {"metadata": {"annotations": stamp}}}},
        content_type=MERGE_PATCH,
    )
    terminal.say([f"{reference} restarts. To follow it:", f"  {follow(session.namespace, name)}"])
    return Exit.OK
