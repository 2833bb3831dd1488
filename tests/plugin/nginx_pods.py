"""The right set-up with nginx before its app, the configuration in a ConfigMap."""

from typing import Any

from tests.plugin.manifests import Raw, right

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


def behind_nginx(
    data: dict[str, str],
    volume: Raw | None = None,
    mounts: list[Raw] | None = None,
    **container: Any,
) -> dict[str, Raw]:
    """Return it.

    Args:
        data: of the ConfigMap ``front``.
        volume: fields of the volume ``front``; default: the whole ConfigMap.
        mounts: of the container; default: the volume in place of /etc/nginx.
        container: further fields of nginx's container.
    """
    objects = right()
    objects["config"] = {
        "kind": "ConfigMap",
        "metadata": {"name": "front", "namespace": "shop"},
        "data": data,
    }
    pod = objects["deployment"]["spec"]["template"]["spec"]
    pod["volumes"] = [{"name": "front", **(volume or {"configMap": {"name": "front"}})}]
    pod["containers"].append(
        {
            "name": "nginx",
            "image": "registry.example/nginx:1",
            "volumeMounts": [
                {"name": "front", **mount} for mount in mounts or [{"mountPath": "/etc/nginx"}]
            ],
            **container,
        }
    )
    return objects
