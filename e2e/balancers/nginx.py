"""nginx's configuration: one server on loopback for each route, pools of kept connections."""

from collections.abc import Mapping

from e2e.balancers.routes import Backend

_HEAD = """\
user root;
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  proxy_next_upstream off;
"""


def config(ports: Mapping[Backend, int], *, folder: str) -> str:
    """Return the configuration.

    It never repeats a request (``proxy_next_upstream off``).

    Args:
        ports: on which to listen for each backend, none of them found by DNS: this nginx looks a
            name up once.
        folder: in which it may write.
    """
    parts = [_HEAD.format(folder=folder)]
    for backend, port in ports.items():
        servers = "".join(f" server {host}:{backend.port};" for host in backend.hosts)
        parts.append(
            f"  upstream {backend.word} {{{servers} keepalive 16; }}\n"
            f"  server {{ listen 127.0.0.1:{port};"
            f" location / {{ proxy_pass http://{backend.word}; }} }}\n"
        )
    return "".join((*parts, "}\n"))
