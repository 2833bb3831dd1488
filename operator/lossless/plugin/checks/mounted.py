"""What a container finds on its file system of the ConfigMaps that its pod mounts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from lossless.plugin.checks.setup import Raw


@dataclass(frozen=True, slots=True)
class Source:
    """Where a file comes from."""

    config_map: str
    key: str
    text: str


def config_map_names(pod_spec: Raw) -> frozenset[str]:
    """Return the names of the ConfigMaps that a pod's volumes hold."""
    return frozenset(
        str(projection.get("name", ""))
        for volume in pod_spec.get("volumes") or ()
        for projection in _projections(volume)
    )


def files_of(container: Raw, pod_spec: Raw, config_maps: Mapping[str, Raw]) -> Mapping[str, Source]:
    """Return the files of ConfigMaps that a container has mounted, by absolute path.

    Args:
        container: of the pod.
        pod_spec: with the volumes.
        config_maps: by name; one that is not there adds nothing.
    """
    volumes = {volume.get("name"): volume for volume in pod_spec.get("volumes") or ()}
    return {
        str(path): source
        for mount in container.get("volumeMounts") or ()
        for inner, source in _files(volumes.get(mount.get("name")) or {}, config_maps)
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


def _files(volume: Raw, config_maps: Mapping[str, Raw]) -> Iterator[tuple[PurePosixPath, Source]]:
    for projection in _projections(volume):
        name = str(projection.get("name", ""))
        data = (config_maps.get(name) or {}).get("data") or {}
        items = projection.get("items") or [{"key": key, "path": key} for key in data]
        for item in items:
            key = str(item.get("key", ""))
            if key in data:
                path = PurePosixPath(str(item.get("path", key)))
                yield path, Source(name, key, str(data[key]))


def _projections(volume: Raw) -> Iterator[Raw]:
    """Yield the ConfigMaps of a volume, by itself or among others (``projected``)."""
    if volume.get("configMap"):
        yield volume["configMap"]
    for source in (volume.get("projected") or {}).get("sources") or ():
        if source.get("configMap"):
            yield source["configMap"]
