"""A host's configuration: a TOML file, parsed into frozen dataclasses.

``drain``, ``close`` and ``metrics`` are those of a LosslessRollout, by the same parsers.
"""

import ipaddress
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from lossless.model.close_drivers import (
    MAX_DRIVERS,
    CloseDriver,
    HttpClose,
    MiddlewareClose,
    NginxClose,
    parse_driver,
)
from lossless.model.counters import MAX_COUNTERS, Counter, parse_counter
from lossless.model.drain.agent_config import Probe
from lossless.model.fields import InvalidSpec, file_path, mapping, port, seconds, text, whole
from lossless.model.names import HOST_STATE
from lossless.model.policy import DrainPolicy, parse_drain

#: Where ``ip netns`` binds the namespaces that it names (ip-netns(8)).
NAMED_NAMESPACES: Final = "/run/netns"
_MAX_ITEMS: Final = 64
#: Seconds; bounds of every deadline of ours.
_DEADLINES: Final = (0.1, 86400.0)
_INTERVALS: Final = (0.05, 600.0)
_KEYS: Final = (
    "statusFiles",
    "ports",
    "networkNamespace",
    "stateDirectory",
    "drain",
    "close",
    "reopen",
    "metrics",
    "proxy",
    "app",
    "ready",
    "loadBalancer",
)


@dataclass(frozen=True, slots=True)
class Program:
    """How one program is stopped and started."""

    stop: tuple[str, ...]
    """An argv."""
    start: tuple[str, ...]
    timeout: float = 60.0
    """Seconds for each of the two, and for its port to follow."""


