"""Building Dockerfiles into docker archives: with Docker where there is one, else with buildah."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from e2e.cluster import base_image, build_context, docker, mounts, pip_settings, preflight
from e2e.cluster.command import run
from e2e.cluster.errors import ClusterError
from e2e.cluster.record import exclusive

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from e2e.cluster.paths import Paths
    from e2e.cluster.progress import Progress

TIMEOUT = 1800.0
SPACE_TO_BUILD = 4 * preflight.GIB
CACHE_LIMIT = 6 * preflight.GIB
"""Above this buildah's cached layers are dropped before a build."""


@dataclass(frozen=True)
class Build:
    """One image to build.

    Attributes:
        dockerfile: The file.
        context: The folder that COPY sees.
        tag: The image's name, with a registry (`localhost`) and a tag that is not `latest`.
        target: The stage; empty for the last.
        arguments: Build arguments. Where the Dockerfile has `ARG BASE` and this does not, a build
            without Docker sets it to our own Debian base.
    """

    dockerfile: Path
    context: Path
    tag: str
    target: str = ""
    arguments: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.dockerfile.is_file():
            raise ClusterError(f"--file {self.dockerfile} is not a file.", "Name the Dockerfile.")
        if not self.context.is_dir():
            raise ClusterError(f"--context {self.context} is not a folder.", "Name a folder.")
        if not re.fullmatch(r"[a-z0-9.-]+(:\d+)?(/[a-z0-9._-]+)+:[\w.-]+", self.tag):
            raise ClusterError(
                f"--tag {self.tag} is not fully qualified.",
                "Write registry, name and tag, such as localhost/app:1; kubelets treat others as "
                "docker.io's.",
            )
        if self.tag.endswith(":latest"):
            raise ClusterError(
                f"--tag {self.tag} ends with :latest, which kubelets try to pull every time.",
                "Use another tag, such as localhost/app:1.",
            )

    def wants_base(self) -> bool:
        """Whether the Dockerfile lets us choose its base and the caller has not."""
        text = self.dockerfile.read_text()
        return "BASE" not in self.arguments and bool(
            re.search(r"^\s*ARG\s+BASE\b", text, re.MULTILINE | re.IGNORECASE)
        )


def build(wanted: Build, archive: Path, paths: Paths, progress: Progress) -> bool:
    """Build an image into a docker archive; False when the archive is current already.

    Raises:
        ClusterError: No builder, no space, or the build failed; the builder's last words are in it.
    """
    with_docker = docker.engine_answers()
    stamp = archive.with_name(f"{archive.name}.key")
    key = _key(wanted, "docker" if with_docker else base_image.tag())
    if archive.exists() and stamp.exists() and stamp.read_text() == key:
        progress.say(f"{archive}: {wanted.tag} is current")
        return False
    preflight.check_space(paths.cache, SPACE_TO_BUILD, "building an image")
    archive.parent.mkdir(parents=True, exist_ok=True)
    stamp.unlink(missing_ok=True)
    draft = archive.with_name(f".{archive.name}.draft")
    draft.unlink(missing_ok=True)
    if with_docker:
        _with_docker(wanted, draft, progress)
    else:
        _with_buildah(wanted, draft, paths, progress)
    draft.replace(archive)
    stamp.write_text(key)
    return True


def _key(wanted: Build, base: str) -> str:
    words = [wanted.tag, wanted.target, base]
    words += [f"{name}={value}" for name, value in sorted(wanted.arguments.items())]
    return build_context.key(wanted.context, wanted.dockerfile, words)


def build_options(wanted: Build, arguments: Mapping[str, str]) -> list[str]:
    """The options that `docker build` and `buildah build` share, the context last."""
    return [
        f"--file={wanted.dockerfile}",
        f"--tag={wanted.tag}",
        *([f"--target={wanted.target}"] if wanted.target else []),
        *(f"--build-arg={name}={value}" for name, value in sorted(arguments.items())),
        str(wanted.context),
    ]


def _with_docker(wanted: Build, draft: Path, progress: Progress) -> None:
    with progress.step(f"Building {wanted.tag} with Docker"):
        run(["docker", "build", *build_options(wanted, wanted.arguments)], timeout=TIMEOUT)
        run(["docker", "save", f"--output={draft}", wanted.tag], timeout=TIMEOUT)


def _with_buildah(wanted: Build, draft: Path, paths: Paths, progress: Progress) -> None:
    preflight.check_root()
    preflight.check_programs(preflight.NEEDED_FOR_IMAGES)
    with exclusive(paths.cache / "buildah.lock", progress):
        _in_storage(wanted, draft, paths, progress)


def _in_storage(wanted: Build, draft: Path, paths: Paths, progress: Progress) -> None:
    driver, buildah = storage(paths)
    run([*buildah, "rm", "--all"])  # working containers of a killed build
    for stale in paths.cache.glob(".build-*"):
        shutil.rmtree(stale)
    _limit_cache(buildah, paths.cache / "buildah")
    arguments = dict(wanted.arguments)
    if wanted.wants_base():
        arguments["BASE"] = base_image.ensure(buildah, paths, progress)
    with (
        progress.step(f"Building {wanted.tag} with buildah"),
        tempfile.TemporaryDirectory(dir=paths.cache, prefix=".build-") as scratch,
    ):
        pip_conf = Path(scratch) / "pip.conf"
        settings = pip_settings.gather(pip_settings.configuration_files(os.environ), os.environ)
        pip_conf.touch(mode=0o600)
        pip_conf.write_text(pip_settings.render(settings))
        volumes = [f"{pip_conf}:/etc/pip.conf:ro"]
        volumes += [f"{folder}:{folder}:ro" for folder in pip_settings.local_folders(settings)]
        if pip_settings.CA_BUNDLE.exists():
            volumes.append(f"{pip_settings.CA_BUNDLE}:{pip_settings.CA_BUNDLE}:ro")
        run(
            [
                *buildah,
                *("build", "--isolation=chroot", "--format=docker", "--pull-never"),
                # Cached layers cost a full copy each with vfs, and next to nothing with overlay.
                f"--layers={str(driver == 'overlay').lower()}",
                *(f"--volume={volume}" for volume in volumes),
                *build_options(wanted, arguments),
            ],
            timeout=TIMEOUT,
        )
        destination = f"docker-archive:{draft}:{wanted.tag}"
        run([*buildah, "push", "--quiet", wanted.tag, destination], timeout=TIMEOUT)
        if driver == "vfs":
            run([*buildah, "rmi", wanted.tag])


def storage(paths: Paths) -> tuple[str, list[str]]:
    """Buildah's storage driver, and the command prefix that works on our storage only."""
    folder = paths.cache / "buildah"
    folder.mkdir(parents=True, exist_ok=True)
    driver = "overlay" if mounts.overlay_works(folder) else "vfs"
    return driver, [
        "buildah",
        f"--root={folder / driver}",
        f"--runroot={folder / driver}-run",
        f"--storage-driver={driver}",
    ]


def _limit_cache(buildah: Sequence[str], folder: Path) -> None:
    kilobytes = int(run(["du", "-sxk", folder], timeout=120).split()[0])
    if kilobytes * 1024 > CACHE_LIMIT:
        run([*buildah, "rmi", "--all", "--force"], timeout=300)
