"""What must be said to nginx before it runs from a folder of its own beside others."""

from typing import Final

_PLACE: Final = """\
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log warn;
events {{ worker_connections 4096; }}
"""
#: Pools of kept connections need both lines of the proxy.
_HTTP: Final = """\
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  proxy_http_version 1.1;
  proxy_set_header Connection "";
"""


def config(http: str, *, folder: str, main: str = "") -> str:
    """Return a whole configuration.

    Args:
        http: what belongs into the ``http`` block; upstreams may keep connections.
        folder: in which it may write.
        main: what belongs before all blocks.
    """
    place = _PLACE.format(folder=folder)
    return f"{main}{place}http {{\n{_HTTP.format(folder=folder)}{http}}}\n"
