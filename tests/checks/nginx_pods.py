"""The right set-up with nginx before its app, the configuration in a ConfigMap."""

from typing import Any

from tests.checks.manifests import Raw
from tests.checks.proxy_pods import behind_proxy

COVERED = """
events {}
http {
  include mime.types;
  include conf.d/*.conf;
}
"""
SERVER = """
server {
  listen 8080;
  location / {
    error_page 418 = @draining;
    if (!-f /lossless/serving) { return 418; }
    proxy_pass http://127.0.0.1:8081;
  }
  location @draining {
    keepalive_timeout 0;
    proxy_pass http://127.0.0.1:8081;
  }
}
"""
BARE = "server { listen 8080; location / { proxy_pass http://127.0.0.1:8081; } }"
MAIN = "/etc/nginx/nginx.conf"


def behind_nginx(*arguments: Any, **more: Any) -> dict[str, Raw]:
    """Return it, with the arguments of ``behind_proxy`` after the folder."""
    objects = behind_proxy("nginx", MAIN.rpartition("/")[0], *arguments, **more)
    objects["llr"]["spec"]["close"] = [{"nginx": {}}]
    return objects


def reloaded(data: dict[str, str], reload: Raw | None = None, **container: Any) -> dict[str, Raw]:
    """Return a set-up whose nginx is reloaded in a drain."""
    objects = behind_nginx(data, **container)
    objects["llr"]["spec"]["close"] = [{"nginx": {"reload": reload or {}}}]
    return objects


def conf(http: str, main: str = "") -> dict[str, str]:
    """Return a whole configuration."""
    return {"nginx.conf": f"{main} http {{ {http} }}"}
