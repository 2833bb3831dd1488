"""Which clients there are, and what each of them speaks.

Not here, because they cannot be: curl over HTTP/2 (Debian 12's 7.88 fails with error 16 on the
second request of a connection that HTTP/2's preface has opened, rollout or not); h2load, which does
not reconnect over HTTP/2 at all, so that the first GOAWAY ends its run (nghttp2/nghttp2#1197).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from e2e.clients.order import Protocol


class Toolchain(StrEnum):
    """What builds and runs a client."""

    GO = "go"
    JAVA = "java"
    NODE = "node"
    PYTHON = "python"
    CURL = "curl"
    WRK = "wrk"


@dataclass(frozen=True, slots=True)
class Client:
    """One program."""

    name: str
    """As it calls itself in its reports."""
    toolchain: Toolchain
    main: str
    """What is started: a module, a class, a file; empty for Go's only program."""
    protocols: frozenset[Protocol]
    slow: bool = True
    """Whether it can wait for slow answers with its default settings."""


def _client(
    name: str, toolchain: Toolchain, main: str, *protocols: Protocol, slow: bool = True
) -> Client:
    return Client(name, toolchain, main, frozenset(protocols), slow)


CLIENTS: Final = (
    _client("Go net/http", Toolchain.GO, "", Protocol.H1, Protocol.H2),
    _client("HttpURLConnection", Toolchain.JAVA, "UrlConnection", Protocol.H1),
    _client("java.net.http", Toolchain.JAVA, "JdkClient", Protocol.H1),
    _client("Apache HttpClient", Toolchain.JAVA, "ApacheClient", Protocol.H1),
    _client("OkHttp", Toolchain.JAVA, "OkHttp", Protocol.H1, Protocol.H2),
    _client("Node http", Toolchain.NODE, "http.mjs", Protocol.H1),
    _client("Node fetch", Toolchain.NODE, "fetch.mjs", Protocol.H1),
    _client("Node http2", Toolchain.NODE, "http2.mjs", Protocol.H2),
    _client("requests", Toolchain.PYTHON, "requests_client", Protocol.H1),
    _client("httpx", Toolchain.PYTHON, "httpx_client", Protocol.H1, Protocol.H2),
    _client("aiohttp", Toolchain.PYTHON, "aiohttp_client", Protocol.H1),
    _client("grpcio", Toolchain.PYTHON, "grpc_client", Protocol.GRPC),
    _client("websockets", Toolchain.PYTHON, "websockets_client", Protocol.WEBSOCKET),
    _client("curl", Toolchain.CURL, "curl", Protocol.H1),
    _client("wrk", Toolchain.WRK, "wrk", Protocol.H1, slow=False),
)
