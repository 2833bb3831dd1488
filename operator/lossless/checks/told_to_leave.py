"""What could tell the clients of these pods to leave, by what the pods and Services show. Pure."""

from collections.abc import Iterator
from typing import Final

from lossless.checks.setup import Setup
from lossless.injection.admission_pod import ServingContainer
from lossless.model.names import STATUS_FILE

#: Proxies by the name of their image.
_DRIVERS: Final = {
    "nginx": "close: [{nginx: {}}]",
    "openresty": "close: [{nginx: {}}]",
    "envoy": "close: [{envoy: {}}]",
    "haproxy": "close: [{haproxy: {port: 9999}}]",
}
#: HAProxy says no GOAWAY, and nginx only when it is reloaded.
_GRPC_DRIVERS: Final = {
    "nginx": "close: [{nginx: {http2: {reload: AfterPropagation}}}]",
    "envoy": "close: [{envoy: {}}]",
}
_EVERYBODY: Final = (
    "name a driver, such as close: [{nginx: {}}]; or close: [{middleware: {}}] if the app"
    f" itself answers Connection: close while {STATUS_FILE} is gone"
)
_GRPC: Final = (
    "let the gRPC server say GOAWAY: call an endpoint that stops it gracefully, close: [{http:"
    " {port: PORT, path: /PATH}}], or give its connections a maximum age below spec.drain.timeout"
    " (docs/clients.md), and then accept this"
)
_TCP: Final = (
    "if clients end their connections themselves within spec.drain.timeout, accept this; in raw TCP"
    " nobody can tell them, so else give the connections a time to live (docs/streams.md)"
)
#: Programs that pass TCP on, or speak protocols of their own.
_RAW: Final = (
    *("stunnel", "socat", "pgbouncer", "pgpool", "mysql", "mariadb", "postgres", "redis", "valkey"),
    *(
        "memcached",
        "mosquitto",
        "emqx",
        "rabbitmq",
        "kafka",
        "nats",
        "mongo",
        "cassandra",
        "ghostunnel",
    ),
    *("proxysql", "twemproxy", "ncat", "sslh", "tcp-proxy", "tcpproxy"),
)
_GRPC_WORDS: Final = frozenset({"grpc", "h2c"})
_TCP_WORDS: Final = frozenset(
    {
        *(
            "tcp",
            "tls",
            "redis",
            "mysql",
            "postgres",
            "postgresql",
            "mongo",
            "amqp",
            "mqtt",
            "kafka",
        ),
        *("nats", "ldap", "smtp", "imap", "ssh", "sftp", "cql", "memcache", "memcached", "dns"),
    }
)


def advice(setup: Setup) -> str:
    """Return what to do so that clients are told to leave."""
    words = set(_words(setup))
    http = any(word.startswith(("http", "web")) for word in words)
    if words & _TCP_WORDS and not http:
        return _TCP
    grpc = bool(words & _GRPC_WORDS) or any(
        "grpc" in _image(container) for container in setup.containers
    )
    drivers = _GRPC_DRIVERS if grpc else _DRIVERS
    for container in setup.containers:
        driver = next((said for name, said in drivers.items() if name in _image(container)), "")
        if driver:
            return f"name the driver of {container.name}: {driver}"
    if grpc:
        return _GRPC
    raw = any(name in _image(container) for container in setup.containers for name in _RAW)
    return _TCP if raw else _EVERYBODY


def _words(setup: Setup) -> Iterator[str]:
    """Yield the words by which ports say what is spoken there (and probes that speak it)."""
    for container in setup.containers:
        for port in container.ports:
            yield from port.name.lower().split("-")
        for kind in ("readinessProbe", "livenessProbe"):
            if "grpc" in (setup.raw_of(container).get(kind) or {}):
                yield "grpc"
    for service in setup.services:
        for port in (service.get("spec") or {}).get("ports") or ():
            yield from str(port.get("name") or "").lower().split("-")
            yield str(port.get("appProtocol") or "").lower().rpartition("/")[2]


def _image(container: ServingContainer) -> str:
    return container.image.rpartition("/")[2].lower()
