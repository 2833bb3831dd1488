"""The right set-up with HAProxy before its app, the configuration in a ConfigMap."""

from typing import Any, Final

from tests.checks.manifests import Raw
from tests.checks.proxy_pods import behind_proxy

FOLDER: Final = "/usr/local/etc/haproxy"
RULE: Final = (
    "http-after-response set-header Connection close if { var(proc.drain) -m bool } !{ status 101 }"
)
GLOBAL: Final = """
global
    stats socket ipv4@127.0.0.1:9999 level admin
"""
DEFAULTS: Final = """
defaults
    mode http
"""
WEB: Final = f"""
frontend web
    bind :8080
    {RULE}
    default_backend app
"""
APP: Final = """
backend app
    server app 127.0.0.1:8081
"""
BARE: Final = WEB.replace(RULE, "")
COVERED: Final = GLOBAL + DEFAULTS + WEB + APP


def behind_haproxy(
    text: str,
    *,
    driver: Raw | None = None,
    mounts: list[Raw] | None = None,
    pod: Raw | None = None,
    **container: Any,
) -> dict[str, Raw]:
    """Return it.

    Args:
        text: of haproxy.cfg.
        driver: default: HAProxy is asked at port 9999.
        mounts: of the ConfigMap ``front``; default: in place of the folder of the official image.
        pod: further fields of the pod's spec.
        container: further fields of HAProxy's container.
    """
    objects = behind_proxy("haproxy", FOLDER, {"haproxy.cfg": text}, None, mounts, **container)
    objects["llr"]["spec"]["close"] = [{"haproxy": driver or {"port": 9999}}]
    objects["deployment"]["spec"]["template"]["spec"].update(pod or {})
    return objects
