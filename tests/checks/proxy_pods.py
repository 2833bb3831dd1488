"""The right set-up with a proxy before its app, the configuration in a ConfigMap."""

from typing import Any

from tests.checks.manifests import Raw, right


def behind_proxy(
    name: str,
    folder: str,
    data: dict[str, str],
    volume: Raw | None = None,
    mounts: list[Raw] | None = None,
    **container: Any,
) -> dict[str, Raw]:
    """Return it.

    Args:
        name: of the container.
        folder: in whose place the ConfigMap is mounted.
        data: of the ConfigMap ``front``.
        volume: fields of the volume ``front``; default: the whole ConfigMap.
        mounts: of the container; default: the volume in place of ``folder``.
        container: further fields of the proxy's container.
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
            "name": name,
            "image": f"registry.example/{name}:1",
            "volumeMounts": [
                {"name": "front", **mount} for mount in mounts or [{"mountPath": folder}]
            ],
            **container,
        }
    )
    return objects
