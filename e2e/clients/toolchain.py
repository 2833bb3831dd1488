"""What makes clients runnable: built once into the user's cache folder, again after a change."""

import hashlib
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from e2e.clients.catalogue import Client, Toolchain
from e2e.cluster.command import run
from e2e.cluster.paths import Paths
from e2e.cluster.progress import Progress
from e2e.cluster.record import exclusive

_HERE: Final = Path(__file__).parent
_ROOT: Final = _HERE.parents[1]
_BUILD: Final = 900.0

#: Programs without which a toolchain does nothing.
PROGRAMS: Final[Mapping[Toolchain, tuple[str, ...]]] = {
    Toolchain.GO: ("go",),
    Toolchain.JAVA: ("javac", "java", "mvn"),
    Toolchain.NODE: ("node",),
    Toolchain.PYTHON: (),
    Toolchain.CURL: ("curl", "stdbuf", "timeout"),
    Toolchain.WRK: ("wrk",),
}
#: Two cores run all clients: one compiler, one collector, little heap for each Java process.
_JAVA: Final = ("-Xmx96m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")


@dataclass(frozen=True, slots=True)
class Missing:
    """A toolchain that this machine does not have."""

    program: str

    def __str__(self) -> str:
        """Say it as a cell of the matrix."""
        return f"not run: no {self.program} on this machine"


@dataclass(frozen=True, slots=True)
class Ready:
    """A toolchain that is built; the folder holds what it made."""

    folder: Path

    def argv(self, client: Client) -> list[str]:
        """Return the command that runs a client, with absolute paths, in the repository's root."""
        match client.toolchain:
            case Toolchain.GO:
                return [str(self.folder / "client")]
            case Toolchain.JAVA:
                path = f"{self.folder / 'classes'}:{self.folder / 'jars'}/*"
                return [_found("java"), *_JAVA, "-cp", path, client.main]
            case Toolchain.NODE:
                return [_found("node"), str(_HERE / "node" / client.main)]
            case Toolchain.PYTHON:
                module = f"e2e.clients.python.{client.main}"
                return [str(self.folder / "bin" / "python"), "-m", module]
            case Toolchain.CURL | Toolchain.WRK:
                return [sys.executable, "-m", f"e2e.clients.programs.{client.main}"]


Prepared = Mapping[Toolchain, Ready | Missing]


def prepare(clients: Iterable[Client], paths: Paths, progress: Progress) -> Prepared:
    """Build what these clients need.

    Raises:
        ClusterError: a build failed; the builder's last words are in it.
    """
    folder = paths.cache / "clients"
    folder.mkdir(parents=True, exist_ok=True)
    with exclusive(folder / "lock", progress):
        return {
            toolchain: _prepared(toolchain, folder, progress)
            for toolchain in sorted({client.toolchain for client in clients})
        }


def _prepared(toolchain: Toolchain, folder: Path, progress: Progress) -> Ready | Missing:
    for program in PROGRAMS[toolchain]:
        if shutil.which(program) is None:
            return Missing(program)
    match toolchain:
        case Toolchain.GO:
            sources = [_HERE / "go" / name for name in ("go.mod", "main.go")]
            return _built(folder / "go", sources, _go, progress)
        case Toolchain.JAVA:
            here = _HERE / "java"
            sources = [*sorted(here.glob("*.java")), here / "pom.xml", here / "jars.sha256"]
            return _built(folder / "java", sources, _java, progress)
        case Toolchain.PYTHON:
            sources = [_ROOT / "requirements" / "proof.txt"]
            return _built(folder / "python", sources, _python, progress, words=[sys.version])
        case Toolchain.NODE | Toolchain.CURL | Toolchain.WRK:
            return Ready(folder)


def key(sources: Sequence[Path], words: Sequence[str] = ()) -> str:
    """A hash over all that decides how a build comes out, but for the compiler's version."""
    digest = hashlib.sha256()
    for part in (*words, *(part for path in sources for part in (path.name, path.read_bytes()))):
        raw = part.encode() if isinstance(part, str) else part
        digest.update(len(raw).to_bytes(8, "big") + raw)
    return digest.hexdigest()


def _built(
    folder: Path,
    sources: Sequence[Path],
    make: Callable[[Path], None],
    progress: Progress,
    words: Sequence[str] = (),
) -> Ready:
    stamp = folder / ".built"
    wanted = key(sources, words)
    if stamp.is_file() and stamp.read_text() == wanted:
        return Ready(folder)
    with progress.step(f"Building the {folder.name} clients (once, then cached)"):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        make(folder)
    stamp.write_text(wanted)
    return Ready(folder)


def _go(folder: Path) -> None:
    run(
        ["go", "build", "-trimpath", "-buildvcs=false", "-o", folder / "client", "."],
        cwd=_HERE / "go",
        timeout=_BUILD,
        remedy="Go must be 1.26 or newer (`go version`).",
    )


def _java(folder: Path) -> None:
    jars, classes = folder / "jars", folder / "classes"
    plugin = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
    with tempfile.TemporaryDirectory(prefix="lossless-maven-") as scratch:
        pom = Path(scratch) / "pom.xml"  # Maven writes beside it
        shutil.copy(_HERE / "java" / "pom.xml", pom)
        run(
            [
                *("mvn", "--quiet", "--batch-mode", "--strict-checksums", "--file", pom),
                *(plugin, "-DincludeScope=runtime", f"-DoutputDirectory={jars}"),
            ],
            timeout=_BUILD,
            remedy="Maven's central repository must be reachable (`mvn help:system`).",
        )
    listed = _HERE / "java" / "jars.sha256"
    run(["sha256sum", "--check", "--strict", "--quiet", listed], cwd=jars)
    sources = sorted((_HERE / "java").glob("*.java"))
    run(["javac", "-cp", f"{jars}/*", "-d", classes, *sources], timeout=_BUILD)


def _python(folder: Path) -> None:
    run([sys.executable, "-m", "venv", folder], timeout=_BUILD)
    run(
        [
            *(folder / "bin" / "python", "-m", "pip", "install", "--quiet"),
            *("--disable-pip-version-check", "--require-hashes"),
            *("--requirement", _ROOT / "requirements" / "proof.txt"),
        ],
        timeout=_BUILD,
        remedy="The Python package index must be reachable (`pip config list`).",
    )


def _found(program: str) -> str:
    path = shutil.which(program)
    assert path is not None  # `prepare` has looked
    return path
