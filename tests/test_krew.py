"""What Krew installs the kubectl plugin by."""

import io
import os
import tarfile
from pathlib import Path

import pytest

from tools.krew import PROGRAM, archive_name, manifest, packed

SUM = "0" * 64


def test_the_manifest_names_every_archive_by_its_checksum() -> None:
    """One platform an archive, at the place where a release of this version has it."""
    archives = {f"{PROGRAM}-linux-arm64.tar.gz": "1" * 64, f"{PROGRAM}-darwin-arm64.tar.gz": SUM}

    made = manifest("https://git.example.com/lossless", "1.2.3", archives)

    assert made["spec"]["version"] == "v1.2.3"
    assert [
        (one["selector"]["matchLabels"], one["sha256"], one["bin"])
        for one in made["spec"]["platforms"]
    ] == [
        ({"os": "darwin", "arch": "arm64"}, SUM, PROGRAM),
        ({"os": "linux", "arch": "arm64"}, "1" * 64, PROGRAM),
    ]
    assert made["spec"]["platforms"][1]["uri"] == (
        "https://git.example.com/lossless/releases/download/v1.2.3/"
        "kubectl-lossless-linux-arm64.tar.gz"
    )


def test_krews_own_limits_are_kept() -> None:
    """Its index refuses a short description of more than 50 characters."""
    assert len(manifest("https://x", "1", {})["spec"]["shortDescription"]) <= 50


def test_a_stray_file_is_no_platform() -> None:
    """It would become one that nobody can select."""
    with pytest.raises(ValueError, match=r"old\.tar\.gz is no archive"):
        manifest("https://x", "1", {"old.tar.gz": SUM})


@pytest.mark.parametrize(
    ("system", "machine", "name"),
    [
        ("Linux", "x86_64", "kubectl-lossless-linux-amd64.tar.gz"),
        ("Darwin", "arm64", "kubectl-lossless-darwin-arm64.tar.gz"),
        ("Windows", "AMD64", "kubectl-lossless-windows-amd64.tar.gz"),
    ],
)
def test_archives_are_named_in_gos_words(system: str, machine: str, name: str) -> None:
    """Krew selects by GOOS and GOARCH."""
    assert archive_name(system, machine) == name


def test_an_unknown_machine_is_refused() -> None:
    """With what there is."""
    with pytest.raises(ValueError, match=r"'riscv64'; one of .*aarch64"):
        archive_name("Linux", "riscv64")


def test_the_same_files_make_the_same_archive(tmp_path: Path) -> None:
    """Whenever they were written and by whomever; programs stay programs."""
    folders = [tmp_path / "a" / PROGRAM, tmp_path / "b" / PROGRAM]
    for seconds, folder in enumerate(folders):
        (folder / "inner").mkdir(parents=True)
        program = folder / PROGRAM
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
        (folder / "inner" / "data").write_text("x")
        for path in folder.rglob("*"):
            os.utime(path, (seconds, seconds))

    first, second = map(packed, folders)

    assert first == second
    with tarfile.open(fileobj=io.BytesIO(first)) as tar:
        modes = {entry.name: entry.mode for entry in tar if entry.isfile()}
    assert modes == {f"{PROGRAM}/{PROGRAM}": 0o755, f"{PROGRAM}/inner/data": 0o644}
