"""The kubectl plugin as a user has it: kubectl finds it on the PATH, by its name."""

import json
import os
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from e2e.support.kubectl import Object
from e2e.support.programs import make_program
from e2e.support.world import World

_TIMEOUT: Final = 60
_COLUMNS: Final = 80


class Plugin:
    """``kubectl lossless`` in one world's namespace."""

    def __init__(self, world: World, folder: Path) -> None:
        """Use the plugin that ``folder`` holds."""
        self._world = world
        self._folder = folder

    def __call__(self, verb: str, *arguments: str, status: int = 0) -> str:
        """Run one verb, insist on its exit code, and return what it printed.

        Nothing that it prints may be wider than a terminal of 80 columns.
        """
        kubectl = self._world.testbed.program("kubectl")
        where = (
            f"--kubeconfig={self._world.testbed.kubeconfig}",
            f"--namespace={self._world.namespace}",
        )
        done = subprocess.run(
            [str(kubectl), "lossless", verb, *arguments, *where],
            env={
                **os.environ,
                "PATH": f"{self._folder}:{os.environ['PATH']}",
                "COLUMNS": str(_COLUMNS),
            },
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            check=False,
        )
        told = f"kubectl lossless {shlex.join([verb, *arguments])}: {done.stdout}{done.stderr}"
        assert done.returncode == status, f"status {done.returncode}, not {status}: {told}"
        wide = [line for line in done.stdout.splitlines() if len(line) > _COLUMNS]
        assert not wide or "--output=json" in arguments, f"wider than {_COLUMNS}: {wide}"
        self._world.mark(f"kubectl lossless {verb}")
        return done.stdout

    def findings(self, name: str, *options: str) -> list[Object]:
        """Return what ``check`` finds around a LosslessRollout; errors fail unless they may be.

        Args:
            name: of the LosslessRollout.
            options: of ``check``; ``--fail-on=never`` where errors are meant to be found.
        """
        (item,) = json.loads(self("check", name, "--output=json", *options))["items"]
        return list(item["findings"])


@contextmanager
def plugin(world: World) -> Iterator[Plugin]:
    """Put this checkout's plugin where kubectl looks, until the end."""
    with TemporaryDirectory(prefix="lossless-plugin-") as folder:
        make_program(Path(folder, "kubectl-lossless"), "lossless.plugin")
        yield Plugin(world, Path(folder))
