"""Docker archives (`docker save`'s format): made of files, and looked into."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from e2e.cluster.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

EPOCH = "1970-01-01T00:00:00Z"
"""When our images were made: the same content is the same image, whenever it was made."""


@dataclass(frozen=True)
class ArchivedImage:
    """One image of an archive.

    Attributes:
        tags: Its names, such as `localhost/app:1`.
        digest: SHA-256 of its configuration, which is what Docker calls the image's id.
    """

    tags: tuple[str, ...]
    digest: str


def read(archive: Path) -> tuple[ArchivedImage, ...]:
    """The images of an archive.

    Raises:
        ClusterError: The file is missing or no docker archive.
    """
    try:
        with tarfile.open(archive) as tar:
            entries: list[dict[str, Any]] = json.load(_member(tar, "manifest.json"))
            return tuple(
                ArchivedImage(tuple(entry["RepoTags"] or ()), _digest(entry["Config"]))
                for entry in entries
            )
    except FileNotFoundError as error:
        raise ClusterError(f"{archive} does not exist.", "Build the image first.") from error
    except (tarfile.TarError, KeyError, ValueError, TypeError) as error:
        raise ClusterError(
            f"{archive} is not a docker archive ({error}).",
            "Make one with `docker save`, `buildah push IMAGE docker-archive:FILE:NAME` or "
            "`python -m e2e.cluster build-image`.",
        ) from error


def _member(tar: tarfile.TarFile, name: str) -> IO[bytes]:
    member = tar.extractfile(name)
    if member is None:
        raise KeyError(f"{name} is no file")
    return member


def _digest(config: str) -> str:
    """The digest in a manifest's Config: HASH.json, or blobs/sha256/HASH since Docker 25."""
    return Path(config).name.removesuffix(".json")


def layer(files: Mapping[str, Path]) -> bytes:
    """An uncompressed layer, the same bytes for the same files.

    Args:
        files: The path in the image, without the leading slash, to the file on this machine.
    """
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, source in sorted(files.items()):
            content = source.read_bytes()
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def write(
    archive: Path,
    *,
    tag: str,
    layers: Sequence[bytes | Path],
    architecture: str,
    config: Mapping[str, Any],
) -> None:
    """Write an archive with one image.

    Args:
        archive: The file; replaced atomically.
        tag: The image's name.
        layers: Uncompressed tar archives, or files that hold one, the lowest first.
        architecture: Go's name, such as "amd64".
        config: The OCI image's `config`: Entrypoint, Cmd, Env and so on.
    """
    archive.parent.mkdir(parents=True, exist_ok=True)
    draft = archive.with_suffix(".draft")
    hashes = [_sha256(content) for content in layers]
    document = json.dumps(
        {
            "architecture": architecture,
            "os": "linux",
            "config": dict(config),
            "created": EPOCH,
            # One entry per layer, or buildah refuses to build on it; dated, or it never finds a
            # layer of an earlier build in its cache.
            "history": [{"created": EPOCH, "created_by": "python -m e2e.cluster"} for _ in hashes],
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}" for digest in hashes]},
        }
    ).encode()
    name = f"{hashlib.sha256(document).hexdigest()}.json"
    members = [f"{digest}/layer.tar" for digest in hashes]
    manifest = json.dumps([{"Config": name, "RepoTags": [tag], "Layers": members}]).encode()
    with tarfile.open(draft, "w") as tar:
        for member, content in zip(members, layers, strict=True):
            if isinstance(content, Path):
                tar.add(content, arcname=member)
            else:
                _add(tar, member, content)
        _add(tar, name, document)
        _add(tar, "manifest.json", manifest)
    draft.replace(archive)


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    tar.addfile(entry, io.BytesIO(content))


def _sha256(content: bytes | Path) -> str:
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest()
    with content.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
