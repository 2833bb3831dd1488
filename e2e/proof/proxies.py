"""What may stand before the apps of a pod, and what Lossless is told about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from e2e.clients.order import Protocol

_ENVOY: Final = (
    *("/opt/proof/bin/envoy", "-c", "/srv/proof/envoy.yaml", "--concurrency", "1"),
    *("--disable-hot-restart", "--log-level", "warning"),
)
_NGINX: Final = ("nginx", "-e", "stderr", "-c")


class Echo(StrEnum):
    """An app beside the HTTP/1.1 one, in a container of this name."""

    GRPC = "grpc"
    WEBSOCKET = "websocket"


@dataclass(frozen=True, slots=True)
class Proxy:
    """One front of the pods."""

    name: str
    """Also its container's."""
    protocols: tuple[Protocol, ...]
    plain: tuple[str, ...]
    """The command as it is without Lossless."""
    lossless: tuple[str, ...]
    """The command with what the README asks of the user; often the same."""
    rollout: Mapping[str, Any]
    """``spec`` of the LosslessRollout, its target and drain apart."""
    left_out: Mapping[Protocol, str] = field(default_factory=dict)
    """Protocols that it speaks without being able to say goodbye, each with the reason."""

    @property
    def echoes(self) -> tuple[Echo, ...]:
        """Return the apps that its protocols need."""
        needed = {Protocol.GRPC: Echo.GRPC, Protocol.WEBSOCKET: Echo.WEBSOCKET}
        return tuple(echo for protocol, echo in needed.items() if protocol in self.protocols)


_HAPROXY: Final = ("haproxy", "-db", "-f", "/srv/proof/haproxy.cfg")

NGINX: Final = Proxy(
    name="nginx",
    protocols=(Protocol.H1, Protocol.WEBSOCKET),
    plain=(*_NGINX, "/srv/proof/nginx/plain.conf"),
    lossless=(*_NGINX, "/srv/proof/nginx/lossless.conf"),
    rollout={"close": [{"nginx": {}}]},
)
ENVOY: Final = Proxy(
    name="envoy",
    protocols=(Protocol.H1, Protocol.H2, Protocol.GRPC, Protocol.WEBSOCKET),
    plain=_ENVOY,
    lossless=_ENVOY,
    rollout={
        "close": [{"envoy": {"adminPort": 9901}}],
    },
)
HAPROXY: Final = Proxy(
    name="haproxy",
    protocols=(Protocol.H1, Protocol.WEBSOCKET),
    plain=_HAPROXY,
    lossless=_HAPROXY,
    rollout={
        "close": [{"haproxy": {"port": 9999}}],
    },
    left_out={
        Protocol.H2: "no rule of HAProxy sends a GOAWAY (haproxy/haproxy#969), only a reload does; "
        "busy clients stay until the drain's timeout",
    },
)
PROXIES: Final = {proxy.name: proxy for proxy in (NGINX, ENVOY, HAPROXY)}
