"""What `status` reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class ComponentStatus:
    """One process; `pid` is None when it does not run."""

    label: str
    pid: int | None


@dataclass(frozen=True)
class NodeStatus:
    """One node as the API server tells it."""

    name: str
    address: str
    ready: bool


@dataclass(frozen=True)
class Status:
    """A cluster's health.

    Attributes:
        provider: Who made the cluster.
        kubeconfig: The administrator's.
        components: Empty where the provider has no processes of its own.
        nodes: Empty when the API server does not answer.
        problems: What else is wrong, one sentence each.
    """

    provider: str
    kubeconfig: Path
    components: tuple[ComponentStatus, ...]
    nodes: tuple[NodeStatus, ...]
    problems: tuple[str, ...]

    @property
    def healthy(self) -> bool:
        """Whether everything runs and every node is Ready."""
        return (
            bool(self.nodes)
            and all(node.ready for node in self.nodes)
            and all(component.pid is not None for component in self.components)
            and not self.problems
        )

    def render(self) -> str:
        """Text for people."""
        rows = [f"provider    {self.provider}", f"kubeconfig  {self.kubeconfig}"]
        rows += [
            f"node        {node.name:<28} {node.address:<15} "
            f"{'Ready' if node.ready else 'NOT READY'}"
            for node in self.nodes
        ]
        rows += [
            f"component   {part.label:<28} {f'pid {part.pid}' if part.pid else 'DOWN'}"
            for part in self.components
        ]
        rows += [f"problem     {problem}" for problem in self.problems]
        rows.append("healthy" if self.healthy else "NOT HEALTHY")
        return "\n".join(rows)
