"""``undo NAME``: go back to the revision before, or to a named one."""

from lossless.cluster.client import JSON_PATCH
from lossless.cluster.errors import ConflictError, InvalidError
from lossless.cluster.objects import metadata_of
from lossless.cluster.workloads import label_selector_of, owned
from lossless.model.commands import follow
from lossless.model.targets import Kind
from lossless.plugin.exits import Exit, RefusedError
from lossless.plugin.revisions import chosen, revision_of, undoing
from lossless.plugin.session import Session
from lossless.plugin.terminal import Terminal


async def undo(session: Session, terminal: Terminal, name: str, to: int) -> Exit:
    """Do what ``kubectl rollout undo`` does to the Deployment of a LosslessRollout.

    Raises:
        RefusedError: there is nothing to go back to, or the Deployment is paused or has changed.
        ApiError: refused or unanswered.
    """
    rollout = await session.rollout(name)
    deployment = await session.workload(rollout)
    reference = session.workload_reference(rollout)
    short = metadata_of(deployment).get("name", "")
    if reference.kind is not Kind.DEPLOYMENT:
        raise RefusedError(
            f"{reference}: only Deployments can be undone here; use"
            f" kubectl rollout undo {reference.kind.lower()} {short} -n {session.namespace}"
        )
    spec = deployment.get("spec") or {}
    if spec.get("paused"):
        raise RefusedError(
            f"{reference} is paused, and a paused Deployment cannot go back; first:"
            f" kubectl rollout resume deployment {short} -n {session.namespace}"
        )
    namespace = metadata_of(deployment).get("namespace", session.namespace)
    replica_sets = owned(
        await session.items(
            "apps/v1", "replicasets", namespace, label_selector_of(spec.get("selector") or {})
        ),
        metadata_of(deployment).get("uid", ""),
    )
    target = chosen(replica_sets, to)
    patch = undoing(deployment, target)
    if not patch:
        terminal.say(
            [f"{reference} is as revision {revision_of(target)} already.", "  Nothing was changed."]
        )
        return Exit.OK
    try:
        await session.client.patch(reference.path, patch, content_type=JSON_PATCH)
    except (ConflictError, InvalidError) as error:
        raise RefusedError(
            f"{reference} was changed by somebody else at this moment, or the API server refuses"
            f" revision {revision_of(target)}: {error.message}. Look at it and try again"
        ) from error
    terminal.say(
        [
            f"{reference} goes back to revision {revision_of(target)}. To follow it:",
            f"  {follow(session.namespace, name)}",
        ]
    )
    return Exit.OK
