"""The image that Dockerfiles are built on where no registry can be reached: Debian, made here."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from e2e.cluster import docker_archive
from e2e.cluster.command import run
from e2e.cluster.system_images import architecture

if TYPE_CHECKING:
    from collections.abc import Sequence

    from e2e.cluster.paths import Paths
    from e2e.cluster.progress import Progress

SUITE = "bookworm"
PACKAGES = (
    "ca-certificates",
    "haproxy",
    "nginx",
    "python-is-python3",
    "python3",
    "python3-venv",
)
"""python3-venv brings pip by `python -m venv`; nginx is for the sample, haproxy for the proof."""

LEFT_OUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*")
TIMEOUT = 1200.0


def recipe() -> list[str]:
    """Mmdebstrap's arguments, but for the file that it writes."""
    return [
        "--mode=root",
        "--variant=minbase",
        f"--include={','.join(PACKAGES)}",
        *(f"--dpkgopt=path-exclude={path}" for path in LEFT_OUT),
        # mmdebstrap copies this machine's; a container runtime brings its own.
        '--customize-hook=rm -f "$1/etc/resolv.conf" "$1/etc/hostname"',
        SUITE,
    ]


def tag() -> str:
    """The image's name, different for a different recipe."""
    digest = hashlib.sha256("\0".join(recipe()).encode()).hexdigest()[:12]
    return f"localhost/lossless-base:{SUITE}-{digest}"


def ensure(buildah: Sequence[str], paths: Paths, progress: Progress) -> str:
    """Bring the base into buildah's storage unless it is there, and give its name.

    The caller holds the lock on that storage.

    Args:
        buildah: The command prefix that works on that storage.
        paths: The tool's folders.
        progress: Where to say that it takes long.
    """
    name = tag()
    if name in run([*buildah, "images", "--format={{.Name}}:{{.Tag}}"]).split():
        return name
    for stale in paths.cache.glob(".base-*"):
        shutil.rmtree(stale)
    with (
        progress.step("Making the Debian base image (once, then cached)"),
        tempfile.TemporaryDirectory(dir=paths.cache, prefix=".base-") as scratch,
    ):
        _make(buildah, name, Path(scratch))
    return name


def _make(buildah: Sequence[str], name: str, scratch: Path) -> None:
    layer, archive = scratch / "layer.tar", scratch / "base.tar"
    run(
        # A mount namespace of its own: killed, it cannot leave /dev mounted in a folder that we
        # are about to delete.
        ["unshare", "--mount", "--propagation=private", "mmdebstrap", *recipe(), layer],
        timeout=TIMEOUT,
        environ={**os.environ, "TMPDIR": str(scratch)},
        remedy="A Debian mirror must be reachable; `apt-get update` shows whether one is.",
    )
    docker_archive.write(
        archive,
        tag=name,
        layers=[layer],
        architecture=architecture(),
        config={
            "Cmd": ["python3"],
            "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
        },
    )
    layer.unlink()
    run([*buildah, "pull", "--quiet", f"docker-archive:{archive}"], timeout=TIMEOUT)
