"""How the clients on open connections are told to leave: ``spec.close``.

Each driver speaks to one program of the pod, over the pod's own loopback interface or a file that
it shares with the agent. None of them carries a secret: a pod's spec is no place for one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeAlias

from lossless.model.durations import format_duration
from lossless.model.fields import (
    InvalidSpec,
    choice,
    file_path,
    mapping,
    matching,
    only_endpoint,
    only_key,
    port,
    seconds,
    text,
    url_path,
    whole,
)
from lossless.model.names import STATUS_FILE
from lossless.model.nginx_reload import (
    Reload,
    ReloadClose,
    parse_reload,
    parse_reload_close,
    reload_close_document,
    reload_document,
)

KINDS: Final = ("nginx", "envoy", "haproxy", "http", "file", "middleware")
MAX_DRIVERS: Final = 8
#: The port of the admin API in Envoy's own examples.
ENVOY_ADMIN: Final = 9901
MAX_HEADERS: Final = 16
MAX_BODY: Final = 4096
#: Seconds; bounds of ``http.timeout``, the same in the CRD.
TIMEOUTS: Final = (0.1, 60.0)
RETRIES: Final = (0, 10)
#: A process-wide variable of HAProxy; the runtime API sets no others.
VARIABLE: Final = r"^proc\.[A-Za-z0-9_.]+$"
LONGEST_VARIABLE: Final = 64
#: A field name (RFC 9110 section 5.1) and a field value of visible ASCII (section 5.5).
HEADER_NAME: Final = r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"
LONGEST_NAME: Final = 64
HEADER_VALUE: Final = r"^([!-~]([ -~]*[!-~])?)?$"
LONGEST_VALUE: Final = 1024
SECRETS: Final = frozenset({"authorization", "proxy-authorization", "cookie"})
#: The agent's own to set.
FRAMING: Final = frozenset({"connection", "content-length", "host", "transfer-encoding"})


class Method(StrEnum):
    """How an application is called."""

    POST = "POST"
    GET = "GET"
    PUT = "PUT"
    PATCH = "PATCH"
    DELETE = "DELETE"


class FileAction(StrEnum):
    """What becomes of a file when the drain starts."""

    REMOVE = "Remove"
    CREATE = "Create"


@dataclass(frozen=True, slots=True)
class NginxClose:
    """Clients are told by nginx, which is reloaded, or looks at the status file."""

    status_file: str = STATUS_FILE
    """Removed in both cases: balancers may look at it."""
    http2: Reload | None = None
    """How HTTP/2 clients are told; None: they are not. The webhook sees to it, not the agent."""
    reload: ReloadClose | None = None
    """How all clients are told; None: those of HTTP/1 by the status file. The container's hook
    does it, when the agent asks for it. Never together with ``http2``."""

    @property
    def name(self) -> str:
        """What people are told of it by."""
        return "nginx"


@dataclass(frozen=True, slots=True)
class EnvoyClose:
    """Clients are told by Envoy, whose health check is made to fail."""

    admin_port: int = ENVOY_ADMIN

    @property
    def name(self) -> str:
        """What people are told of it by."""
        return f"envoy on port {self.admin_port}"


@dataclass(frozen=True, slots=True)
class HaproxyClose:
    """Clients are told by HAProxy, in which a variable is set by the runtime API."""

    socket: str = ""
    """Path of a unix socket; empty: ``port`` is used."""
    port: int = 0
    variable: str = "proc.drain"

    @property
    def name(self) -> str:
        """What people are told of it by."""
        return f"haproxy at {self.socket}" if self.socket else f"haproxy on port {self.port}"


@dataclass(frozen=True, slots=True)
class Header:
    """One header of a request."""

    name: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class HttpClose:
    """The application is called and tells its clients itself."""

    port: int
    path: str = "/"
    method: Method = Method.POST
    headers: tuple[Header, ...] = ()
    body: str = ""
    timeout: float = 5.0
    """Seconds for one call."""
    retries: int = 2
    """Calls after the first one that did not succeed."""

    @property
    def name(self) -> str:
        """What people are told of it by."""
        return f"http on port {self.port}"


@dataclass(frozen=True, slots=True)
class FileClose:
    """A file of the user's own is removed or created, for software that looks at it."""

    path: str
    action: FileAction = FileAction.REMOVE

    @property
    def name(self) -> str:
        """What people are told of it by."""
        return f"file {self.path}"


@dataclass(frozen=True, slots=True)
class MiddlewareClose:
    """The application tells its clients by ``lossless.middleware``, which looks at the file."""

    status_file: str = STATUS_FILE

    @property
    def name(self) -> str:
        """What people are told of it by."""
        return "middleware"


CloseDriver: TypeAlias = (
    NginxClose | EnvoyClose | HaproxyClose | HttpClose | FileClose | MiddlewareClose
)


def parse_close(raw: object) -> tuple[CloseDriver, ...]:
    """Return the drivers that ``spec.close`` lists.

    Raises:
        InvalidSpec: it is no list, or one of its items is no driver.
    """
    if not isinstance(raw, list):
        raise InvalidSpec("spec.close", raw, "must be a list of close drivers")
    if len(raw) > MAX_DRIVERS:
        remedy = f"must have at most {MAX_DRIVERS} items"
        raise InvalidSpec("spec.close", f"{len(raw)} drivers", remedy)
    return tuple(parse_driver(item, f"spec.close[{i}]") for i, item in enumerate(raw))


