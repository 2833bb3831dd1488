"""The agent's container as it stands in a pod.

Everything the API server would default is written out: between two admission passes it fills in
defaults, and the second pass must recognise its own work.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from lossless.injection.admission_pod import AdmissionPod
from lossless.injection.agent_settings import AgentSettings
from lossless.model.drain.agent_config import AgentConfig
from lossless.model.names import (
    AGENT_COMMAND,
    AGENT_CONTAINER,
    AGENT_PORT_NAME,
    CONFIG_ENV,
    DRAIN_COMMAND,
    HOST_IPS_ENV,
    POD_IP_ENV,
    POD_NAME_ENV,
    POD_NAMESPACE_ENV,
    POD_UID_ENV,
    PRIVATE_MOUNT,
    PRIVATE_VOLUME,
    SHARED_MOUNT,
    SHARED_VOLUME,
    TERMINATION_LOG,
    TOKEN_MOUNT,
)


def agent_container(
    settings: AgentSettings,
    config: AgentConfig,
    pod: AdmissionPod,
    mounts: Iterable[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """Return the container, fit for the ``restricted`` Pod Security level.

    Args:
        settings: image, resources and user of the installation.
        config: what the agent is told.
        pod: that it goes into, whose QoS class must stay what it is.
        mounts: volumes of the pod that it needs, beside ours.
    """
    container: dict[str, Any] = {
        "name": AGENT_CONTAINER,
        "image": settings.image,
        "imagePullPolicy": settings.pull_policy,
        "command": list(AGENT_COMMAND),
        "restartPolicy": "Always",
        "env": [
            {"name": CONFIG_ENV, "value": config.to_json()},
            _downward(POD_NAME_ENV, "metadata.name"),
            _downward(POD_NAMESPACE_ENV, "metadata.namespace"),
            _downward(POD_UID_ENV, "metadata.uid"),
            _downward(POD_IP_ENV, "status.podIP"),
            _downward(HOST_IPS_ENV, "status.hostIPs"),
        ],
        "ports": [_port(config)],
        "lifecycle": {"preStop": {"exec": {"command": list(DRAIN_COMMAND)}}},
        "securityContext": _security_context(settings),
        "terminationMessagePath": TERMINATION_LOG,
        "terminationMessagePolicy": "File",
        "volumeMounts": [
            {"name": SHARED_VOLUME, "mountPath": SHARED_MOUNT},
            {"name": PRIVATE_VOLUME, "mountPath": PRIVATE_MOUNT},
            # It needs no token, and so none is put there.
            {"name": SHARED_VOLUME, "mountPath": TOKEN_MOUNT, "readOnly": True},
            *(dict(mount) for mount in mounts),
        ],
    }
    resources = _resources(settings, pod)
    if resources:
        container["resources"] = resources
    return container


def _security_context(settings: AgentSettings) -> dict[str, Any]:
    ids = {"runAsGroup": settings.run_as_group, "runAsUser": settings.run_as_user}
    return {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "privileged": False,
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
        **{key: number for key, number in ids.items() if number is not None},
    }


def _port(config: AgentConfig) -> dict[str, Any]:
    number = config.agent_port
    port = {"name": AGENT_PORT_NAME, "containerPort": number, "protocol": "TCP"}
    # What the API server would default; the scheduler keeps two of the same off one node.
    return port | ({"hostPort": number} if config.host_network else {})


def _downward(name: str, field: str) -> dict[str, Any]:
    return {"name": name, "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": field}}}


def _resources(settings: AgentSettings, pod: AdmissionPod) -> dict[str, Any]:
    if pod.has_budget:
        # The pod has a budget as a whole (KEP-2837), which the requests of its containers must
        # not exceed: one more of them could make the API server refuse the pod.
        return {}
    request, limit = settings.cpu_request, settings.cpu_limit
    if pod.guaranteed:
        request = limit = settings.cpu_limit or settings.cpu_guaranteed
    return {
        "requests": {"cpu": request, "memory": settings.memory},
        "limits": {"memory": settings.memory} | ({"cpu": limit} if limit else {}),
    }
