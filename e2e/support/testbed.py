"""The cluster that everything runs on, as ``python -m e2e.cluster`` provides it."""

import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from e2e.cluster import local
from e2e.cluster.errors import ClusterError
from e2e.cluster.paths import Paths
from e2e.cluster.progress import Progress
from e2e.cluster.record import Record, exclusive
from e2e.cluster.topology import DEFAULT_PROXY_MODE, ProxyMode
from e2e.support.kubectl import Kubectl
from e2e.support.leftovers import clear_up

ROOT: Final = Path(__file__).parents[2]
_TOOL: Final = (sys.executable, "-m", "e2e.cluster")
#: Seconds: the first ``up`` on a machine may compile Kubernetes.
_UP: Final = 3600.0
#: Seconds for a change of a cluster that is up.
_CHANGE: Final = 180.0
#: Seconds for a program at a client.
_PROGRAM: Final = 60.0
#: Seconds for another run of the demo or the tests to end.
_IN_USE: Final = 1800.0
#: Seconds for a cluster to be well again after a fault.
_MENDED: Final = 300.0


class Unavailable(RuntimeError):  # noqa: N818 # reads as the thing that happened
    """This machine cannot have such a cluster; says why."""


@dataclass(frozen=True, slots=True)
class Testbed:
    """A cluster that is up, and hosts outside it."""

    __test__ = False

    kubeconfig: Path
    folder: Path
    """Where kubectl, helm and fortio are."""

    def program(self, name: str) -> Path:
        """Return the path of a built program."""
        return self.folder / name

    @property
    def kubectl(self) -> Kubectl:
        """Kubectl without a namespace."""
        return Kubectl(self.program("kubectl"), self.kubeconfig)

    def client_command(self, argv: Sequence[str], via: str | None = None) -> list[str]:
        """Return the command, to be run in ``ROOT``, that runs ``argv`` outside the cluster.

        Args:
            argv: the program and its arguments.
            via: the node through which the host enters Services; None for the first.
        """
        return [*_TOOL, "client", *(["--via", via] if via else []), "--", *argv]

    def python_at_a_client(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a short program of Python outside the cluster, and return what became of it."""
        return subprocess.run(
            self.client_command([sys.executable, "-c", program, *arguments]),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_PROGRAM,
            check=False,
        )

    @property
    def is_local(self) -> bool:
        """Whether its components are processes of this machine, and ours."""
        record = Record.read(Paths.of_user())
        return record is not None and record.provider == local.PROVIDER

    @contextmanager
    def proxied_by(self, mode: ProxyMode) -> Iterator[None]:
        """Have every kube-proxy of a local cluster work in a mode until the end."""
        _tool("up", "--proxy-mode", mode, timeout=_CHANGE)
        try:
            yield
        finally:
            _tool("up", "--proxy-mode", DEFAULT_PROXY_MODE, timeout=_CHANGE)

    def build_image(self, tag: str, dockerfile: Path, context: Path, target: str = "") -> Path:
        """Build an image, unless it is built already, and return its archive.

        Args:
            tag: fully qualified name.
            dockerfile: what to build.
            context: the folder that COPY sees.
            target: a stage; empty for the last.
        """
        name = tag.rpartition("/")[2].partition(":")[0]
        archive = Paths.of_user().images / f"{name}.tar"
        _tool(
            *("build-image", "--file", str(dockerfile), "--context", str(context)),
            *("--tag", tag, *(["--target", target] if target else []), str(archive)),
            timeout=1800,
        )
        return archive

    def mend(self) -> None:
        """Start whatever of the cluster is dead, and wait until all is well."""
        _tool("up", timeout=_MENDED)

    def load_images(self, archives: Sequence[Path]) -> None:
        """Bring images onto every node; what a node has already is skipped."""
        _tool("load-image", *map(str, archives), timeout=600)


@contextmanager
def the_cluster(progress: Progress) -> Iterator[Testbed]:
    """Yield the cluster that is up, bringing it up if need be; nobody else uses it meanwhile.

    What a run that was killed has left in it is gone.

    Raises:
        Unavailable: it cannot be had here, or another run does not end.
    """
    try:
        with exclusive(Paths.of_user().in_use, progress, timeout=_IN_USE):
            testbed = _brought_up()
            clear_up(testbed.kubectl)
            yield testbed
    except ClusterError as error:
        raise Unavailable(str(error)) from error


def _brought_up() -> Testbed:
    try:
        _tool("up", timeout=_UP)
        kubeconfig = _tool("kubeconfig", timeout=60)
        folder = _tool("bin", timeout=_UP)
    except subprocess.CalledProcessError as error:
        raise Unavailable(f"no cluster: {error.stderr.strip()[-800:]}") from error
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"no cluster: {error}") from error
    return Testbed(kubeconfig=Path(kubeconfig.strip()), folder=Path(folder.strip()))


def _tool(*arguments: str, timeout: float) -> str:
    """Run the cluster tool and return what it printed; its progress goes to our standard error.

    Raises:
        CalledProcessError: it failed; ``stderr`` holds what it said.
        TimeoutExpired: it did not end in time.
    """
    process = subprocess.Popen(
        [*_TOOL, *arguments],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None  # asked for above
    said: list[str] = []
    relay = threading.Thread(target=_relay, args=(process.stderr, said), daemon=True)
    relay.start()
    with process:
        assert process.stdout is not None  # asked for above
        timer = threading.Timer(timeout, process.kill)
        timer.start()
        try:
            printed = process.stdout.read()
            status = process.wait()
        finally:
            expired = timer.finished.is_set()
            timer.cancel()
            process.terminate()
    relay.join(timeout=5)
    if status and expired:
        raise subprocess.TimeoutExpired(process.args, timeout)
    if status:
        raise subprocess.CalledProcessError(status, process.args, printed, "".join(said))
    return printed


def _relay(source: IO[str], said: list[str]) -> None:
    for line in source:
        said.append(line)
        sys.stderr.write(line)
        sys.stderr.flush()
