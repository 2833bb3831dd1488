"""Questions about Envoy's bootstrap configuration, where a ConfigMap of the pod holds it."""

import ipaddress
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from lossless.checks.finding import Trouble
from lossless.checks.mounted import command_line, proxies
from lossless.checks.setup import Setup
from lossless.injection.admission_pod import ServingContainer
from lossless.model.close_drivers import EnvoyClose

#: Where the official image looks unless it is started with ``-c``.
_MAIN: Final = "/etc/envoy/envoy.yaml"
#: Of the admin API.
_READY: Final = "/ready"
_STARTED_WITH: Final = re.compile(r"(?:^|\s)(?:-c|--config-path)[\s=](/\S+)")
#: JSON of protobuf takes both: ``port_value`` and ``portValue``.
_CAPITAL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class _Envoy:
    """One by which clients are told to leave."""

    driver: EnvoyClose
    at: str
    """Its configuration, as findings name it."""
    bootstrap: Any

    @property
    def admin(self) -> Any:
        """Where its admin API listens by TCP; None: nowhere."""
        return _inner(self.bootstrap, "admin", "address", "socket_address")

    @property
    def listeners(self) -> list[Any]:
        """Those that no server tells it of."""
        found = _inner(self.bootstrap, "static_resources", "listeners")
        return found if isinstance(found, list) else []


def cannot_be_asked(setup: Setup) -> Iterator[Trouble]:
    """Ask whether the admin API listens where the driver looks for it."""
    for envoy in _envoys(setup):
        wanted, port = envoy.driver.admin_port, _inner(envoy.admin, "port_value")
        if port != wanted:
            yield Trouble(
                envoy.at,
                f"close names {envoy.driver.name}, but Envoy's admin API listens"
                f" {'nowhere' if port is None else f'on port {port}'}",
                "say: admin: {address: {socket_address:"
                f" {{address: 127.0.0.1, port_value: {wanted}}}}}}}",
            )


def open_to_the_network(setup: Setup) -> Iterator[Trouble]:
    """Ask whether others than the pod itself reach the admin API."""
    for envoy in _envoys(setup):
        address = str(_inner(envoy.admin, "address") or "127.0.0.1")
        if not _is_loopback(address):
            probed = any(
                _probed_port(setup, container) == envoy.driver.admin_port
                for container in setup.containers
            )
            yield Trouble(
                envoy.at,
                f"the admin API listens on {address}: whoever reaches the pod may drain or stop it",
                "let it listen on 127.0.0.1, where the agent asks; for metrics, a listener with a"
                " route to /stats/prometheus and no other"
                + (
                    ", and for the readiness probe, which asks this port now, a listener that"
                    " answers 200 by itself (direct_response)"
                    if probed
                    else ""
                ),
            )


def unready_in_a_drain(setup: Setup) -> Iterator[Trouble]:
    """Ask whether the readiness probe asks Envoy whether it drains.

    ``/ready`` answers 503 from ``healthcheck/fail`` on (Envoy's admin API), which is how a drain
    starts.
    """
    close = setup.valid.close if setup.valid else ()
    driver = next((one for one in close if isinstance(one, EnvoyClose)), None)
    if driver is None:
        return
    for container in setup.containers:
        path = str(_handler(setup, container, "httpGet").get("path") or "").partition("?")[0]
        port = _probed_port(setup, container)
        command = _handler(setup, container, "exec").get("command") or ()
        own = path == _READY and (port == driver.admin_port or _is_envoy(container))
        if own or f":{driver.admin_port}{_READY}" in " ".join(map(str, command)):
            yield Trouble(
                f"{setup.target} container {container.name}",
                f"its readiness probe asks Envoy's {_READY} (port {port or driver.admin_port}),"
                " which answers 503 once Envoy drains: the pod leaves its Services at once, though"
                " it may be the last one that could take newcomers",
                "let the probe ask a listener that answers by itself (direct_response, status 200),"
                " or the application through Envoy",
            )


def _is_envoy(container: ServingContainer) -> bool:
    image = container.image.rpartition("/")[2]
    return "envoy" in container.name or "envoy" in image


def _handler(setup: Setup, container: ServingContainer, kind: str) -> Mapping[str, Any]:
    """Return what the readiness probe does, if it is of this kind; else nothing."""
    return (setup.raw_of(container).get("readinessProbe") or {}).get(kind) or {}


def _probed_port(setup: Setup, container: ServingContainer) -> object:
    """Return the port that the readiness probe asks by HTTP, by its number if it is declared."""
    port = _handler(setup, container, "httpGet").get("port")
    declared = {one.name: one.number for one in container.ports if one.name}
    return declared.get(port, port) if isinstance(port, str) else port


def takes_no_notice(setup: Setup) -> Iterator[Trouble]:
    """Ask whether each listener heeds a drain."""
    for envoy in _envoys(setup):
        for listener in envoy.listeners:
            if _inner(listener, "drain_type") == "MODIFY_ONLY":
                yield Trouble(
                    envoy.at,
                    f"listener {_inner(listener, 'name')} has drain_type MODIFY_ONLY, with which"
                    " it goes on as ever in a drain, so its clients are never told to leave",
                    "leave drain_type out",
                )


def _envoys(setup: Setup) -> Iterator[_Envoy]:
    for driver, container, files in proxies(setup, EnvoyClose):
        named = _STARTED_WITH.search(command_line(container))
        source = files.get(named[1] if named else _MAIN)
        try:
            bootstrap = yaml.safe_load(source.text) if source else None
        except yaml.YAMLError:
            continue  # a template that something else fills in
        if source and isinstance(bootstrap, Mapping):
            yield _Envoy(driver, source.place, bootstrap)


def _inner(raw: Any, *path: str) -> Any:
    """Return what stands at a path of names like ``port_value``; None if nothing does."""
    for name in path:
        if not isinstance(raw, Mapping):
            return None
        raw = {_CAPITAL.sub("_", str(key)).lower(): value for key, value in raw.items()}.get(name)
    return raw


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"
