"""What the webhook tells the agent: one JSON document in one environment variable."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, TypeVar

from lossless.model.close_drivers import CloseDriver, driver_document, parse_driver
from lossless.model.counters import Counter, counter_document, parse_counter
from lossless.model.drain.hooks import OwnHook, hook_document, parse_hook
from lossless.model.drain.release_rule import Barrier
from lossless.model.fields import InvalidSpec, choice, mapping
from lossless.model.names import AGENT_PORT, STATUS_FILE
from lossless.model.policy import DrainPolicy
from lossless.model.status_flag import StatusFlag, parse_status_flag, status_flag_document

#: core/v1 PodSpec.terminationGracePeriodSeconds, if a pod does not say.
DEFAULT_GRACE: Final = 30.0

_T = TypeVar("_T")
_E = TypeVar("_E", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Probe:
    """A kubelet probe that opens connections to the pod while it drains (readiness only).

    The kubelet stops liveness and startup probes of a terminating pod; readiness goes on
    (kubernetes pkg/kubelet/prober/worker.go).
    """

    port: int
    period: float
    """Seconds between two probes."""
    timeout: float
    """Seconds after which the kubelet gives a probe up."""


@dataclass(frozen=True, slots=True)
class AgentConfig:
    """Everything an agent needs to know about its pod and its policy."""

    rollout: str
    ports: tuple[int, ...]
    """Inbound ports that count. Empty: every port something listens on, loopback apart."""
    drain: DrainPolicy
    probes: tuple[Probe, ...] = ()
    status_files: tuple[str, ...] = (STATUS_FILE,)
    """All of them are there while the pod serves, and removed when it drains."""
    status_flag: StatusFlag = field(default_factory=StatusFlag)
    agent_port: int = AGENT_PORT
    host_network: bool = False
    """The pod is on its node's network, where sockets of other pods and processes are, too."""
    hold_key: str = ""
    """Every hold of this pod carries it; empty: they carry none."""
    hooks: tuple[OwnHook, ...] = ()
    """What containers had as their own preStop, at most one each."""
    file_holds: tuple[str, ...] = ()
    """Containers that wait for a file instead of an answer."""
    barrier: Barrier = field(default_factory=Barrier)
    grace: float = DEFAULT_GRACE
    """Seconds the pod had to stop before it was injected."""
    close: tuple[CloseDriver, ...] = ()
    metrics: tuple[Counter, ...] = ()
    out_of_reach: tuple[str, ...] = ()
    """Paths of ``close`` and ``metrics`` that no volume brings to the agent. Its own files may have
    the same names, so it cannot tell by looking."""
    problems: tuple[str, ...] = ()
    """Parts that were left out, or have their defaults, because they could not be understood; never
    written, only read."""

    def to_json(self) -> str:
        """Return the document, with sorted keys so that equal configurations are equal text."""
        return json.dumps(
            {
                "rollout": self.rollout,
                "ports": list(self.ports),
                "drain": {
                    "clientIdleTimeout": self.drain.client_idle_timeout,
                    "idleConnections": self.drain.idle_connections.value,
                    "propagation": self.drain.propagation,
                    "quiet": self.drain.quiet,
                    "timeout": self.drain.timeout,
                    "onTimeout": self.drain.on_timeout.value,
                },
                "probes": [
                    {"port": p.port, "period": p.period, "timeout": p.timeout} for p in self.probes
                ],
                "statusFiles": list(self.status_files),
                "statusFlag": status_flag_document(self.status_flag),
                "agentPort": self.agent_port,
                "hostNetwork": self.host_network,
                "holdKey": self.hold_key,
                "hooks": [hook_document(hook) for hook in self.hooks],
                "fileHolds": list(self.file_holds),
                "barrier": {
                    "sidecars": list(self.barrier.sidecars),
                    "ports": list(self.barrier.ports),
                    "seconds": self.barrier.seconds,
                },
                "grace": self.grace,
                "close": [driver_document(driver) for driver in self.close],
                "metrics": [counter_document(counter) for counter in self.metrics],
                "outOfReach": list(self.out_of_reach),
            },
            sort_keys=True,
            separators=(",", ":"),
        )


