"""The files by which the pod tells that it serves: ours, and those that close drivers name."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lossless.model.close_drivers import NginxClose
from lossless.model.names import STATUS_FILE
from lossless.model.policy import RolloutSpec
from lossless.webhook.containers import Place
from lossless.webhook.volumes import Missing, mount_for


@dataclass(frozen=True, slots=True)
class StatusFiles:
    """What the agent is to create and remove."""

    paths: tuple[str, ...]
    """Ours first, which is always there."""
    mounts: tuple[Mapping[str, Any], ...]
    """What the agent needs mounted to reach them."""
    problems: tuple[str, ...]
    """Files that are out of its reach, with the remedy."""


def find_status_files(
    pod: Mapping[str, Any], places: tuple[Place, ...], spec: RolloutSpec
) -> StatusFiles:
    """Return the status files of a pod.

    Args:
        pod: as in an admission request.
        places: of the containers that serve.
        spec: of its LosslessRollout.
    """
    paths, problems = [STATUS_FILE], []
    mounts: dict[str, Mapping[str, Any]] = {}
    for index, driver in enumerate(spec.close):
        if not isinstance(driver, NginxClose) or driver.status_file in paths:
            continue
        path = driver.status_file
        found = mount_for(pod, places, path)
        if isinstance(found, Missing):
            problems.append(f"spec.close[{index}].nginx.statusFile: {path!r}: {found.reason}")
        else:
            paths.append(path)
            mounts[found.mount["mountPath"].rstrip("/")] = found.mount
    return StatusFiles(tuple(paths), tuple(mounts.values()), tuple(problems))
