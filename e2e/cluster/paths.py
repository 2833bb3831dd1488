"""Where the tool keeps what it downloads, builds and runs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Paths:
    """The folders of the tool.

    Attributes:
        cache: Survives `down`: built binaries, base images. Safe to delete while no cluster is up.
        state: One running cluster; `down` deletes it.
    """

    cache: Path
    state: Path

    @classmethod
    def of_user(cls, environ: Mapping[str, str] = os.environ) -> Paths:
        """Follow the XDG base directory specification.

        A relative or empty XDG variable counts as unset, as the specification demands.
        """
        home = Path(environ.get("HOME") or Path.home())

        def base(variable: str, default: Path) -> Path:
            named = Path(environ.get(variable, ""))
            return named if named.is_absolute() else default

        return cls(
            cache=base("XDG_CACHE_HOME", home / ".cache") / "lossless",
            state=base("XDG_STATE_HOME", home / ".local" / "state") / "lossless" / "cluster",
        )

    @property
    def bin(self) -> Path:
        """The built binaries."""
        return self.cache / "bin"

    @property
    def images(self) -> Path:
        """Docker archives: the cluster's own, and what e2e and the demo build."""
        return self.cache / "images"

    @property
    def lock(self) -> Path:
        """Held by `up` and `down`; outside `state`, which `down` deletes."""
        return self.state.with_name(self.state.name + ".lock")

    @property
    def in_use(self) -> Path:
        """Held by whoever measures on the cluster: two loads would spoil each other's figures."""
        return self.state.with_name(self.state.name + ".use")

    @property
    def record(self) -> Path:
        """What is up, and by which provider."""
        return self.state / "cluster.json"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's credentials."""
        return self.state / "kubeconfig"

    @property
    def pki(self) -> Path:
        """Certificates and keys."""
        return self.state / "pki"

    @property
    def config(self) -> Path:
        """Rendered configuration files and component kubeconfigs."""
        return self.state / "config"

    @property
    def logs(self) -> Path:
        """One log per component."""
        return self.state / "logs"

    @property
    def run(self) -> Path:
        """Pid files."""
        return self.state / "run"

    @property
    def namespaces(self) -> Path:
        """Files on which the nodes' mount namespaces are bound."""
        return self.state / "namespaces"

    def node(self, name: str) -> Path:
        """Everything of one node that outlives its processes."""
        return self.state / "nodes" / name
