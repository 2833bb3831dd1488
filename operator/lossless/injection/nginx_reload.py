"""Which containers reload nginx in a drain, and when: ``close[].nginx.http2`` in one pod."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from lossless.injection.admission_pod import ServingContainer
from lossless.injection.problem import Problem, ProblemKind
from lossless.model.close_drivers import NginxClose
from lossless.model.nginx_reload import Reload, ReloadTime
from lossless.model.policy import DrainPolicy, RolloutSpec

#: How most people name nginx's container.
_USUAL: Final = "nginx"


@dataclass(frozen=True, slots=True)
class Reloading:
    """What the hook of one container does first."""

    field: str
    """That asks for it, for people."""
    command: tuple[str, ...]
    after: int
    """Seconds from the drain's start."""


@dataclass(frozen=True, slots=True)
class Reloads:
    """What is asked for in a pod."""

    of: Mapping[str, Reloading]
    """By container."""
    problems: tuple[Problem, ...]
    """What cannot be done."""


def not_reloaded(field: str, reason: str, remedy: str) -> Problem:
    """Return what keeps nginx from the reload that a field of the spec asks for."""
    return Problem(ProblemKind.NGINX_NOT_RELOADED, field, reason, remedy)


def find_reloads(
    spec: RolloutSpec,
    containers: tuple[ServingContainer, ...],
    main: tuple[ServingContainer, ...],
) -> Reloads:
    """Return which containers reload nginx.

    Args:
        spec: of the LosslessRollout.
        containers: of the pod.
        main: those among them that serve clients.
    """
    found: dict[str, Reloading] = {}
    problems = []
    for field, reload in _asked(spec):
        name = _container(field, reload, containers, main)
        if isinstance(name, Problem):
            problems.append(name)
        elif name in found:
            taken = f"container {name} is reloaded by {found[name].field} already"
            problems.append(not_reloaded(field, taken, "remove one"))
        else:
            found[name] = Reloading(field, reload.command, _seconds(reload, spec.drain))
    return Reloads(found, tuple(problems))


def _asked(spec: RolloutSpec) -> Iterator[tuple[str, Reload]]:
    for index, driver in enumerate(spec.close):
        if isinstance(driver, NginxClose) and driver.http2 is not None:
            yield f"spec.close[{index}].nginx.http2", driver.http2


def _container(
    field: str,
    reload: Reload,
    containers: tuple[ServingContainer, ...],
    main: tuple[ServingContainer, ...],
) -> str | Problem:
    """Return the container's name, or why it cannot be told."""
    names = [container.name for container in containers]
    if reload.container:
        if reload.container in names:
            return reload.container
        unknown = f"no container {reload.container} runs in this pod"
        return not_reloaded(field, unknown, "correct container")
    if _USUAL in names:
        return _USUAL
    if len(main) == 1:
        return main[0].name
    told = ", ".join(container.name for container in main)
    ambiguous = f"it cannot be told in which of {told} nginx runs"
    return not_reloaded(field, ambiguous, "name it in container")


def _seconds(reload: Reload, drain: DrainPolicy) -> int:
    if reload.time is ReloadTime.AFTER_PROPAGATION:
        return math.ceil(drain.propagation)
    return math.ceil(drain.client_idle_timeout)
