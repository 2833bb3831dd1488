"""``python -m e2e.clients``: build every client, and say which this machine cannot run."""

import sys

from e2e.clients.catalogue import CLIENTS
from e2e.clients.toolchain import Missing, prepare
from e2e.cluster.errors import ClusterError
from e2e.cluster.paths import Paths
from e2e.cluster.progress import Progress


def main() -> int:
    """Build; 0 also if a toolchain is missing: the matrix says so in its row."""
    progress = Progress()
    try:
        prepared = prepare(CLIENTS, Paths.of_user(), progress)
    except ClusterError as error:
        progress.say(f"error: {error}")
        return 1
    for client in CLIENTS:
        if isinstance(reason := prepared[client.toolchain], Missing):
            progress.say(f"{client.name}: {reason}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
