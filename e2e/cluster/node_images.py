"""Images in a node's containerd."""

from __future__ import annotations

from typing import TYPE_CHECKING

from e2e.cluster import docker_archive
from e2e.cluster.runtime import ctr

if TYPE_CHECKING:
    from pathlib import Path

    from e2e.cluster.paths import Paths
    from e2e.cluster.topology import Node

LABEL = "lossless.dev/archive"
"""On an image in containerd: the digest that it had in the archive.

containerd converts an archive, so its own digest does not tell whether the archive is the same.
"""

IMPORT_TIMEOUT = 300.0


def has(listing: str, tag: str, digest: str) -> bool:
    """Whether `ctr images list` shows an image that came from an archive with this digest."""
    return any(
        row.split()[0] == tag and f"{LABEL}={digest}" in row
        for row in listing.splitlines()
        if row.strip()
    )


def load(node: Node, paths: Paths, archive: Path) -> bool:
    """Import an archive's images into a node; False when it has them already."""
    images = docker_archive.read(archive)
    listing = ctr(node, paths, "images", "list")
    if all(has(listing, tag, image.digest) for image in images for tag in image.tags):
        return False
    known = {row.split()[0] for row in listing.splitlines() if row.strip()}
    for image in images:
        for tag in known.intersection(image.tags):
            # Before the import: killed in between, the label must not vouch for the new content.
            ctr(node, paths, "images", "label", tag, f"{LABEL}=")
    ctr(node, paths, "images", "import", "-", stdin=archive, timeout=IMPORT_TIMEOUT)
    for image in images:
        for tag in image.tags:
            ctr(node, paths, "images", "label", tag, f"{LABEL}={image.digest}")
    return True
