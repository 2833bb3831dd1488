"""What serves the clients of a pod, a proxy or an app itself, and what Lossless is told of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from e2e.clients.order import Protocol

_ENVOY: Final = (
    *("/opt/proof/bin/envoy", "-c", "/srv/proof/envoy.yaml", "--concurrency", "1"),
    *("--disable-hot-restart", "--log-level", "warning"),
)
_NGINX: Final = ("nginx", "-e", "stderr", "-c")
#: A current one; the other is Debian's.
_NGINX_H2: Final = ("/opt/proof/bin/nginx", "-e", "stderr", "-c")
_PYTHON: Final = "/opt/proof/bin/python"
_UVICORN: Final = (
    *(_PYTHON, "-m", "uvicorn", "--app-dir", "/srv/proof", "--host", "0.0.0.0", "--port", "8080"),  # noqa: S104 # a pod's address is not known before
    *("--lifespan", "off", "--ws", "websockets-sansio", "--timeout-keep-alive", "75"),
    *("--log-level", "warning"),
)
_AIOHTTP: Final = (_PYTHON, "/srv/proof/aiohttp_app.py")


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
    drain: Mapping[str, str] = field(default_factory=dict)
    """Fields of ``spec.drain`` that it needs otherwise than the others."""
    alone: bool = False
    """It is the app itself: nothing stands behind it."""

    @property
    def echoes(self) -> tuple[Echo, ...]:
        """Return the apps that its protocols need."""
        if self.alone:
            return ()
        needed = {Protocol.GRPC: Echo.GRPC, Protocol.WEBSOCKET: Echo.WEBSOCKET}
        return tuple(echo for protocol, echo in needed.items() if protocol in self.protocols)


# A master process: as process 1 without one, HAProxy 2.6 takes no notice of SIGTERM.
_HAPROXY: Final = ("haproxy", "-W", "-db", "-f", "/srv/proof/haproxy.cfg")

NGINX: Final = Proxy(
    name="nginx",
    protocols=(Protocol.H1, Protocol.WEBSOCKET),
    plain=(*_NGINX, "/srv/proof/nginx/plain.conf"),
    lossless=(*_NGINX, "/srv/proof/nginx/lossless.conf"),
    rollout={"close": [{"nginx": {}}]},
)
NGINX_H2: Final = Proxy(
    name="nginx-h2",
    protocols=(Protocol.H1, Protocol.H2, Protocol.GRPC, Protocol.WEBSOCKET),
    plain=(*_NGINX_H2, "/srv/proof/nginx/h2-plain.conf"),
    lossless=(*_NGINX_H2, "/srv/proof/nginx/h2-lossless.conf"),
    rollout={
        "close": [
            {
                "nginx": {
                    "http2": {
                        "reload": "AfterPropagation",
                        "container": "nginx-h2",
                        "command": ["kill", "-HUP", "1"],
                    }
                }
            }
        ],
    },
    # This build has no stub_status, and to the kernel a stream that goes on after a GOAWAY looks
    # idle. All clients here close connections that they have been told to leave.
    drain={"idleConnections": "Wait"},
)
#: The same with nothing in its locations: reloads tell clients of every protocol.
NGINX_RELOAD: Final = replace(
    NGINX_H2,
    name="nginx-reload",
    lossless=(*_NGINX_H2, "/srv/proof/nginx/h2-reload.conf"),
    rollout={"close": [{"nginx": {"reload": {}}}]},
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
UVICORN: Final = Proxy(
    name="uvicorn",
    protocols=(Protocol.H1, Protocol.WEBSOCKET),
    plain=(*_UVICORN, "asgi_app:plain"),
    lossless=(*_UVICORN, "asgi_app:lossless"),
    rollout={"close": [{"middleware": {}}]},
    alone=True,
)
AIOHTTP: Final = Proxy(
    name="aiohttp",
    protocols=(Protocol.H1,),
    plain=_AIOHTTP,
    lossless=(*_AIOHTTP, "lossless"),
    rollout={"close": [{"middleware": {}}]},
    alone=True,
)
PROXIES: Final = {
    proxy.name: proxy for proxy in (NGINX, NGINX_H2, NGINX_RELOAD, ENVOY, HAPROXY, UVICORN, AIOHTTP)
}
