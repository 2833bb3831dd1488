"""Which containers reload nginx in a drain, and when: ``close[].nginx.reload`` and ``.http2``."""

import math
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from lossless.injection.containers import Place
from lossless.injection.nginx_command import (
    is_behind_a_shell,
    reload_command,
    runs_nginx,
    signals_process_1,
)
from lossless.model.close_drivers import NginxClose
from lossless.model.nginx_image import FIRST, can_keep_idle, has_no_shell
from lossless.model.nginx_reload import Reload, ReloadClose, ReloadTime
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
    again: bool = False
    """Also whenever the agent asks for it; and only if ``keepalive_min_timeout`` is there."""

    @property
    def printing(self) -> tuple[str, ...]:
        """What prints nginx's configuration; empty if ``command`` does not tell."""
        *start, option, signal = ("", "", *self.command)
        return (*start[2:], "-T") if (option, signal) == ("-s", "reload") else ()


@dataclass(frozen=True, slots=True)
class Reloads:
    """What is asked for in a pod."""

    of: Mapping[str, Reloading]
    """By container."""
    problems: tuple[str, ...]
    """What cannot be done, each with the remedy."""


def find_reloads(
    spec: RolloutSpec, places: tuple[Place, ...], main: tuple[Place, ...], *, shared: bool = False
) -> Reloads:
    """Return which containers reload nginx.

    Args:
        spec: of the LosslessRollout.
        places: of the containers that serve.
        main: those among them that serve clients.
        shared: whether the pod's containers share one process namespace.
    """
    found: dict[str, Reloading] = {}
    problems = []
    for field, reload in _asked(spec):
        name, problem = _container(reload, places, main)
        if not problem and name in found:
            problem = f"container {name} is reloaded by {found[name].field} already; remove one"
        if problem:
            problems.append(f"{field}: {problem}")
            continue
        container = next(place.container for place in places if place.name == name)
        reloading, problem = _reloading(field, reload, container, spec.drain)
        problem = problem or _in_vain(reloading, container, shared=shared)
        if problem:
            problems.append(f"{field}: {problem}")
        else:
            found[name] = reloading
    return Reloads(found, tuple(problems))


def _asked(spec: RolloutSpec) -> Iterator[tuple[str, Reload | ReloadClose]]:
    for index, driver in enumerate(spec.close):
        if isinstance(driver, NginxClose) and driver.http2 is not None:
            yield f"spec.close[{index}].nginx.http2", driver.http2
        if isinstance(driver, NginxClose) and driver.reload is not None:
            yield f"spec.close[{index}].nginx.reload", driver.reload


def _reloading(
    field: str, reload: Reload | ReloadClose, container: Mapping[str, Any], drain: DrainPolicy
) -> tuple[Reloading, str]:
    """Return what is to be done, and what stands against it; empty if nothing does."""
    if isinstance(reload, Reload):
        return Reloading(field, reload.command, _seconds(reload, drain)), ""
    image, problem = str(container.get("image") or ""), ""
    command = reload.command
    if not command:
        command, unsure = reload_command(container)
        problem = unsure and f"container {container['name']}: {unsure}"
    if can_keep_idle(image) is False:
        problem = (
            f"image {image} of container {container['name']} is older than nginx"
            f" {'.'.join(map(str, FIRST))}, which has no keepalive_min_timeout, so a reload would"
            " close idle connections under their clients, and there will be none; take a newer"
            " image, or remove reload and let nginx look at the status file (docs/nginx.md)"
        )
    return Reloading(field, command, after=0, again=True), problem


def _in_vain(reloading: Reloading, container: Mapping[str, Any], *, shared: bool) -> str:
    """Return why the reload would come to nothing; empty if nothing shows it."""
    name, image = container["name"], str(container.get("image") or "")
    if has_no_shell(image):
        return (
            f"image {image} of container {name} has no shell by its name, and the hook that reloads"
            " nginx needs one, so there will be no reload; take an image with /bin/sh, or let nginx"
            " look at the status file (docs/nginx.md)"
        )
    if signals_process_1(reloading.command) and (shared or is_behind_a_shell(container)):
        what = "the pod's sandbox (shareProcessNamespace)" if shared else "the container's shell"
        return (
            f"command {shlex.join(reloading.command)} would signal {what} and not nginx, so it will"
            " not be run; remove command: nginx -s reload finds the master by its pid file"
        )
    return ""


def _container(
    reload: Reload | ReloadClose, places: tuple[Place, ...], main: tuple[Place, ...]
) -> tuple[str, str]:
    """Return the container's name, and why it cannot be told; one of them is empty."""
    names = [place.name for place in places]
    if reload.container:
        known = reload.container in names
        unknown = f"no container {reload.container} runs in this pod; correct container"
        return (reload.container, "") if known else ("", unknown)
    if _USUAL in names:
        return _USUAL, ""
    seen = [place.name for place in places if runs_nginx(place.container)]
    if len(seen) == 1:
        return seen[0], ""
    if len(main) == 1:
        return main[0].name, ""
    told = ", ".join(place.name for place in main)
    return "", f"it cannot be told in which of {told} nginx runs; name it in container"


def _seconds(reload: Reload, drain: DrainPolicy) -> int:
    if reload.time is ReloadTime.AFTER_PROPAGATION:
        return math.ceil(drain.propagation)
    return math.ceil(drain.client_idle_timeout)
