"""What the providers without processes of their own ask by kubectl."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from e2e.cluster.api import condition
from e2e.cluster.command import run
from e2e.cluster.status import NodeStatus

if TYPE_CHECKING:
    from pathlib import Path

    from e2e.cluster.paths import Paths


def node_statuses(paths: Paths) -> tuple[NodeStatus, ...]:
    """The nodes of the cluster of our kubeconfig.

    Raises:
        ClusterError: Its API server does not answer.
    """
    argv: list[str | Path] = [
        paths.bin / "kubectl",
        f"--kubeconfig={paths.kubeconfig}",
        "--request-timeout=10s",
        "get",
        "nodes",
        "--output=json",
    ]
    return parse_nodes(json.loads(run(argv)))


def parse_nodes(listing: dict[str, Any]) -> tuple[NodeStatus, ...]:
    """A NodeList, reduced."""
    return tuple(
        NodeStatus(
            name=item["metadata"]["name"],
            address=next(
                (
                    row["address"]
                    for row in item["status"].get("addresses", [])
                    if row["type"] == "InternalIP"
                ),
                "",
            ),
            ready=condition(item, "Ready") == "True",
        )
        for item in listing["items"]
    )