def parse_driver(raw: object, at: str) -> CloseDriver:
    """Return the one driver that stands ``at``; the agent reads its configuration by it, too.

    Raises:
        InvalidSpec: it is none.
    """
    kind = only_key(raw, at, KINDS, "close driver")
    assert isinstance(raw, Mapping)  # noqa: S101 # `only_key` has seen to it
    value, at = mapping(raw, at, kind), f"{at}.{kind}"
    match kind:
        case "nginx":
            return _nginx(value, at)
        case "envoy":
            return EnvoyClose(port(value, at, "adminPort", ENVOY_ADMIN))
        case "haproxy":
            return _haproxy(value, at)
        case "http":
            return _http(value, at)
        case "file":
            action = choice(value, at, "action", FileAction.REMOVE)
            return FileClose(file_path(value, at, "path"), action)
        case _:
            return MiddlewareClose(_status_file(value, at))


def shared_path(driver: CloseDriver) -> tuple[tuple[str, str], ...]:
    """Return the field of ``driver`` by which it meets a program, and the path; at most one.

    The agent needs a volume to get there.
    """
    match driver:
        case NginxClose(path):
            return (("nginx.statusFile", path),)
        case MiddlewareClose(path):
            return (("middleware.statusFile", path),)
        case HaproxyClose(path) if path:
            return (("haproxy.socket", path),)
        case FileClose(path):
            return (("file.path", path),)
        case _:
            return ()


def driver_document(driver: CloseDriver) -> dict[str, Any]:
    """Return ``driver`` as it stands in a spec, every default written out."""
    match driver:
        case NginxClose(status_file, http2, reload):
            told = {"http2": reload_document(http2)} if http2 is not None else {}
            told |= {"reload": reload_close_document(reload)} if reload is not None else {}
            return {"nginx": {"statusFile": status_file, **told}}
        case EnvoyClose(admin_port):
            return {"envoy": {"adminPort": admin_port}}
        case HaproxyClose(socket, number, variable):
            end: dict[str, Any] = {"socket": socket} if socket else {"port": number}
            return {"haproxy": end | {"variable": variable}}
        case HttpClose():
            return {
                "http": {
                    "port": driver.port,
                    "path": driver.path,
                    "method": driver.method.value,
                    "headers": [{"name": h.name, "value": h.value} for h in driver.headers],
                    "body": driver.body,
                    "timeout": format_duration(driver.timeout),
                    "retries": driver.retries,
                }
            }
        case FileClose(path, action):
            return {"file": {"path": path, "action": action.value}}
        case MiddlewareClose(status_file):
            return {"middleware": {"statusFile": status_file}}


def _status_file(raw: Mapping[str, Any], at: str) -> str:
    return file_path({"statusFile": STATUS_FILE} | dict(raw), at, "statusFile")


def _nginx(raw: Mapping[str, Any], at: str) -> NginxClose:
    http2 = parse_reload(raw["http2"], f"{at}.http2") if "http2" in raw else None
    reload = parse_reload_close(raw["reload"], f"{at}.reload") if "reload" in raw else None
    if http2 is not None and reload is not None:
        remedy = "is told by reload as well, which tells all clients; remove http2"
        raise InvalidSpec(f"{at}.http2", raw["http2"], remedy)
    return NginxClose(_status_file(raw, at), http2, reload)


def _haproxy(raw: Mapping[str, Any], at: str) -> HaproxyClose:
    socket, number = only_endpoint(raw, at)
    variable = matching(
        {"variable": "proc.drain"} | dict(raw),
        (at, "variable"),
        VARIABLE,
        LONGEST_VARIABLE,
        "must be a process-wide variable of HAProxy, for example proc.drain",
    )
    return HaproxyClose(socket, number, variable)


def _http(raw: Mapping[str, Any], at: str) -> HttpClose:
    body = raw.get("body", "")
    if not isinstance(body, str) or len(body.encode(errors="replace")) > MAX_BODY:
        raise InvalidSpec(f"{at}.body", body, f"must be a text of at most {MAX_BODY} bytes")
    return HttpClose(
        port=port(raw, at),
        path=url_path(raw, at, "/"),
        method=choice(raw, at, "method", Method.POST),
        headers=_headers(raw.get("headers", []), f"{at}.headers"),
        body=body,
        timeout=seconds(raw, at, "timeout", 5.0, TIMEOUTS),
        retries=whole(raw, at, "retries", 2, RETRIES),
    )


def _headers(raw: object, at: str) -> tuple[Header, ...]:
    if not isinstance(raw, list) or len(raw) > MAX_HEADERS:
        raise InvalidSpec(at, raw, f"must be a list of at most {MAX_HEADERS} headers")
    return tuple(_header(item, f"{at}[{index}]") for index, item in enumerate(raw))


def _header(raw: object, at: str) -> Header:
    if not isinstance(raw, Mapping):
        raise InvalidSpec(at, raw, "must be an object with name and value")
    name = text(raw, at, "name")
    if name.lower() in SECRETS:
        raise InvalidSpec(
            f"{at}.name",
            name,
            "a pod's spec is no place for a secret; let the application take this call on"
            " 127.0.0.1 without one",
        )
    if name.lower() in FRAMING:
        raise InvalidSpec(f"{at}.name", name, "is set by the agent; remove it")
    return Header(
        matching(
            raw, (at, "name"), HEADER_NAME, LONGEST_NAME, "must be the name of an HTTP header"
        ),
        matching(
            {"value": ""} | dict(raw),
            (at, "value"),
            HEADER_VALUE,
            LONGEST_VALUE,
            "must be visible ASCII, at most 1024 characters, with no space at its ends",
        ),
    )
