"""The paths by which the agent and another container meet: status files, other files, sockets.

A spec names them; each needs a volume of the pod that both have mounted. Our own file needs none.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lossless.injection.admission_pod import AdmissionPod, ServingContainer
from lossless.injection.patching import Path
from lossless.injection.problem import Problem, ProblemKind
from lossless.injection.volumes import MissingMount, mount_for
from lossless.model.close_drivers import MiddlewareClose, NginxClose
from lossless.model.close_drivers import shared_path as path_of_driver
from lossless.model.counters import shared_path as path_of_counter
from lossless.model.names import SHARED_MOUNT, SHARED_VOLUME, STATUS_FILE
from lossless.model.policy import RolloutSpec


@dataclass(frozen=True, slots=True)
class SharedPaths:
    """What the agent reaches, and by what."""

    status_files: tuple[str, ...]
    """What it is to create and remove. Ours first, which is always there."""
    out_of_reach: tuple[str, ...]
    """What it cannot reach."""
    mounts: tuple[Mapping[str, Any], ...]
    """What it needs mounted to reach the others."""
    problems: tuple[Problem, ...]
    """Fields whose path is out of its reach."""
    named_to: Mapping[str, str]
    """The status file of the middleware, by the containers that see it, if it is not ours."""
    hidden: Mapping[Path, Problem]
    """Of the containers that cannot see our own file, by where they are in the pod."""


def find_shared_paths(pod: AdmissionPod, spec: RolloutSpec) -> SharedPaths:
    """Return how the agent gets to every path that ``spec`` names.

    Args:
        pod: as it came.
        spec: of its LosslessRollout.
    """
    named = [(field, path) for field, path in _named(spec) if path != STATUS_FILE]
    found = {path: mount_for(pod, path) for _, path in named}
    mounts = [one.mount for one in found.values() if not isinstance(one, MissingMount)]
    wanted = (
        one.status_file for one in spec.close if isinstance(one, NginxClose | MiddlewareClose)
    )
    out_of_reach = {path: one for path, one in found.items() if isinstance(one, MissingMount)}
    return SharedPaths(
        status_files=tuple(
            path for path in dict.fromkeys((STATUS_FILE, *wanted)) if path not in out_of_reach
        ),
        out_of_reach=tuple(out_of_reach),
        mounts=tuple({mount["mountPath"].rstrip("/"): mount for mount in mounts}.values()),
        problems=tuple(
            Problem(
                ProblemKind.PATH_OUT_OF_REACH, field, f"{path!r}: {missing.reason}", missing.remedy
            )
            for field, path in named
            if (missing := out_of_reach.get(path)) is not None
        ),
        named_to={
            container.name: path
            for path in _of_middleware(spec)
            if path not in out_of_reach
            for container in pod.containers
            if container.mount_of(path) is not None
        },
        hidden={
            container.path: problem
            for container in pod.containers
            if (problem := _hidden(container)) is not None
        },
    )


def _hidden(container: ServingContainer) -> Problem | None:
    """Return what keeps our own file from a container: something else is mounted there."""
    taken = [mount.path for mount in container.mounts if mount.name != SHARED_VOLUME]
    # Below it, too: a container runtime could not make that mount point in a read-only one.
    if not any(f"{path}/".startswith(f"{SHARED_MOUNT}/") for path in (*taken, *container.devices)):
        return None
    return Problem(
        ProblemKind.STATUS_FILE_HIDDEN,
        container.name,
        f"something else is mounted at or below {SHARED_MOUNT}, so it cannot see the status file",
        "mount that elsewhere",
    )


def _of_middleware(spec: RolloutSpec) -> Iterator[str]:
    for driver in spec.close:
        if isinstance(driver, MiddlewareClose) and driver.status_file != STATUS_FILE:
            yield driver.status_file


def _named(spec: RolloutSpec) -> Iterator[tuple[str, str]]:
    """Yield each field of ``spec`` that holds such a path, and the path."""
    for index, driver in enumerate(spec.close):
        for key, path in path_of_driver(driver):
            yield f"spec.close[{index}].{key}", path
    for index, counter in enumerate(spec.metrics):
        for key, path in path_of_counter(counter):
            yield f"spec.metrics[{index}].{key}", path
