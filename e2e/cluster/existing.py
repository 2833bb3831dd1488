"""The existing provider: somebody else's cluster, used only by the user's explicit word."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from e2e.cluster import binaries
from e2e.cluster.command import run
from e2e.cluster.errors import ClusterError
from e2e.cluster.kubectl import node_statuses
from e2e.cluster.processes import boot_id
from e2e.cluster.record import Record
from e2e.cluster.status import Status

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from e2e.cluster.paths import Paths
    from e2e.cluster.progress import Progress
    from e2e.cluster.provider import Options

PROVIDER = "existing"


class Existing:
    """A cluster that is used and never changed: nothing is made, and nothing taken down."""

    def __init__(self, paths: Paths, progress: Progress) -> None:
        self._paths = paths
        self._progress = progress

    def up(self, options: Options) -> None:
        """Remember the context that the user names, and nothing but that context.

        Raises:
            ClusterError: No context is named, or its cluster does not answer.
        """
        record = Record.read(self._paths)
        if not options.context and record is not None:
            self._ask(record.details["context"])
            return
        if not options.context:
            raise ClusterError(
                "--provider existing needs --context NAME: the current context is never taken.",
                "`kubectl config get-contexts` lists them. Choose a cluster that may be disturbed.",
            )
        if options.nodes is not None or options.proxy_mode is not None:
            raise ClusterError(
                "--nodes and --proxy-mode cannot change an existing cluster.", "Leave them out."
            )
        binaries.ensure(binaries.TOOLS, self._paths, self._progress)
        text = run(
            view_command(self._paths.bin / "kubectl", options.context, options.kubeconfig),
            remedy="`kubectl config get-contexts` lists the names.",
        )
        Record(PROVIDER, True, boot_id(), {"context": options.context}).write(self._paths)  # noqa: FBT003 - the record's second field reads well
        self._paths.kubeconfig.touch(mode=0o600)
        self._paths.kubeconfig.write_text(text)
        self._ask(options.context)

    def _ask(self, context: str) -> None:
        with self._progress.step(f"Asking the cluster of context {context}"):
            node_statuses(self._paths)

    def down(self) -> None:
        """Forget the context; the cluster is left as it is."""
        shutil.rmtree(self._paths.state, ignore_errors=True)
        self._progress.say(
            "Forgot the existing cluster's context; the cluster itself is untouched."
        )

    def status(self) -> Status:
        """Its nodes."""
        try:
            nodes = node_statuses(self._paths)
        except ClusterError as error:
            return Status(PROVIDER, self._paths.kubeconfig, (), (), (str(error),))
        return Status(PROVIDER, self._paths.kubeconfig, (), nodes, ())

    def load_image(self, archives: Sequence[Path]) -> None:
        """Refuse: an existing cluster's nodes cannot be reached.

        Raises:
            ClusterError: Always.
        """
        names = ", ".join(archive.name for archive in archives)
        raise ClusterError(
            f"Images ({names}) cannot be loaded onto an existing cluster's nodes.",
            "Push them to a registry that the cluster pulls from.",
        )

    def client_command(self, argv: Sequence[str], via: str | None) -> list[str]:
        """Refuse: nothing is known about how to reach an existing cluster's Services from outside.

        Raises:
            ClusterError: Always.
        """
        raise ClusterError(
            f"`{argv[0]}` cannot be run on a host that reaches an existing cluster's addresses"
            f"{f' through {via}' if via else ''}.",
            "Use its LoadBalancer or Ingress, or --provider local or kind.",
        )

    def logs(self) -> dict[str, Path]:
        """None: its components' logs are its owner's."""
        return {}


def view_command(kubectl: Path, context: str, kubeconfig: Path | None) -> list[str]:
    """The command that prints a kubeconfig with one context only, everything inside."""
    chosen = [f"--kubeconfig={kubeconfig}"] if kubeconfig else []
    view = ["config", "view", "--minify", "--flatten", "--raw", f"--context={context}"]
    return [str(kubectl), *view, *chosen]
