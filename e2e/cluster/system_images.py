"""The images that the cluster itself runs, made of single static binaries."""

from __future__ import annotations

import hashlib
import platform
from pathlib import Path
from typing import TYPE_CHECKING

from e2e.cluster import docker_archive
from e2e.cluster.configuration import PAUSE_IMAGE
from e2e.cluster.errors import ClusterError

if TYPE_CHECKING:
    from e2e.cluster.paths import Paths

BUSYBOX = Path("/bin/busybox")
"""From the package busybox-static; the one of the package busybox is not static."""


def architecture() -> str:
    """This machine's architecture by Go's name.

    Raises:
        ClusterError: The local provider was never tried on it.
    """
    machine = platform.machine()
    names = {"x86_64": "amd64", "aarch64": "arm64"}
    if machine not in names:
        raise ClusterError(
            f"Images cannot be made for {machine} machines.", f"Use one of {', '.join(names)}."
        )
    return names[machine]


def pause(paths: Paths) -> Path:
    """The archive of the image that holds a pod's namespaces."""
    archive = paths.images / "pause.tar"
    docker_archive.write(
        archive,
        tag=PAUSE_IMAGE,
        layers=[docker_archive.layer({"bin/busybox": BUSYBOX})],
        architecture=architecture(),
        config={"Cmd": ["/bin/busybox", "sleep", "2147483647"]},
    )
    return archive


def coredns_tag(paths: Paths) -> str:
    """The name of the CoreDNS image, different for different binaries."""
    with (paths.bin / "coredns").open("rb") as stream:
        return (
            f"localhost/lossless-coredns:{hashlib.file_digest(stream, 'sha256').hexdigest()[:12]}"
        )


def coredns(paths: Paths) -> Path:
    """The archive of the CoreDNS image."""
    tag = coredns_tag(paths)
    archive = paths.images / f"coredns-{tag.rpartition(':')[2]}.tar"
    if not archive.exists():
        for old in paths.images.glob("coredns-*"):
            old.unlink()
        docker_archive.write(
            archive,
            tag=tag,
            layers=[docker_archive.layer({"coredns": paths.bin / "coredns"})],
            architecture=architecture(),
            config={"Entrypoint": ["/coredns"]},
        )
    return archive
