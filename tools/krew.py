"""``make krew``: the kubectl plugin as an archive that needs no Python, and its manifest.

Krew (https://krew.sigs.k8s.io) installs one archive a platform, named by a manifest with its
SHA-256. An archive is of the platform that it is made on, so each is made there; the manifest is
made once, of all archives in the folder.
"""

import argparse
import gzip
import hashlib
import io
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from lossless import __version__

ROOT: Final = Path(__file__).parent.parent
FOLDER: Final = ROOT / "build" / "krew"
PROGRAM: Final = "kubectl-lossless"
#: Go's words for what Python calls these machines.
_ARCHITECTURES: Final = {"x86_64": "amd64", "AMD64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
_ARCHIVE: Final = re.compile(rf"{PROGRAM}-([a-z]+)-([a-z0-9]+)\.tar\.gz")


def manifest(repository: str, version: str, checksums: Mapping[str, str]) -> dict[str, Any]:
    """Return Krew's manifest of the plugin.

    Args:
        repository: its URL; releases hold the archives, as GitHub and Gitea lay them out.
        version: without the ``v``.
        checksums: SHA-256 by the archive's name, from ``archive_name``.
    """
    platforms = []
    for name, checksum in sorted(checksums.items()):
        found = _ARCHIVE.fullmatch(name)
        if found is None:
            raise ValueError(f"{name} is no archive of {PROGRAM}: {PROGRAM}-OS-ARCH.tar.gz")
        platforms.append(
            {
                "selector": {"matchLabels": {"os": found[1], "arch": found[2]}},
                "uri": f"{repository}/releases/download/v{version}/{name}",
                "sha256": checksum,
                "bin": PROGRAM,
                "files": [{"from": f"{PROGRAM}/*", "to": "."}],
            }
        )
    return {
        "apiVersion": "krew.googlecontainertools.github.com/v1alpha2",
        "kind": "Plugin",
        "metadata": {"name": "lossless"},
        "spec": {
            "version": f"v{version}",
            "homepage": repository,
            "shortDescription": "See, check and steer lossless rollouts",
            "description": (
                "Shows what a LosslessRollout waits for, explains why a pod is not drained,\n"
                "finds what is wrong with a set-up before it loses requests, and pauses,\n"
                "resumes and undoes rollouts.\n"
            ),
            "caveats": (
                "Lossless itself is installed with its Helm chart. `kubectl lossless check -f\n"
                "FILE` works without it, and without a cluster.\n"
            ),
            "platforms": platforms,
        },
    }


def archive_name(system: str, machine: str) -> str:
    """Return the archive's name for ``platform.system()`` and ``platform.machine()``.

    Raises:
        ValueError: Krew knows no such machine.
    """
    try:
        return f"{PROGRAM}-{system.lower()}-{_ARCHITECTURES[machine]}.tar.gz"
    except KeyError:
        known = ", ".join(sorted(_ARCHITECTURES))
        raise ValueError(
            f"no archive can be made on {machine!r}; one of {known} is needed"
        ) from None


def build(archive: Path) -> None:
    """Make the archive for this machine: a folder with the program, an interpreter and LICENSE."""
    with tempfile.TemporaryDirectory(prefix="lossless-krew-") as scratch:
        subprocess.run(
            [
                *(sys.executable, "-m", "PyInstaller", "--onedir", "--noconfirm"),
                *("--log-level", "WARN", "--name", PROGRAM, "--paths", str(ROOT / "operator")),
                *("--distpath", f"{scratch}/dist", "--workpath", f"{scratch}/work"),
                *("--specpath", scratch, str(ROOT / "operator/lossless/plugin/__main__.py")),
            ],
            check=True,
        )
        made = Path(scratch, "dist", PROGRAM)
        shutil.copy(ROOT / "LICENSE", made)
        archive.parent.mkdir(parents=True, exist_ok=True)
        archive.write_bytes(packed(made))


def packed(folder: Path) -> bytes:
    """Return a .tar.gz that is the same for the same files, whenever and by whomever it is made."""
    buffer = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w") as tar,
    ):
        for path in sorted(folder.rglob("*")):
            tar.add(path, f"{folder.name}/{path.relative_to(folder)}", False, filter=_anonymous)  # noqa: FBT003 # not what is below: that comes by itself
    return buffer.getvalue()


def _anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = entry.mtime = 0
    entry.uname = entry.gname = ""
    return entry


def main() -> None:
    """Make what is asked for, and say where it is and how to try it."""
    parser = argparse.ArgumentParser(prog="python -m tools.krew", description=__doc__)
    parser.add_argument(
        "--repository",
        required=True,
        metavar="URL",
        help="where releases are: its /releases/download/vVERSION/ will hold the archives",
    )
    options = parser.parse_args()
    if not options.repository.startswith("https://"):
        parser.error(f"--repository {options.repository!r}: name the https:// URL of the project")
    archive = FOLDER / archive_name(platform.system(), platform.machine())
    build(archive)
    checksums = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in FOLDER.glob("*.tar.gz")
    }
    described = manifest(options.repository.rstrip("/"), __version__, checksums)
    file = FOLDER / "lossless.yaml"
    file.write_text(yaml.safe_dump(described, sort_keys=False))
    print(f"{archive} ({archive.stat().st_size / 1e6:.0f} MB)\n{file}")
    print(f"To try it: kubectl krew install --manifest={file} --archive={archive}")


if __name__ == "__main__":
    main()
