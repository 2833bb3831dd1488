"""Names from the cluster for completion: contexts, namespaces, LosslessRollouts, pods."""

import argparse
import asyncio
from collections.abc import Sequence

from lossless.cluster.errors import ApiError
from lossless.cluster.objects import metadata_of
from lossless.model.names import API_VERSION, PLURAL, ROLLOUT_LABEL
from lossless.plugin.exits import RefusedError
from lossless.plugin.kubeconfig import contexts_of
from lossless.plugin.session import Access, connected


async def candidates(what: str, before: Sequence[str], patience: float) -> list[str]:
    """Return names; none if the cluster does not answer within ``patience`` seconds.

    Args:
        what: ``context``, ``namespace``, ``name`` (of LosslessRollouts) or ``pod``.
        before: the words so far, which may say where to look.
        patience: seconds.
    """
    try:
        options, _ = _where().parse_known_args(before)
    except argparse.ArgumentError:
        # An option of which the value is still to come: nobody knows where to look.
        return []
    if what == "context":
        return contexts_of(options.kubeconfig)
    access = Access(
        options.kubeconfig, options.context, options.namespace, request_timeout=patience
    )
    try:
        async with asyncio.timeout(patience), connected(access) as session:
            match what:
                case "namespace":
                    raws = await session.items("v1", "namespaces", "")
                case "name":
                    raws = await session.items(API_VERSION, PLURAL, session.namespace)
                case "pod":
                    raws = await session.items("v1", "pods", session.namespace, ROLLOUT_LABEL)
                case _:
                    return []
    except (ApiError, RefusedError, TimeoutError):
        return []
    return sorted(str(metadata_of(raw).get("name", "")) for raw in raws)


def _where() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(add_help=False, exit_on_error=False, allow_abbrev=False)
    parser.add_argument("-n", "--namespace")
    parser.add_argument("--context")
    parser.add_argument("--kubeconfig")
    return parser
