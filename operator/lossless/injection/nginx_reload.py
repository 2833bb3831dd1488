"""Which containers reload nginx in a drain, and when: ``close[].nginx.reload`` and ``.http2``."""

import math
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from lossless.injection.admission_pod import AdmissionPod, ServingContainer
from lossless.injection.nginx_command import (
    UnknownCommand,
    is_behind_a_shell,
    reload_command,
    runs_nginx,
    signals_process_1,
)
from lossless.injection.problem import Problem, ProblemKind
from lossless.model.close_drivers import NginxClose
from lossless.model.nginx_image import FIRST, can_keep_idle, has_no_shell
from lossless.model.nginx_reload import Reload, ReloadClose, ReloadTime
from lossless.model.policy import DrainPolicy, RolloutSpec

#: How most people name nginx's container.
_USUAL: Final = "nginx"
_STATUS_FILE: Final = "let nginx look at the status file (docs/nginx.md)"


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
class NginxReloads:
    """What is asked for in a pod."""

    of: Mapping[str, Reloading]
    """By container."""
    problems: tuple[Problem, ...]
    """What cannot be done."""


def not_reloaded(field: str, reason: str, remedy: str) -> Problem:
    """Return what keeps nginx from the reload that a field of the spec asks for."""
    return Problem(ProblemKind.NGINX_NOT_RELOADED, field, reason, remedy)


def find_reloads(
    spec: RolloutSpec, pod: AdmissionPod, main: tuple[ServingContainer, ...]
) -> NginxReloads:
    """Return which containers reload nginx.

    Args:
        spec: of the LosslessRollout.
        pod: as it came.
        main: those of its containers that serve clients.
    """
    found: dict[str, Reloading] = {}
    problems = []
    for field, reload in _asked(spec):
        container = _container(field, reload, pod.containers, main)
        if isinstance(container, Problem):
            problems.append(container)
            continue
        if container.name in found:
            taken = f"container {container.name} is reloaded by {found[container.name].field}"
            problems.append(not_reloaded(field, f"{taken} already", "remove one"))
            continue
        reloading = _reloading(field, reload, container, spec.drain)
        in_vain = None
        if not isinstance(reloading, Problem):
            in_vain = _in_vain(reloading, container, shared=pod.shares_processes)
        if isinstance(reloading, Problem):
            problems.append(reloading)
        elif in_vain is not None:
            problems.append(in_vain)
        else:
            found[container.name] = reloading
    return NginxReloads(found, tuple(problems))


def _asked(spec: RolloutSpec) -> Iterator[tuple[str, Reload | ReloadClose]]:
    for index, driver in enumerate(spec.close):
        if isinstance(driver, NginxClose) and driver.http2 is not None:
            yield f"spec.close[{index}].nginx.http2", driver.http2
        if isinstance(driver, NginxClose) and driver.reload is not None:
            yield f"spec.close[{index}].nginx.reload", driver.reload


def _reloading(
    field: str, reload: Reload | ReloadClose, container: ServingContainer, drain: DrainPolicy
) -> Reloading | Problem:
    """Return what is to be done, or what stands against it."""
    if isinstance(reload, Reload):
        return Reloading(field, reload.command, _seconds(reload, drain))
    if can_keep_idle(container.image) is False:
        return not_reloaded(
            field,
            f"image {container.image} of container {container.name} is older than nginx"
            f" {'.'.join(map(str, FIRST))}, which has no keepalive_min_timeout, so a reload would"
            " close idle connections under their clients, and there will be none",
            f"take a newer image, or remove reload and {_STATUS_FILE}",
        )
    command = reload.command or reload_command(container)
    if isinstance(command, UnknownCommand):
        return not_reloaded(field, f"container {container.name}: {command.reason}", command.remedy)
    return Reloading(field, command, after=0, again=True)


def _in_vain(reloading: Reloading, container: ServingContainer, *, shared: bool) -> Problem | None:
    """Return why the reload would come to nothing; None if nothing shows it."""
    if has_no_shell(container.image):
        return not_reloaded(
            reloading.field,
            f"image {container.image} of container {container.name} has no shell by its name, and"
            " the hook that reloads nginx needs one, so there will be no reload",
            f"take an image with /bin/sh, or {_STATUS_FILE}",
        )
    if signals_process_1(reloading.command) and (shared or is_behind_a_shell(container)):
        what = "the pod's sandbox (shareProcessNamespace)" if shared else "the container's shell"
        return not_reloaded(
            reloading.field,
            f"command {shlex.join(reloading.command)} would signal {what} and not nginx, so it will"
            " not be run",
            "remove command: nginx -s reload finds the master by its pid file",
        )
    return None


def _container(
    field: str,
    reload: Reload | ReloadClose,
    containers: tuple[ServingContainer, ...],
    main: tuple[ServingContainer, ...],
) -> ServingContainer | Problem:
    """Return the container, or why it cannot be told."""
    by_name = {container.name: container for container in containers}
    if reload.container:
        if reload.container in by_name:
            return by_name[reload.container]
        unknown = f"no container {reload.container} runs in this pod"
        return not_reloaded(field, unknown, "correct container")
    if _USUAL in by_name:
        return by_name[_USUAL]
    seen = [container for container in containers if runs_nginx(container)]
    if len(seen) == 1:
        return seen[0]
    if len(main) == 1:
        return main[0]
    told = ", ".join(container.name for container in main)
    ambiguous = f"it cannot be told in which of {told} nginx runs"
    return not_reloaded(field, ambiguous, "name it in container")


def _seconds(reload: Reload, drain: DrainPolicy) -> int:
    if reload.time is ReloadTime.AFTER_PROPAGATION:
        return math.ceil(drain.propagation)
    return math.ceil(drain.client_idle_timeout)
