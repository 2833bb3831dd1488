"""The right set-up with Envoy before its app, the configuration in a ConfigMap."""

from typing import Any, Final

from tests.checks.manifests import Raw
from tests.checks.proxy_pods import behind_proxy

ADMIN: Final = """
admin:
  address: {socket_address: {address: 127.0.0.1, port_value: 9901}}
"""


def behind_envoy(
    text: str,
    *,
    driver: Raw | None = None,
    mounts: list[Raw] | None = None,
    **container: Any,
) -> dict[str, Raw]:
    """Return it.

    Args:
        text: of envoy.yaml.
        driver: default: Envoy's own admin port.
        mounts: of the ConfigMap ``front``; default: in place of /etc/envoy.
        container: further fields of Envoy's container.
    """
    objects = behind_proxy("envoy", "/etc/envoy", {"envoy.yaml": text}, None, mounts, **container)
    objects["llr"]["spec"]["close"] = [{"envoy": driver or {}}]
    return objects
