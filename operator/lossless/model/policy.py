"""What a user may ask for: the spec of a LosslessRollout as frozen dataclasses.

The API server has applied the CRD's schema before anything reaches this module, but a spec may
have been stored by another version of the CRD, so every field is checked again here. The CRD in
``crds/`` is tested to hold the same defaults, bounds and enums.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from lossless.model.close_drivers import CloseDriver, NginxClose, parse_close
from lossless.model.counters import Counter, parse_metrics
from lossless.model.durations import format_duration
from lossless.model.fields import InvalidSpec, choice, mapping, seconds
from lossless.model.nginx_reload import ReloadTime
from lossless.model.sidecars import DEFAULT_SLEEP, SLEEP_BOUNDS, SidecarOrder, SidecarPolicy
from lossless.model.status_flag import StatusFlag, parse_status_flag
from lossless.model.targets import TargetRef, parse_target

_PERCENT: Final = re.compile(r"(100|[1-9][0-9]?)%")
#: A container port's name (IANA_SVC_NAME, RFC 6335 section 5.1).
_PORT_NAME: Final = re.compile(r"(?=.*[a-z])[a-z0-9]([a-z0-9-]{0,13}[a-z0-9])?")
#: Seconds; bounds of ``spec.drain`` (lowest, highest), the same in the CRD.
BOUNDS: Final[Mapping[str, tuple[float, float]]] = {
    "clientIdleTimeout": (1.0, 86400.0),
    "propagation": (0.0, 600.0),
    "quiet": (0.5, 600.0),
    "timeout": (1.0, 86400.0),
}
_NOT_HELD: Final = (
    "only a Deployment can be held; hold a StatefulSet by its own"
    " updateStrategy.rollingUpdate.partition, a DaemonSet by its updateStrategy OnDelete, and"
    " other pods by their controller"
)
_NOT_PACED: Final = (
    "only a Deployment is paced by it; a StatefulSet or DaemonSet waits for each pod by itself"
    " (updateStrategy), other pods are their controller's; leave it out"
)


class IdleConnections(StrEnum):
    """What becomes of a connection that has been idle for ``clientIdleTimeout``."""

    DISCARD = "Discard"
    WAIT = "Wait"


class OnTimeout(StrEnum):
    """What the rollout does after a drain that ended with connections left."""

    PAUSE = "Pause"
    CONTINUE = "Continue"


@dataclass(frozen=True, slots=True)
class DrainPolicy:
    """``spec.drain``; every duration in seconds."""

    client_idle_timeout: float = 60.0
    idle_connections: IdleConnections = IdleConnections.DISCARD
    propagation: float = 5.0
    quiet: float = 3.0
    timeout: float = 300.0
    on_timeout: OnTimeout = OnTimeout.PAUSE


@dataclass(frozen=True, slots=True)
class RolloutSpec:
    """``spec`` of a LosslessRollout, with defaults filled in."""

    target: TargetRef
    ports: tuple[int | str, ...] = ()
    drain: DrainPolicy = DrainPolicy()
    close: tuple[CloseDriver, ...] = ()
    metrics: tuple[Counter, ...] = ()
    sidecars: SidecarPolicy = field(default_factory=SidecarPolicy)
    status_flag: StatusFlag = field(default_factory=StatusFlag)
    max_draining: int | str | None = None
    """Pods, or a percentage of the replicas; None: the workload's own pace."""
    paused: bool = False


