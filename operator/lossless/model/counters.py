"""What counts requests in flight beside the kernel's sockets: ``spec.metrics``.

The kernel sees connections, not requests. A proxy or an application knows its requests, so its
counter can hold a drain that the kernel's evidence would end. It never ends one by itself.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeAlias

from lossless.model.close_drivers import (
    ENVOY_ADMIN,
    CloseDriver,
    EnvoyClose,
    FileClose,
    HaproxyClose,
    HttpClose,
    MiddlewareClose,
    NginxClose,
)
from lossless.model.fields import (
    InvalidSpec,
    choice,
    mapping,
    matching,
    only_endpoint,
    only_key,
    port,
    url_path,
)

KINDS: Final = ("nginxStatus", "envoyStats", "haproxyStats", "prometheus")
MAX_COUNTERS: Final = 8
MAX_LABELS: Final = 8
#: https://prometheus.io/docs/concepts/data_model/
METRIC: Final = r"^[a-zA-Z_:][a-zA-Z0-9_:]*$"
LABEL: Final = r"^[a-zA-Z_][a-zA-Z0-9_]*$"
#: Characters of a metric's name, and of a label's value.
LONGEST: Final = 256
#: Names by which Prometheus tells what only grows, and so never comes back to zero.
GROWING: Final = ("_total", "_bucket")


class ZeroMeans(StrEnum):
    """What a value of zero says of the pod."""

    NO_REQUESTS = "NoRequests"
    """No request is in flight; connections may be open."""
    NO_CONNECTIONS = "NoConnections"
    """No connection is open, idle ones included."""


@dataclass(frozen=True, slots=True)
class NginxStatus:
    """nginx's ``stub_status`` page."""

    port: int
    path: str = "/nginx_status"

    @property
    def name(self) -> str:
        """What people are told of it by."""
        return f"nginxStatus on port {self.port}"


@dataclass(frozen=True, slots=True)
class EnvoyStats:
    """Envoy's statistics, at its admin API."""

    port: int = ENVOY_ADMIN

    @property
    def name(self) -> str:
        """What people are told of it by."""
        return f"envoyStats on port {self.port}"


@dataclass(frozen=True, slots=True)
class HaproxyStats:
    """HAProxy's statistics, at its runtime API."""

    socket: str = ""
    """Path of a unix socket; empty: ``port`` is used."""
    port: int = 0

    @property
    def name(self) -> str:
        """What people are told of it by."""
        end = f"at {self.socket}" if self.socket else f"on port {self.port}"
        return f"haproxyStats {end}"


@dataclass(frozen=True, slots=True)
class Prometheus:
    """A gauge on a page in the Prometheus text format."""

    port: int
    metric: str
    path: str = "/metrics"
    labels: tuple[tuple[str, str], ...] = ()
    """Labels that a series must have, sorted by name."""
    zero_means: ZeroMeans = ZeroMeans.NO_REQUESTS

    @property
    def name(self) -> str:
        """What people are told of it by."""
        return f"prometheus {self.metric} on port {self.port}"


Counter: TypeAlias = NginxStatus | EnvoyStats | HaproxyStats | Prometheus


def parse_metrics(raw: object) -> tuple[Counter, ...]:
    """Return the counters that ``spec.metrics`` lists.

    Raises:
        InvalidSpec: it is no list, or one of its items is no counter.
    """
    if not isinstance(raw, list):
        raise InvalidSpec("spec.metrics", raw, "must be a list of counters")
    if len(raw) > MAX_COUNTERS:
        remedy = f"must have at most {MAX_COUNTERS} items"
        raise InvalidSpec("spec.metrics", f"{len(raw)} counters", remedy)
    return tuple(parse_counter(item, f"spec.metrics[{i}]") for i, item in enumerate(raw))


