"""What a user may ask for: the spec of a LosslessRollout as frozen dataclasses.

The API server has applied the CRD's schema before anything reaches this module, but a spec may
have been stored by another version of the CRD, so every field is checked again here. The CRD in
``crds/`` is tested to hold the same defaults, bounds and enums.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, TypeVar

from lossless.model.durations import format_duration, parse_duration
from lossless.model.names import SHARED_MOUNT, STATUS_FILE
from lossless.model.sidecars import DEFAULT_SLEEP, SLEEP_BOUNDS, SidecarOrder, SidecarPolicy

_E = TypeVar("_E", bound=StrEnum)
_PERCENT: Final = re.compile(r"(100|[1-9][0-9]?)%")
#: A container port's name (IANA_SVC_NAME, RFC 6335 section 5.1).
_PORT_NAME: Final = re.compile(r"(?=.*[a-z])[a-z0-9]([a-z0-9-]{0,13}[a-z0-9])?")
#: An absolute path of segments that hold something, at most 1024 bytes.
_FILE: Final = re.compile(r"(?=.{2,1024}\Z)(/(?!\.{1,2}(/|\Z))[^/\x00-\x1f]+)+")
#: Seconds; bounds of ``spec.drain`` (lowest, highest), the same in the CRD.
BOUNDS: Final[Mapping[str, tuple[float, float]]] = {
    "clientIdleTimeout": (1.0, 86400.0),
    "propagation": (0.0, 600.0),
    "quiet": (0.5, 600.0),
    "timeout": (1.0, 86400.0),
}


class InvalidSpec(ValueError):  # noqa: N818 # the field's own word: reason Invalid
    """A field holds what cannot be acted on; says which, what it held and what to do."""

    def __init__(self, field: str, value: object, remedy: str) -> None:
        """Name the field (dotted path from the object's root), its value and the remedy."""
        shown = repr(value)
        shown = shown if len(shown) <= 80 else shown[:77] + "..."  # noqa: PLR2004 # one line
        super().__init__(f"{field}: {shown}: {remedy}")
        self.field = field
        self.value = value
        self.remedy = remedy


class IdleConnections(StrEnum):
    """What becomes of a connection that has been idle for ``clientIdleTimeout``."""

    DISCARD = "Discard"
    WAIT = "Wait"


class OnTimeout(StrEnum):
    """What the rollout does after a drain that ended with connections left."""

    PAUSE = "Pause"
    CONTINUE = "Continue"


@dataclass(frozen=True, slots=True)
class TargetRef:
    """The workload whose pods are protected."""

    api_version: str
    kind: str
    name: str


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
class NginxClose:
    """Clients are told by nginx, which looks at the status file on every request."""

    status_file: str = STATUS_FILE


@dataclass(frozen=True, slots=True)
class RolloutSpec:
    """``spec`` of a LosslessRollout, with defaults filled in."""

    target: TargetRef
    ports: tuple[int | str, ...] = ()
    drain: DrainPolicy = DrainPolicy()
    close: tuple[NginxClose, ...] = ()
    sidecars: SidecarPolicy = field(default_factory=SidecarPolicy)
    max_draining: int | str = 1
    paused: bool = False

    def max_draining_of(self, replicas: int) -> int:
        """Return ``pacing.maxDraining`` as a number of pods, at least 1."""
        if isinstance(self.max_draining, int):
            return max(1, self.max_draining)
        return max(1, math.floor(int(self.max_draining[:-1]) * replicas / 100))


def parse_spec(raw: Mapping[str, Any]) -> RolloutSpec:
    """Return the spec that the object's ``spec`` field stands for.

    Raises:
        InvalidSpec: a field is missing, of the wrong type, out of bounds, or asks for what
            this version does not act on.
    """
    if not isinstance(raw, Mapping):
        raise InvalidSpec("spec", raw, "must be an object")
    target = _mapping(raw, "spec", "targetRef")
    kind = _text(target, "spec.targetRef", "kind", None)
    api_version = _text(target, "spec.targetRef", "apiVersion", "apps/v1")
    if (api_version, kind) != ("apps/v1", "Deployment"):
        raise InvalidSpec(
            "spec.targetRef.kind",
            f"{api_version}/{kind}",
            "this version protects only apps/v1 Deployments; name a Deployment",
        )
    if raw.get("metrics"):
        raise InvalidSpec(
            "spec.metrics",
            raw["metrics"],
            "this version counts the kernel's connections only; remove the field",
        )
    paused = raw.get("paused", False)
    if not isinstance(paused, bool):
        raise InvalidSpec("spec.paused", paused, "must be true or false")
    return RolloutSpec(
        target=TargetRef(api_version, kind, _text(target, "spec.targetRef", "name", None)),
        ports=_ports(raw.get("ports", [])),
        drain=_drain(_mapping(raw, "spec", "drain")),
        close=_close(raw.get("close", [])),
        sidecars=_sidecars(_mapping(raw, "spec", "sidecars")),
        max_draining=_max_draining(_mapping(raw, "spec", "pacing").get("maxDraining", 1)),
        paused=paused,
    )


def _mapping(raw: Mapping[str, Any], at: str, key: str) -> Mapping[str, Any]:
    value = raw.get(key, {})
    if not isinstance(value, Mapping):
        raise InvalidSpec(f"{at}.{key}", value, "must be an object")
    return value


def _text(raw: Mapping[str, Any], at: str, key: str, default: str | None) -> str:
    value = raw.get(key, default)
    if not isinstance(value, str) or not value:
        raise InvalidSpec(f"{at}.{key}", value, "must be a non-empty string")
    return value


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


def _drain(raw: Mapping[str, Any]) -> DrainPolicy:
    default = DrainPolicy()
    policy = DrainPolicy(
        client_idle_timeout=_seconds(raw, "clientIdleTimeout", default.client_idle_timeout),
        idle_connections=_choice(raw, "idleConnections", default.idle_connections),
        propagation=_seconds(raw, "propagation", default.propagation),
        quiet=_seconds(raw, "quiet", default.quiet),
        timeout=_seconds(raw, "timeout", default.timeout),
        on_timeout=_choice(raw, "onTimeout", default.on_timeout),
    )
    least = policy.propagation + policy.quiet
    if policy.timeout < least:
        raise InvalidSpec(
            "spec.drain.timeout",
            format_duration(policy.timeout),
            f"is shorter than propagation + quiet = {format_duration(least)}, so no drain could"
            " ever succeed; raise it",
        )
    return policy


def _seconds(
    raw: Mapping[str, Any],
    key: str,
    default: float,
    *,
    at: str = "spec.drain",
    bounds: tuple[float, float] | None = None,
) -> float:
    value = raw.get(key)
    if value is None:
        return default
    field = f"{at}.{key}"
    if not isinstance(value, str):
        raise InvalidSpec(field, value, "must be a duration in text, for example 60s")
    try:
        seconds = parse_duration(value)
    except ValueError as error:
        raise InvalidSpec(field, value, str(error)) from error
    lowest, highest = bounds or BOUNDS[key]
    if not lowest <= seconds <= highest:
        raise InvalidSpec(
            field,
            value,
            f"must be from {format_duration(lowest)} to {format_duration(highest)}",
        )
    return seconds


def _choice(raw: Mapping[str, Any], key: str, default: _E, *, at: str = "spec.drain") -> _E:
    value = raw.get(key, default.value)
    for member in type(default):
        if member.value == value:
            return member
    known = " or ".join(member.value for member in type(default))
    raise InvalidSpec(f"{at}.{key}", value, f"must be {known}")


def _close(raw: object) -> tuple[NginxClose, ...]:
    if not isinstance(raw, list):
        raise InvalidSpec("spec.close", raw, "must be a list of close drivers")
    return tuple(_driver(f"spec.close[{index}]", item) for index, item in enumerate(raw))


def _driver(field: str, raw: object) -> NginxClose:
    if not isinstance(raw, Mapping) or list(raw) != ["nginx"]:
        raise InvalidSpec(field, raw, "this version knows one close driver, nginx: {}")
    status_file = _mapping(raw, field, "nginx").get("statusFile", STATUS_FILE)
    _check_status_file(f"{field}.nginx.statusFile", status_file)
    return NginxClose(status_file=status_file)


def _check_status_file(field: str, path: object) -> None:
    if not isinstance(path, str) or not _FILE.fullmatch(path):
        raise InvalidSpec(
            field, path, "must be an absolute path without . and .., for example /status/on"
        )
    if path != STATUS_FILE and f"{path}/".startswith(f"{SHARED_MOUNT}/"):
        raise InvalidSpec(
            field, path, f"{SHARED_MOUNT} is ours, and there only {STATUS_FILE} can be named"
        )


def _sidecars(raw: Mapping[str, Any]) -> SidecarPolicy:
    order = _choice(raw, "order", SidecarOrder.BARRIER, at="spec.sidecars")
    if order is SidecarOrder.BARRIER and raw.get("sleep") is not None:
        raise InvalidSpec(
            "spec.sidecars.sleep", raw["sleep"], "means something with order: Sleep only; remove it"
        )
    sleep = _seconds(raw, "sleep", DEFAULT_SLEEP, at="spec.sidecars", bounds=SLEEP_BOUNDS)
    return SidecarPolicy(order, sleep)


def _max_draining(value: object) -> int | str:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return value
    if isinstance(value, str) and _PERCENT.fullmatch(value):
        return value
    raise InvalidSpec(
        "spec.pacing.maxDraining", value, "must be a number from 1, or 1% to 100% of the replicas"
    )
