"""Which containers reload nginx in a drain, and when: ``close[].nginx.http2`` in one pod."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from lossless.injection.containers import Place
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
    problems: tuple[str, ...]
    """What cannot be done, each with the remedy."""


def find_reloads(spec: RolloutSpec, places: tuple[Place, ...], main: tuple[Place, ...]) -> Reloads:
    """Return which containers reload nginx.

    Args:
        spec: of the LosslessRollout.
        places: of the containers that serve.
        main: those among them that serve clients.
    """
    found: dict[str, Reloading] = {}
    problems = []
    for field, reload in _asked(spec):
        name, problem = _container(reload, places, main)
        if not problem and name in found:
            problem = f"container {name} is reloaded by {found[name].field} already; remove one"
        if problem:
            problems.append(f"{field}: {problem}")
        else:
            found[name] = Reloading(field, reload.command, _seconds(reload, spec.drain))
    return Reloads(found, tuple(problems))


def _asked(spec: RolloutSpec) -> Iterator[tuple[str, Reload]]:
    for index, driver in enumerate(spec.close):
        if isinstance(driver, NginxClose) and driver.http2 is not None:
            yield f"spec.close[{index}].nginx.http2", driver.http2


def _container(
    reload: Reload, places: tuple[Place, ...], main: tuple[Place, ...]
) -> tuple[str, str]:
    """Return the container's name, and why it cannot be told; one of them is empty."""
    names = [place.name for place in places]
    if reload.container:
        known = reload.container in names
        unknown = f"no container {reload.container} runs in this pod; correct container"
        return (reload.container, "") if known else ("", unknown)
    if _USUAL in names:
        return _USUAL, ""
    if len(main) == 1:
        return main[0].name, ""
    told = ", ".join(place.name for place in main)
    return "", f"it cannot be told in which of {told} nginx runs; name it in container"


def _seconds(reload: Reload, drain: DrainPolicy) -> int:
    if reload.time is ReloadTime.AFTER_PROPAGATION:
        return math.ceil(drain.propagation)
    return math.ceil(drain.client_idle_timeout)