def parse_counter(raw: object, at: str) -> Counter:
    """Return the one counter that stands ``at``; the agent reads its configuration by it, too.

    Raises:
        InvalidSpec: it is none.
    """
    kind = only_key(raw, at, KINDS, "counter")
    assert isinstance(raw, Mapping)  # noqa: S101 # `only_key` has seen to it
    value, at = mapping(raw, at, kind), f"{at}.{kind}"
    match kind:
        case "nginxStatus":
            return NginxStatus(port(value, at), url_path(value, at, "/nginx_status"))
        case "envoyStats":
            return EnvoyStats(port(value, at, default=ENVOY_ADMIN))
        case "haproxyStats":
            return HaproxyStats(*only_endpoint(value, at))
        case _:
            return _prometheus(value, at)


def shared_path(counter: Counter) -> tuple[tuple[str, str], ...]:
    """Return what ``close_drivers.shared_path`` does, for a counter."""
    if isinstance(counter, HaproxyStats) and counter.socket:
        return (("haproxyStats.socket", counter.socket),)
    return ()


def evidence_of(close: Iterable[CloseDriver], metrics: Iterable[Counter]) -> tuple[Counter, ...]:
    """Return ``metrics`` and the counts that the proxies of ``close`` keep of their own requests.

    HTTP/2 needs them: a GOAWAY or WINDOW_UPDATE sent while a stream is in flight makes the server
    the one who spoke last, by which the kernel's evidence takes a connection for idle. Who tells
    a proxy to say goodbye can ask it at the same place.
    """
    found = dict.fromkeys(metrics)
    for driver in close:
        match driver:
            case EnvoyClose(admin_port):
                found.setdefault(EnvoyStats(admin_port))
            case HaproxyClose(socket, number):
                found.setdefault(HaproxyStats(socket, number))
            case NginxClose() | HttpClose() | FileClose() | MiddlewareClose():
                pass
    return tuple(found)


def counter_document(counter: Counter) -> dict[str, Any]:
    """Return ``counter`` as it stands in a spec, every default written out."""
    match counter:
        case NginxStatus(number, path):
            return {"nginxStatus": {"port": number, "path": path}}
        case EnvoyStats(number):
            return {"envoyStats": {"port": number}}
        case HaproxyStats(socket, number):
            return {"haproxyStats": {"socket": socket} if socket else {"port": number}}
        case Prometheus():
            return {
                "prometheus": {
                    "port": counter.port,
                    "path": counter.path,
                    "metric": counter.metric,
                    "labels": dict(counter.labels),
                    "zeroMeans": counter.zero_means.value,
                }
            }


def _prometheus(raw: Mapping[str, Any], at: str) -> Prometheus:
    remedy = "must be the name of a metric, for example http_requests_in_flight"
    metric = matching(raw, (at, "metric"), METRIC, LONGEST, remedy)
    if metric.endswith(GROWING):
        remedy = "only ever grows, so it never says that nothing is left; name a gauge"
        raise InvalidSpec(f"{at}.metric", metric, remedy)
    return Prometheus(
        port=port(raw, at),
        metric=metric,
        path=url_path(raw, at, "/metrics"),
        labels=_labels(mapping(raw, at, "labels"), f"{at}.labels"),
        zero_means=choice(raw, at, "zeroMeans", ZeroMeans.NO_REQUESTS),
    )


def _labels(raw: Mapping[str, Any], at: str) -> tuple[tuple[str, str], ...]:
    if len(raw) > MAX_LABELS:
        raise InvalidSpec(at, f"{len(raw)} labels", f"must have at most {MAX_LABELS} labels")
    for name, value in raw.items():
        if not re.fullmatch(LABEL, name, re.ASCII):
            raise InvalidSpec(at, name, "must be names of labels, for example code")
        if not isinstance(value, str) or len(value) > LONGEST:
            remedy = f"must be a text of at most {LONGEST} characters"
            raise InvalidSpec(f"{at}.{name}", value, remedy)
    return tuple(sorted(raw.items()))
