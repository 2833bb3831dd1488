"""Leaving a cluster: nothing that was installed may keep a pod from becoming Ready."""

import asyncio
import time
from typing import Final

import structlog

from lossless.cluster.apply import set_gate
from lossless.cluster.client import Client, Raw, resource_path
from lossless.cluster.errors import ConflictError, GoneError, NotFoundError
from lossless.cluster.objects import metadata_of, pod_of
from lossless.cluster.workloads import pages
from lossless.model.names import ROLLOUT_LABEL, WEBHOOK_CONFIGURATION
from lossless.model.rollout.decision import SetGate
from lossless.model.rollout.gate import Why

_log = structlog.get_logger(__name__)

#: Seconds after which every API server has heard by watch that there is no webhook any more.
SETTLE: Final = 2.0
_CONFIGURATIONS: Final = tuple(
    resource_path(
        "admissionregistration.k8s.io/v1",
        f"{kind}webhookconfigurations",
        name=WEBHOOK_CONFIGURATION,
    )
    for kind in ("mutating", "validating")
)


async def release(client: Client, *, settle: float = SETTLE) -> int:
    """Stop injection for good, then open every gate that is shut; return how many were opened.

    The order matters: a pod that is injected after the gates were opened would keep its gate shut
    for ever. The leader does not bring the configuration back, because it never makes one.

    Raises:
        ApiError: refused or unanswered; what has been opened stays open, so do it again.
    """
    there = [await _delete(client, path) for path in _CONFIGURATIONS]
    if any(there):
        await asyncio.sleep(settle)
    opened, before = 0, -1
    while True:
        try:
            # By the page: the pods of a large cluster at once are more than a Job's memory.
            async for page in pages(client, resource_path("v1", "pods"), ROLLOUT_LABEL):
                for raw in page:
                    opened += await _open(client, raw)
        except GoneError as error:
            # So many gates were shut that the API server has forgotten the list that began. It
            # begins anew, past what is open; whoever opened nothing in that time is not slow.
            if opened == before:
                raise
            before = opened
            _log.info("list begun anew", opened=opened, cause=str(error))
        else:
            return opened


async def _open(client: Client, raw: Raw) -> bool:
    """Open the pod's gate if it is shut; return whether it was."""
    pod = pod_of(raw)
    if not (pod.live and pod.shut):
        return False
    namespace = str(metadata_of(raw)["namespace"])
    gate = SetGate(
        pod.name,
        pod.uid,
        open=True,
        reason=Why.NO_OWNER.value,
        message="opened, because Lossless is being removed",
    )
    try:
        await set_gate(client, namespace, gate, time.time())
    except (NotFoundError, ConflictError):
        return False
    _log.info("gate opened", namespace=namespace, pod=pod.name)
    return True


async def _delete(client: Client, path: str) -> bool:
    try:
        await client.delete(path)
    except NotFoundError:
        _log.info("there is no webhook configuration", path=path)
        return False
    return True
