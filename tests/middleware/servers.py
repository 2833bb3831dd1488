"""Servers as processes, as a user starts them, and a client that keeps its connection."""

import os
import socket
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from lossless.model.names import STATUS_FILE_ENV
from tests.middleware.apps import BODY
from tests.support.free_ports import free_port, listens
from tests.support.waiting import PATIENCE, eventually_sync

ROOT = Path(__file__).parents[2]
_APPS: Final = "tests.middleware.apps"
_CHEROOT: Final = (
    "import sys; from cheroot.wsgi import Server; from tests.middleware.apps import wsgi_app; "
    "Server(('127.0.0.1', int(sys.argv[1])), wsgi_app).start()"
)
_GEVENT: Final = (
    "import sys; from gevent.pywsgi import WSGIServer; from tests.middleware.apps import wsgi_app; "
    "WSGIServer(('127.0.0.1', int(sys.argv[1])), wsgi_app).serve_forever()"
)
_WSGIREF: Final = (
    "import sys; from wsgiref.simple_server import make_server; "
    "from tests.middleware.apps import wsgi_app; "
    "make_server('127.0.0.1', int(sys.argv[1]), wsgi_app).serve_forever()"
)
_AIOHTTP: Final = (
    "import asyncio, sys; from tests.middleware.apps import serve_aiohttp; "
    "asyncio.run(serve_aiohttp(int(sys.argv[1])))"
)
# By default it closes an idle connection after 2 s, which a test could take for an answer to close.
_GUNICORN: Final = ("-m", "gunicorn", "--keep-alive=60", "--bind=127.0.0.1:{port}")

#: What the interpreter is given; ``{port}`` and ``{app}`` are filled in.
COMMANDS: Final[dict[str, tuple[str, ...]]] = {
    "uvicorn-h11": ("-m", "uvicorn", "--http=h11", "--port={port}", "{app}"),
    "uvicorn-httptools": ("-m", "uvicorn", "--http=httptools", "--port={port}", "{app}"),
    "hypercorn": ("-m", "hypercorn", "--bind=127.0.0.1:{port}", "{app}"),
    "granian-asgi": ("-m", "granian", "--interface=asgi", "--port={port}", "{app}"),
    "granian-wsgi": ("-m", "granian", "--interface=wsgi", "--port={port}", "{app}"),
    "gunicorn-asgi": (*_GUNICORN, "-k=asgi", "{app}"),
    "gunicorn-gthread": (*_GUNICORN, "-k=gthread", "{app}"),
    "gunicorn-sync": (*_GUNICORN, "-k=sync", "{app}"),
    "waitress": ("-m", "waitress", "--listen=127.0.0.1:{port}", "{app}"),
    "cheroot": ("-c", _CHEROOT, "{port}"),
    "gevent": ("-c", _GEVENT, "{port}"),
    "wsgiref": ("-c", _WSGIREF, "{port}"),
    "aiohttp": ("-c", _AIOHTTP, "{port}"),
}


class ServerProcess:
    """One server with one application, and the directory that its agent would share with it."""

    def __init__(self, root: Path, server: str, app: str = "asgi_app") -> None:
        """Make the directory; the pod serves.

        Args:
            root: of this test.
            server: a key of ``COMMANDS``.
            app: its name in ``tests.middleware.apps``.
        """
        self.status_file = root / "lossless" / "serving"
        self.status_file.parent.mkdir()
        self.status_file.touch()
        self.told = root / "told"
        self._log = root / "log"
        self.port = free_port()
        filled = (
            word.format(port=self.port, app=f"{_APPS}:{app}") if "{" in word else word
            for word in COMMANDS[server]
        )
        self._command = [sys.executable, *filled]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        """Everything it has written."""
        return self._log.read_text()

    def connect(self) -> "KeepAliveClient":
        """Return a client with one connection to it."""
        return KeepAliveClient(self.port)

    def __enter__(self) -> Self:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 # this interpreter, a server of ours
                self._command,
                cwd=ROOT,
                env={
                    "PATH": os.environ["PATH"],
                    "PYTHONPATH": os.pathsep.join(["operator", ".", *sys.path[1:]]),
                    STATUS_FILE_ENV: str(self.status_file),
                    "TOLD": str(self.told),
                },
                stdout=log,
                stderr=log,
            )
        eventually_sync(self._listens, "the server listens")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process is not None
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)

    def _listens(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log
        return listens(self.port)


class KeepAliveClient:
    """Sends requests over one connection and never closes it itself."""

    def __init__(self, port: int) -> None:
        """Connect."""
        self._socket = socket.create_connection(("127.0.0.1", port), PATIENCE)

    def ask(self, path: str = "/") -> list[str]:
        """Return what the answer says about the connection, in lower case.

        Raises:
            AssertionError: there was no answer, or not the app's.
        """
        self._socket.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        received = b""
        while not received.endswith(BODY):
            more = self._socket.recv(65536)
            assert more, f"the connection has ended after {received!r}"
            received += more
        status, *headers = received.split(b"\r\n\r\n")[0].decode().lower().split("\r\n")
        assert " 200" in status
        return [line for line in headers if line.startswith(("connection:", "keep-alive:"))]

    def is_closed_by_the_server(self) -> bool:
        """Return whether the server ends the connection now, not after some time of idleness."""
        self._socket.settimeout(1.0)
        try:
            return self._socket.recv(1) == b""
        except TimeoutError:
            return False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.close()
