"""What a proxy finds on its file system of the ConfigMaps that its pod mounts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TypeVar

from lossless.checks.setup import Raw, Setup, qualified
from lossless.injection.patching import value_at

Driver = TypeVar("Driver")


@dataclass(frozen=True, slots=True)
class MountedFile:
    """A file that a ConfigMap holds."""

    place: str
    """``ConfigMap namespace/name key``, as findings name it."""
    text: str


def config_map_names(pod_spec: Raw) -> frozenset[str]:
    """Return the names of the ConfigMaps that a pod's volumes hold."""
    return frozenset(
        str(projection.get("name", ""))
        for volume in pod_spec.get("volumes") or ()
        for projection in _projections(volume)
    )


def proxies(
    setup: Setup, kind: type[Driver]
) -> Iterator[tuple[Driver, Raw, Mapping[str, MountedFile]]]:
    """Yield each container that may be a close driver's proxy, if the spec names such a driver.

    Beside it the files of ConfigMaps that it has mounted, by absolute path; a ConfigMap that was
    not seen adds nothing.
    """
    close = setup.valid.close if setup.valid else ()
    driver = next((one for one in close if isinstance(one, kind)), None)
    if driver is not None:
        for serving in setup.containers:
            container = value_at({"spec": setup.pod_spec}, serving.path)
            yield driver, container, _files_of(container, setup)


def command_line(container: Raw) -> str:
    """Return how a pod has a container started: its command, if it says one, and arguments."""
    return " ".join(str(word) for key in ("command", "args") for word in container.get(key) or ())


def _files_of(container: Raw, setup: Setup) -> Mapping[str, MountedFile]:
    volumes = {volume.get("name"): volume for volume in setup.pod_spec.get("volumes") or ()}
    return {
        str(path): source
        for mount in container.get("volumeMounts") or ()
        for inner, source in _files(volumes.get(mount.get("name")) or {}, setup.config_maps)
        for path in _placed(mount, inner)
    }


def _placed(mount: Raw, inner: PurePosixPath) -> Iterator[PurePosixPath]:
    """Yield where a mount shows a volume's file: nowhere, if ``subPath`` shows another one."""
    place = PurePosixPath(str(mount.get("mountPath", "")))
    shown = PurePosixPath(str(mount.get("subPath") or "."))
    if inner == shown:
        yield place
    elif inner.is_relative_to(shown):
        yield place / inner.relative_to(shown)


def _files(
    volume: Raw, config_maps: Mapping[str, Raw]
) -> Iterator[tuple[PurePosixPath, MountedFile]]:
    for projection in _projections(volume):
        config_map = config_maps.get(str(projection.get("name", ""))) or {}
        data = config_map.get("data") or {}
        items = projection.get("items") or [{"key": key, "path": key} for key in data]
        for item in items:
            key = str(item.get("key", ""))
            if key in data:
                path = PurePosixPath(str(item.get("path", key)))
                yield path, MountedFile(f"ConfigMap {qualified(config_map)} {key}", str(data[key]))


def _projections(volume: Raw) -> Iterator[Raw]:
    """Yield the ConfigMaps of a volume, by itself or among others (``projected``)."""
    if volume.get("configMap"):
        yield volume["configMap"]
    for source in (volume.get("projected") or {}).get("sources") or ():
        if source.get("configMap"):
            yield source["configMap"]
