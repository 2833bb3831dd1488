"""What every provider of clusters can do, and which one is taken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, get_args

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from e2e.cluster.status import Status
    from e2e.cluster.topology import ProxyMode

ProviderName = Literal["kind", "local", "existing"]
PROVIDERS: tuple[ProviderName, ...] = get_args(ProviderName)


@dataclass(frozen=True)
class Options:
    """What a user may ask of `up`; None where the user said nothing.

    Attributes:
        nodes: How many.
        proxy_mode: kube-proxy's.
        context: `existing` only: the context that the user names.
        kubeconfig: `existing` only: the file with that context; None for kubectl's own choice.
    """

    nodes: int | None = None
    proxy_mode: ProxyMode | None = None
    context: str | None = None
    kubeconfig: Path | None = None


class Provider(Protocol):
    """A maker of clusters."""

    def up(self, options: Options) -> None:
        """Bring a cluster up, or mend the one that is."""

    def down(self) -> None:
        """Take it away without a trace."""

    def status(self) -> Status:
        """Its health."""

    def load_image(self, archives: Sequence[Path]) -> None:
        """Bring images onto every node."""

    def client_command(self, argv: Sequence[str], via: str | None) -> list[str]:
        """The command that runs `argv` on a host outside the cluster."""

    def logs(self) -> dict[str, Path]:
        """Log files by component."""
