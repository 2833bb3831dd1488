"""Programs built from Go modules: Kubernetes, CoreDNS, Helm, fortio, kind.

Each module under `gotools/` pins its versions in go.mod and go.sum; a program is built again when
one of these or the way of building changes, and only then.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from e2e.cluster.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from e2e.cluster.paths import Paths
    from e2e.cluster.progress import Progress, Step

GOTOOLS = Path(__file__).with_name("gotools")
BUILD_TIMEOUT = 3600.0
"""Seconds; Kubernetes takes five minutes on two idle cores."""


@dataclass(frozen=True)
class Program:
    """One binary.

    Attributes:
        name: The file's name.
        module: The folder under `gotools/`.
        package: What `go build` is told to build.
    """

    name: str
    module: str
    package: str


PROGRAMS = {
    program.name: program
    for program in (
        *(
            Program(name, "kubernetes", f"k8s.io/kubernetes/cmd/{name}")
            for name in (
                "kube-apiserver",
                "kube-controller-manager",
                "kube-proxy",
                "kube-scheduler",
                "kubectl",
                "kubelet",
            )
        ),
        Program("coredns", "coredns", "."),
        Program("fortio", "fortio", "fortio.org/fortio"),
        Program("helm", "helm", "helm.sh/helm/v4/cmd/helm"),
        Program("kind", "kind", "sigs.k8s.io/kind"),
    )
}

TOOLS = ("kubectl", "helm", "fortio")
"""What whoever uses a cluster needs, whichever provider made it."""

LOCAL = (*TOOLS, *(name for name in PROGRAMS if name not in {"kind", *TOOLS}))
KIND = (*TOOLS, "kind")


def kubernetes_version(go_mod: str | None = None) -> str:
    """The version of k8s.io/kubernetes in a go.mod (None: ours), such as "1.34.4"."""
    if go_mod is None:
        go_mod = (GOTOOLS / "kubernetes" / "go.mod").read_text()
    found = re.search(r"^\s*k8s\.io/kubernetes v(\d+\.\d+\.\d+)\b", go_mod, re.MULTILINE)
    if found is None:
        raise ClusterError("gotools/kubernetes/go.mod requires no release of k8s.io/kubernetes.")
    return found[1]


def build_flags(module: str, go_mod: str) -> list[str]:
    """What `go build` is given before the packages.

    Kubernetes learns its version from the linker; without it a node says it is v0.0.0.
    """
    linker = "-s -w"
    if module == "kubernetes":
        version = kubernetes_version(go_mod)
        major, minor, _ = version.split(".")
        variable = "-X k8s.io/component-base/version"
        linker += f" {variable}.gitVersion=v{version} {variable}.gitMajor={major}"
        linker += f" {variable}.gitMinor={minor} {variable}.gitTreeState=clean"
    return ["-trimpath", "-buildvcs=false", "-ldflags", linker]


def key(program: Program, gotools: Path = GOTOOLS) -> str:
    """A hash of all that decides how a program comes out, but for the Go version."""
    folder = gotools / program.module
    digest = hashlib.sha256(program.package.encode())
    for name in sorted(
        path.name for path in folder.iterdir() if path.suffix in {".mod", ".sum", ".go"}
    ):
        digest.update(name.encode() + b"\0" + (folder / name).read_bytes() + b"\0")
    digest.update("\0".join(build_flags(program.module, (folder / "go.mod").read_text())).encode())
    return digest.hexdigest()


def _stamp(paths: Paths, program: Program) -> Path:
    return paths.bin / ".built" / program.name


def missing(names: Iterable[str], paths: Paths) -> list[Program]:
    """The programs that have to be built first."""

    def is_current(program: Program) -> bool:
        stamp = _stamp(paths, program)
        return (
            os.access(paths.bin / program.name, os.X_OK)
            and stamp.is_file()
            and stamp.read_text() == key(program)
        )

    return [PROGRAMS[name] for name in names if not is_current(PROGRAMS[name])]


def ensure(names: Sequence[str], paths: Paths, progress: Progress) -> None:
    """Build what is missing.

    Raises:
        ClusterError: There is no Go, or a build failed.
    """
    modules: dict[str, list[Program]] = {}
    for program in missing(names, paths):
        modules.setdefault(program.module, []).append(program)
    for module, programs in modules.items():
        title = f"Building {', '.join(program.name for program in programs)} (once, then cached)"
        with progress.step(title) as step:
            _build(module, programs, paths, step)


def _build(module: str, programs: Sequence[Program], paths: Paths, step: Step) -> None:
    folder = GOTOOLS / module
    paths.bin.mkdir(parents=True, exist_ok=True)
    _stamp(paths, programs[0]).parent.mkdir(exist_ok=True)
    for stale in paths.bin.glob(".build-*"):
        shutil.rmtree(stale)
    with tempfile.TemporaryDirectory(dir=paths.bin, prefix=".build-") as scratch:
        argv = [
            *("go", "build", "-v", "-o", f"{scratch}/"),
            *build_flags(module, (folder / "go.mod").read_text()),
            *(program.package for program in programs),
        ]
        _go(argv, folder, step)
        for program in programs:
            # A rename, because the old file may be running.
            shutil.move(f"{scratch}/{program.name}", paths.bin / program.name)
            _stamp(paths, program).write_text(key(program))


def _go(argv: Sequence[str], folder: Path, step: Step) -> None:
    environ = {**os.environ, "CGO_ENABLED": "0"}
    try:
        building = subprocess.Popen(
            argv,
            cwd=folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
    except FileNotFoundError as error:
        raise ClusterError(
            "`go` is not installed, and programs have to be built.",
            "Install Go 1.26 or newer from https://go.dev/dl/ (Debian 12's golang is too old) and "
            "put it on PATH.",
        ) from error
    with building:
        assert building.stderr is not None
        tail: list[str] = []
        reader = threading.Thread(target=_read, args=(building.stderr, tail, step), daemon=True)
        reader.start()
        try:
            status = building.wait(timeout=BUILD_TIMEOUT)
        except BaseException:
            building.kill()
            raise
        reader.join()
    if status != 0:
        raise ClusterError(
            f"`go build` in {folder} failed: " + "".join(tail[-20:]).strip(),
            "The Go module proxy must be reachable (GOPROXY), and Go must be 1.26 or newer "
            "(`go version`; older ones fetch it by themselves unless GOTOOLCHAIN=local).",
        )


def _read(stream: TextIO, tail: list[str], step: Step) -> None:
    """`go build -v` names each package that it compiles; what it downloads, it says so."""
    compiled = 0
    for line in stream:
        tail.append(line)
        del tail[:-50]
        compiled += not line.startswith(("go: ", "#"))
        step.detail = f"{compiled} packages compiled" if compiled else line.strip()
