"""What is built, and when it is built again."""

import shutil
from pathlib import Path

import pytest

from e2e.cluster import binaries
from e2e.cluster.errors import ClusterError
from e2e.cluster.paths import Paths


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """Empty folders."""
    return Paths(cache=tmp_path / "cache", state=tmp_path / "state")


@pytest.fixture
def gotools(tmp_path: Path) -> Path:
    """A copy of the modules that may be changed."""
    copy = tmp_path / "gotools"
    shutil.copytree(binaries.GOTOOLS, copy)
    return copy


def mark_as_built(paths: Paths, name: str, key: str) -> None:
    """Leave what a build leaves behind."""
    stamp = paths.bin / ".built" / name
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(key)
    (paths.bin / name).touch(mode=0o755)


def test_the_pinned_kubernetes_is_a_release_of_1_34() -> None:
    """The whole project is made for this minor version."""
    assert binaries.kubernetes_version().startswith("1.34.")


def test_a_go_mod_without_kubernetes_is_refused() -> None:
    """The version is never made up."""
    with pytest.raises(ClusterError, match="requires no release"):
        binaries.kubernetes_version("module x\n")


def test_kubernetes_is_told_its_version() -> None:
    """The linker sets what `kubectl version` and every node report."""
    flags = " ".join(binaries.build_flags("kubernetes", "\tk8s.io/kubernetes v1.34.4 // indirect"))

    assert "version.gitVersion=v1.34.4 " in flags
    assert "version.gitMinor=34 " in flags


@pytest.mark.parametrize("program", binaries.PROGRAMS.values(), ids=lambda program: program.name)
def test_every_program_is_in_its_modules_go_mod(program: binaries.Program) -> None:
    """What is built is pinned: the package belongs to a module that go.mod requires."""
    go_mod = (binaries.GOTOOLS / program.module / "go.mod").read_text()

    if program.package == ".":
        assert (binaries.GOTOOLS / program.module / "main.go").is_file()
    else:
        assert program.package in go_mod


@pytest.mark.parametrize(
    ("file", "changes"),
    [
        pytest.param("go.sum", True, id="another dependency"),
        pytest.param("go.mod", True, id="another version"),
        pytest.param("README", False, id="a file that Go does not read"),
    ],
)
def test_the_key_follows_what_decides_the_build(file: str, changes: bool, gotools: Path) -> None:  # noqa: FBT001 - a table's column
    """A version bump rebuilds; nothing else does."""
    program = binaries.PROGRAMS["helm"]
    before = binaries.key(program, gotools)
    with (gotools / "helm" / file).open("a") as stream:
        stream.write("// changed\n")

    assert (binaries.key(program, gotools) != before) is changes


def test_only_what_is_missing_or_outdated_is_built(paths: Paths) -> None:
    """A program counts as built with an executable file and the key of today."""
    mark_as_built(paths, "helm", binaries.key(binaries.PROGRAMS["helm"]))
    mark_as_built(paths, "fortio", "the key of yesterday")

    names = [program.name for program in binaries.missing(binaries.TOOLS, paths)]

    assert names == ["kubectl", "fortio"]


def test_every_provider_has_the_tools() -> None:
    """Whoever uses a cluster finds kubectl, helm and fortio; only kind's users get kind."""
    assert set(binaries.TOOLS) <= set(binaries.LOCAL) & set(binaries.KIND)
    assert "kind" not in binaries.LOCAL
    assert set(binaries.LOCAL) | {"kind"} == set(binaries.PROGRAMS)