@dataclass(frozen=True, slots=True)
class Ready:
    """What tells that the application really answers."""

    host: str
    port: int
    path: str
    status: tuple[int, ...] = (200,)
    successes: int = 3
    """In a row."""
    interval: float = 0.5
    timeout: float = 120.0

    @property
    def url(self) -> str:
        """What is asked, for people."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}{self.path}"


@dataclass(frozen=True, slots=True)
class LoadBalancer:
    """What is known of the load balancer in front."""

    timeout: float = 30.0
    """Seconds to wait for its traffic once the host is back."""
    required: bool = False
    """Whether no traffic in that time is a failure."""
    addresses: tuple[str, ...] = ()
    """Where its health checks come from."""
    checks: tuple[Probe, ...] = ()
    """Its health checks on counted ports."""


@dataclass(frozen=True, slots=True)
class HostConfig:
    """One host."""

    status_files: tuple[str, ...]
    ports: tuple[int, ...]
    app: Program
    ready: Ready
    proxy: Program | None = None
    drain: DrainPolicy = field(default_factory=DrainPolicy)
    close: tuple[CloseDriver, ...] = ()
    reopen: tuple[HttpClose, ...] = ()
    """Calls that take back what the ``http`` close drivers did."""
    metrics: tuple[Counter, ...] = ()
    load_balancer: LoadBalancer = LoadBalancer()
    network_namespace: str = ""
    """Path; empty: the one that the command is run in."""
    state_directory: str = HOST_STATE


def read_config(path: str) -> HostConfig:
    """Return the configuration in the file at ``path``.

    Raises:
        OSError: it cannot be read.
        ValueError: it is not TOML, or a field is wrong; the message begins with the path.
    """
    try:
        return parse_config(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ValueError(
            f"{path}: there is no such file; write it (docs/host-mode.md, Set it up), or name"
            " another with --config"
        ) from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: is not UTF-8: {error}; save it as UTF-8") from error
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def parse_config(document: str) -> HostConfig:
    """Return the configuration that the TOML ``document`` holds.

    Raises:
        ValueError: it is not TOML, or names field, value and remedy.
    """
    try:
        raw = tomllib.loads(document)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ValueError(f"is not TOML: {error}; correct it") from error
    try:
        return _parse(raw)
    except InvalidSpec as error:
        # The parsers of fields put a dot after the name of what holds them; the file has none.
        raise InvalidSpec(error.field.removeprefix("."), error.value, error.remedy) from None


def _parse(raw: Mapping[str, Any]) -> HostConfig:
    _only(raw, "", _KEYS)
    files = tuple(
        file_path({"statusFiles": one}, "", "statusFiles")
        for one in _items(raw, "statusFiles", least=1)
    )
    proxy = mapping(raw, "", "proxy") if "proxy" in raw else None
    config = HostConfig(
        status_files=files,
        ports=tuple(port({"ports": one}, "", "ports") for one in _items(raw, "ports", least=1)),
        app=_program(mapping(raw, "", "app"), "app"),
        ready=_ready(mapping(raw, "", "ready")),
        proxy=None if proxy is None else _program(proxy, "proxy"),
        drain=_drain(mapping(raw, "", "drain")),
        close=tuple(
            _driver(one, f"close[{index}]", files[0])
            for index, one in enumerate(_items(raw, "close", most=MAX_DRIVERS))
        ),
        reopen=tuple(
            _call(one, f"reopen[{index}]")
            for index, one in enumerate(_items(raw, "reopen", most=MAX_DRIVERS))
        ),
        metrics=tuple(
            parse_counter(one, f"metrics[{index}]")
            for index, one in enumerate(_items(raw, "metrics", most=MAX_COUNTERS))
        ),
        load_balancer=_load_balancer(mapping(raw, "", "loadBalancer")),
        network_namespace=_namespace(raw),
        state_directory=file_path({"stateDirectory": HOST_STATE, **raw}, "", "stateDirectory"),
    )
    if config.proxy is not None and config.ready.port in config.ports:
        raise InvalidSpec(
            "ready.url",
            config.ready.url,
            "asks the proxy, which is started only once the application answers; name the"
            " application's own port",
        )
    return config


def _drain(raw: Mapping[str, Any]) -> DrainPolicy:
    known = ("clientIdleTimeout", "idleConnections", "propagation", "quiet", "timeout", "onTimeout")
    _only(raw, "drain", known)
    return parse_drain(raw, "drain")


def _driver(raw: object, at: str, status_file: str) -> CloseDriver:
    driver = parse_driver(raw, at)
    if isinstance(driver, NginxClose | MiddlewareClose) and isinstance(raw, Mapping):
        (told,) = raw.values()
        for field in ("http2", "reload"):
            if field in told:
                remedy = "is done by a pod's preStop hook, and there is none here; remove it"
                raise InvalidSpec(f"{at}.nginx.{field}", told[field], remedy)
        return replace(driver, status_file=told.get("statusFile", status_file))
    return driver


def _call(raw: object, at: str) -> HttpClose:
    driver = parse_driver(raw, at)
    if not isinstance(driver, HttpClose):
        raise InvalidSpec(
            at, raw, "must be an http call; what other drivers did is taken back by itself"
        )
    return driver


def _program(raw: Mapping[str, Any], at: str) -> Program:
    _only(raw, at, ("unit", "stop", "start", "timeout"))
    if "unit" in raw:
        if "stop" in raw or "start" in raw:
            raise InvalidSpec(f"{at}.unit", raw["unit"], "goes without stop and start; remove them")
        unit = text(raw, at, "unit")
        raw = {"stop": ["systemctl", "stop", unit], "start": ["systemctl", "start", unit], **raw}
    stop, start = _command(raw, at, "stop"), _command(raw, at, "start")
    return Program(stop, start, seconds(raw, at, "timeout", 60.0, _DEADLINES))


def _command(raw: Mapping[str, Any], at: str, key: str) -> tuple[str, ...]:
    value = raw.get(key)
    if isinstance(value, str) and value.strip() and "\0" not in value:
        return ("/bin/sh", "-c", value)
    if (
        isinstance(value, list)
        and value
        and all(isinstance(word, str) and "\0" not in word for word in value)
        and value[0]
    ):
        return tuple(value)
    raise InvalidSpec(
        f"{at}.{key}",
        value,
        'must be a command: ["systemctl", "stop", "web"] or a line for /bin/sh; or name a'
        " systemd unit with unit",
    )


def _ready(raw: Mapping[str, Any]) -> Ready:
    at = "ready"
    _only(raw, at, ("url", "status", "successes", "interval", "timeout"))
    url = text(raw, at, "url")
    remedy = "must look like http://127.0.0.1:8081/healthz, with an address of this host"
    try:
        parts = urlsplit(url)
        host = "127.0.0.1" if parts.hostname == "localhost" else parts.hostname or ""
        number = parts.port or 80
        ipaddress.ip_address(host)
    except ValueError as error:
        raise InvalidSpec(f"{at}.url", url, remedy) from error
    if parts.scheme != "http" or parts.username is not None or parts.fragment:
        raise InvalidSpec(f"{at}.url", url, remedy)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not path.isascii() or not path.isprintable() or " " in path:
        raise InvalidSpec(f"{at}.url", url, remedy)
    told = raw.get("status", 200)
    status = tuple(
        whole({"status": one}, at, "status", None, (100, 599))
        for one in (told if isinstance(told, list) and told else [told])
    )
    return Ready(
        host=host,
        port=number,
        path=path,
        status=status,
        successes=whole(raw, at, "successes", 3, (1, 1000)),
        interval=seconds(raw, at, "interval", 0.5, _INTERVALS),
        timeout=seconds(raw, at, "timeout", 120.0, _DEADLINES),
    )


def _load_balancer(raw: Mapping[str, Any]) -> LoadBalancer:
    at = "loadBalancer"
    _only(raw, at, ("timeout", "required", "checks"))
    required = raw.get("required", False)
    if not isinstance(required, bool):
        raise InvalidSpec(f"{at}.required", required, "must be true or false")
    addresses: list[str] = []
    checks: list[Probe] = []
    for index, one in enumerate(_items(raw, "checks", at)):
        here = f"{at}.checks[{index}]"
        if not isinstance(one, Mapping):
            raise InvalidSpec(here, one, "must be a table with from, port, interval and timeout")
        _only(one, here, ("from", "port", "interval", "timeout"))
        sources = _items(one, "from", here, least=1)
        number = port(one, here)
        period = seconds(one, here, "interval", 2.0, _INTERVALS)
        patience = seconds(one, here, "timeout", 2.0, _INTERVALS)
        for source in sources:
            addresses.append(_address(source, f"{here}.from"))
            checks.append(Probe(number, period, patience))
    timeout = seconds(raw, at, "timeout", 30.0, _DEADLINES)
    return LoadBalancer(timeout, required, tuple(addresses), tuple(checks))


def _address(value: object, at: str) -> str:
    try:
        return str(ipaddress.ip_address(str(value)))
    except ValueError as error:
        raise InvalidSpec(at, value, "must be addresses, for example 10.0.0.2") from error


def _namespace(raw: Mapping[str, Any]) -> str:
    value = raw.get("networkNamespace", "")
    if value == "":
        return ""
    if isinstance(value, str) and "/" not in value and value not in (".", ".."):
        return f"{NAMED_NAMESPACES}/{value}"
    return file_path(raw, "", "networkNamespace")


def _items(
    raw: Mapping[str, Any], key: str, at: str = "", *, least: int = 0, most: int = _MAX_ITEMS
) -> list[Any]:
    value = raw.get(key, [])
    if not isinstance(value, list) or not least <= len(value) <= most:
        field = f"{at}.{key}" if at else key
        raise InvalidSpec(field, value, f"must be a list of {least} to {most} items")
    return value


def _only(raw: Mapping[str, Any], at: str, known: Iterable[str]) -> None:
    """Refuse what is not known: a misspelt key must not pass for a default."""
    known = tuple(known)
    for key in raw:
        if key not in known:
            field = f"{at}.{key}" if at else key
            raise InvalidSpec(field, raw[key], f"is not known here; known: {', '.join(known)}")