def parse_agent_config(text: str) -> AgentConfig:
    """Return the configuration that ``to_json`` wrote; unknown keys are ignored.

    A newer webhook may know more than this agent, so unknown keys must not stop it; a close driver,
    counter or hook of an unknown kind is left out, an unknown choice has its default, and both are
    told in ``problems``. All the rest counts: an agent that took nothing else from it would listen
    on another port than the kubelet asks.

    Raises:
        ValueError: not JSON, or a key is missing or of the wrong kind.
    """
    try:
        raw: Mapping[str, Any] = json.loads(text)
        drain = raw["drain"]
        barrier = raw.get("barrier", {})
        problems: list[str] = []
        return AgentConfig(
            rollout=str(raw["rollout"]),
            ports=tuple(int(port) for port in raw["ports"]),
            drain=DrainPolicy(
                client_idle_timeout=float(drain["clientIdleTimeout"]),
                idle_connections=_choice(
                    drain, "idleConnections", DrainPolicy().idle_connections, problems
                ),
                propagation=float(drain["propagation"]),
                quiet=float(drain["quiet"]),
                timeout=float(drain["timeout"]),
                on_timeout=_choice(drain, "onTimeout", DrainPolicy().on_timeout, problems),
            ),
            probes=tuple(
                Probe(int(p["port"]), float(p["period"]), float(p["timeout"]))
                for p in raw.get("probes", [])
            ),
            status_files=_texts(raw.get("statusFiles", [STATUS_FILE])),
            status_flag=_status_flag(raw, problems),
            agent_port=int(raw.get("agentPort", AGENT_PORT)),
            host_network=bool(raw.get("hostNetwork", False)),
            hold_key=str(raw.get("holdKey", "")),
            hooks=_known(raw, "hooks", _hook, problems),
            file_holds=_texts(raw.get("fileHolds", [])),
            barrier=Barrier(
                sidecars=_texts(barrier.get("sidecars", [])),
                ports=tuple(int(port) for port in barrier.get("ports", [])),
                seconds=float(barrier.get("seconds", 0.0)),
            ),
            grace=float(raw.get("grace", DEFAULT_GRACE)),
            close=_known(raw, "close", parse_driver, problems),
            metrics=_known(raw, "metrics", parse_counter, problems),
            out_of_reach=_texts(raw.get("outOfReach", [])),
            problems=tuple(problems),
        )
    except (KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise ValueError(f"agent configuration: {type(error).__name__}: {error}") from error


def _texts(raw: object) -> tuple[str, ...]:
    if not isinstance(raw, list) or not all(isinstance(text, str) for text in raw):
        raise TypeError(f"{raw!r:.40} is not a list of texts")
    return tuple(raw)


def _choice(drain: Mapping[str, Any], key: str, default: _E, problems: list[str]) -> _E:
    """Return the choice of ``drain``; ``default`` for a word that only a newer webhook knows."""
    if not isinstance(drain[key], str):
        raise TypeError(f"drain.{key}: {drain[key]!r:.40} is not a text")
    try:
        return choice(drain, "drain", key, default)
    except InvalidSpec as error:
        problems.append(f"{error}; this agent takes {default.value}")
        return default


def _hook(raw: object, at: str) -> OwnHook:
    try:
        if isinstance(raw, Mapping):
            return parse_hook(raw)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        pass
    raise InvalidSpec(at, raw, "must be a sleep, or a port with a path")


def _status_flag(raw: Mapping[str, Any], problems: list[str]) -> StatusFlag:
    """Return what can be understood of the flag; where that is nothing, it is as without one."""
    try:
        return parse_status_flag(mapping(raw, "agent", "statusFlag"), "statusFlag")
    except InvalidSpec as error:
        problems.append(f"{error}; this agent answers by its defaults")
        return StatusFlag()


def _known(
    raw: Mapping[str, Any], key: str, parse: Callable[[object, str], _T], problems: list[str]
) -> tuple[_T, ...]:
    """Return what can be understood of the list ``key``, and note the rest in ``problems``."""
    items = raw.get(key, [])
    if not isinstance(items, list):
        problems.append(f"{key}: {items!r:.60} is not a list")
        return ()
    found = []
    for index, item in enumerate(items):
        try:
            found.append(parse(item, f"{key}[{index}]"))
        except InvalidSpec as error:
            problems.append(f"{error}; this agent leaves it out")
    return tuple(found)
