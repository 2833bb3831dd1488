"""nginx's configuration: one server on loopback for each route, pools of kept connections."""

from collections.abc import Mapping
from typing import Final

from e2e.balancers.routes import Backend
from e2e.support import nginx

#: In the foreground, so that whoever started it ends it; workers write into root's folder.
_MAIN: Final = "user root;\ndaemon off;\n"


def config(ports: Mapping[Backend, int], *, folder: str) -> str:
    """Return the configuration.

    It never repeats a request (``proxy_next_upstream off``).

    Args:
        ports: on which to listen for each backend, none of them found by DNS: this nginx looks a
            name up once.
        folder: in which it may write.
    """
    parts = ["  proxy_next_upstream off;\n"]
    for backend, port in ports.items():
        servers = "".join(f" server {host}:{backend.port};" for host in backend.hosts)
        parts.append(
            f"  upstream {backend.word} {{{servers} keepalive 16; }}\n"
            f"  server {{ listen 127.0.0.1:{port};"
            f" location / {{ proxy_pass http://{backend.word}; }} }}\n"
        )
    return nginx.config("".join(parts), folder=folder, main=_MAIN)