def parse_spec(raw: Mapping[str, Any]) -> RolloutSpec:
    """Return the spec that the object's ``spec`` field stands for.

    Raises:
        InvalidSpec: a field is missing, of the wrong type, out of bounds, or asks for what
            this version does not act on.
    """
    if not isinstance(raw, Mapping):
        raise InvalidSpec("spec", raw, "must be an object")
    target = parse_target(mapping(raw, "spec", "targetRef"))
    paused = raw.get("paused", False)
    if not isinstance(paused, bool):
        raise InvalidSpec("spec.paused", paused, "must be true or false")
    drain = parse_drain(mapping(raw, "spec", "drain"), "spec.drain")
    close = parse_close(raw.get("close", []))
    _check_reloads(drain, close)
    max_draining = _max_draining(mapping(raw, "spec", "pacing").get("maxDraining"))
    if not target.kind.gated:
        if paused:
            raise InvalidSpec("spec.paused", paused, _NOT_HELD)
        if max_draining not in {None, 1}:
            raise InvalidSpec("spec.pacing.maxDraining", max_draining, _NOT_PACED)
    return RolloutSpec(
        target=target,
        ports=_ports(raw.get("ports", [])),
        drain=drain,
        close=close,
        metrics=parse_metrics(raw.get("metrics", [])),
        sidecars=_sidecars(mapping(raw, "spec", "sidecars")),
        status_flag=parse_status_flag(mapping(raw, "spec", "statusFlag"), "spec.statusFlag"),
        max_draining=max_draining,
        paused=paused,
    )


def _ports(raw: object) -> tuple[int | str, ...]:
    if not isinstance(raw, list):
        raise InvalidSpec("spec.ports", raw, "must be a list of port numbers or names")
    for index, port in enumerate(raw):
        number = isinstance(port, int) and not isinstance(port, bool) and 1 <= port <= 65535  # noqa: PLR2004 # the highest TCP port
        if not number and not (isinstance(port, str) and _PORT_NAME.fullmatch(port)):
            raise InvalidSpec(
                f"spec.ports[{index}]", port, "must be a number from 1 to 65535 or a port's name"
            )
    return tuple(raw)


def parse_drain(raw: Mapping[str, Any], at: str) -> DrainPolicy:
    """Return the policy that stands ``at``; a host's configuration has the same.

    Raises:
        InvalidSpec: a duration or choice is none, out of bounds, or no drain could succeed.
    """
    default = DrainPolicy()

    def duration(key: str, value: float) -> float:
        return seconds(raw, at, key, value, BOUNDS[key])

    policy = DrainPolicy(
        client_idle_timeout=duration("clientIdleTimeout", default.client_idle_timeout),
        idle_connections=choice(raw, at, "idleConnections", default.idle_connections),
        propagation=duration("propagation", default.propagation),
        quiet=duration("quiet", default.quiet),
        timeout=duration("timeout", default.timeout),
        on_timeout=choice(raw, at, "onTimeout", default.on_timeout),
    )
    least = policy.propagation + policy.quiet
    if policy.timeout < least:
        raise InvalidSpec(
            f"{at}.timeout",
            format_duration(policy.timeout),
            f"is shorter than propagation + quiet = {format_duration(least)}, so no drain could"
            " ever succeed; raise it",
        )
    return policy


def _check_reloads(drain: DrainPolicy, close: tuple[CloseDriver, ...]) -> None:
    late = any(
        isinstance(driver, NginxClose)
        and driver.http2 is not None
        and driver.http2.time is ReloadTime.AFTER_CLIENT_IDLE_TIMEOUT
        for driver in close
    )
    if late and drain.timeout <= drain.client_idle_timeout:
        raise InvalidSpec(
            "spec.drain.timeout",
            format_duration(drain.timeout),
            f"is not longer than clientIdleTimeout = {format_duration(drain.client_idle_timeout)},"
            " after which nginx would be reloaded, so HTTP/2 clients would never be told; raise it,"
            " or say reload: AfterPropagation",
        )


def _sidecars(raw: Mapping[str, Any]) -> SidecarPolicy:
    at = "spec.sidecars"
    order = choice(raw, at, "order", SidecarOrder.BARRIER)
    if order is SidecarOrder.BARRIER and raw.get("sleep") is not None:
        remedy = "means something with order: Sleep only; remove it"
        raise InvalidSpec(f"{at}.sleep", raw["sleep"], remedy)
    return SidecarPolicy(order, seconds(raw, at, "sleep", DEFAULT_SLEEP, SLEEP_BOUNDS))


def _max_draining(value: object) -> int | str | None:
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return value
    if isinstance(value, str) and _PERCENT.fullmatch(value):
        return value
    raise InvalidSpec(
        "spec.pacing.maxDraining", value, "must be a number from 1, or 1% to 100% of the replicas"
    )
