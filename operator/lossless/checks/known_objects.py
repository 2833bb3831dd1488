"""The objects that ``check`` and ``render`` look at, and the shape of every field that they read.

What has passed here can be asked without a second look: this is the one place that decides about
shapes. They follow Kubernetes' API reference, and take what its API server takes.
"""

from collections.abc import Mapping
from typing import Any, Final

from lossless.checks.shape import (
    Shape,
    anything,
    by_name,
    fields,
    flag,
    items,
    one_of,
    port,
    port_number,
    private_text,
    share,
    text,
    texts,
    whole,
)
from lossless.model.fields import InvalidSpec
from lossless.model.names import GROUP, KIND
from lossless.model.targets import named_by

#: By kind: the API groups that it is of. Knative has a ``Service``, too, and it is another one.
_APPS: Final = frozenset({"apps", "extensions"})
GROUPS: Final[Mapping[str, frozenset[str]]] = {
    KIND: frozenset({GROUP}),
    "Deployment": _APPS,
    "StatefulSet": _APPS,
    "DaemonSet": _APPS,
    "Service": frozenset({""}),
    "ConfigMap": frozenset({""}),
    "Namespace": frozenset({""}),
    "Ingress": frozenset({"networking.k8s.io", "extensions"}),
    "NetworkPolicy": frozenset({"networking.k8s.io", "extensions"}),
    "PodDisruptionBudget": frozenset({"policy"}),
    "HorizontalPodAutoscaler": frozenset({"autoscaling"}),
    "ScaledObject": frozenset({"keda.sh"}),
    "ServiceMonitor": frozenset({"monitoring.coreos.com"}),
    "PodMonitor": frozenset({"monitoring.coreos.com"}),
}
#: What to write in a kind's ``apiVersion``, where a group that is Kubernetes' own is not its own.
_USUAL_VERSIONS: Final = {
    "Deployment": "apps/v1",
    "StatefulSet": "apps/v1",
    "DaemonSet": "apps/v1",
    "Service": "v1",
    "ConfigMap": "v1",
    "Namespace": "v1",
    "Ingress": "networking.k8s.io/v1",
    "NetworkPolicy": "networking.k8s.io/v1",
    "PodDisruptionBudget": "policy/v1",
    "HorizontalPodAutoscaler": "autoscaling/v2",
}
_BUILT_IN: Final = frozenset(
    {"batch", *(group for kind in _USUAL_VERSIONS for group in GROUPS[kind])}
)
#: Those that a LosslessRollout names in ``spec.targetRef``.
WORKLOADS: Final = ("Deployment", "StatefulSet", "DaemonSet")

_NUMBER: Final = whole()
#: int64 of the API, but no pod outlives a century.
_SECONDS: Final = whole(0, 2**31 - 1)
_ID: Final = whole(0, 2**63 - 1)
_METADATA: Final = fields({"name": text, "namespace": text, "labels": texts, "annotations": texts})
_SELECTOR: Final = fields(
    {
        "matchLabels": texts,
        "matchExpressions": items(
            fields({"key": text, "operator": text, "values": items(text)}, "key", "operator")
        ),
    }
)
_HTTP: Final = fields(
    {
        "path": text,
        "port": port,
        "host": text,
        "scheme": text,
        "httpHeaders": items(fields({"name": text, "value": private_text}, "name")),
    },
    "port",
)
_TCP: Final = fields({"port": port, "host": text}, "port")
_HOOK: Final = fields(
    {
        "exec": fields({"command": items(text)}),
        "httpGet": _HTTP,
        "tcpSocket": _TCP,
        "sleep": fields({"seconds": _SECONDS}),
    }
)
_PROBE: Final = fields(
    {
        "httpGet": _HTTP,
        "tcpSocket": _TCP,
        "grpc": fields({"port": port_number, "service": text}, "port"),
        "exec": fields({"command": items(text)}),
        "periodSeconds": _NUMBER,
        "timeoutSeconds": _NUMBER,
    }
)
_USER: Final = fields({"runAsUser": _ID, "fsGroup": _ID, "windowsOptions": fields({})})
_RESOURCES: Final = by_name(anything)
_CONTAINER: Final = fields(
    {
        "name": text,
        "image": text,
        "command": items(text),
        "args": items(text),
        "env": items(fields({"name": text, "value": private_text}, "name")),
        "ports": items(
            fields({"name": text, "containerPort": port_number, "protocol": text}, "containerPort")
        ),
        "lifecycle": fields({"preStop": _HOOK}),
        "readinessProbe": _PROBE,
        "restartPolicy": text,
        "volumeMounts": items(
            fields(
                {"name": text, "mountPath": text, "subPath": text, "subPathExpr": text},
                *("name", "mountPath"),
            )
        ),
        "volumeDevices": items(fields({"name": text, "devicePath": text}, "name", "devicePath")),
        "securityContext": _USER,
        "resources": fields({"limits": _RESOURCES, "requests": _RESOURCES}),
    },
    "name",
)
_CONFIG_MAP: Final = fields(
    {"name": text, "items": items(fields({"key": text, "path": text}, "key", "path"))}
)
_VOLUME_FIELDS: Final = fields(
    {
        "name": text,
        "configMap": _CONFIG_MAP,
        "emptyDir": fields({"medium": text}),
        "projected": fields({"sources": items(fields({"configMap": _CONFIG_MAP}))}),
    },
    "name",
)


def _volume(value: Any, at: str) -> dict[str, Any]:
    """Return a volume; one without a source is an emptyDir (core/v1 SetDefaults_Volume)."""
    found: dict[str, Any] = _VOLUME_FIELDS(value, at)
    return found if len(found) > 1 else found | {"emptyDir": {}}


_TERM: Final = fields(
    {
        "matchExpressions": items(
            fields({"key": text, "operator": text, "values": items(text)}, "key", "operator")
        )
    }
)
_AFFINITY: Final = fields(
    {
        "nodeAffinity": fields(
            {
                "requiredDuringSchedulingIgnoredDuringExecution": fields(
                    {"nodeSelectorTerms": items(_TERM)}
                )
            }
        )
    }
)
_POD_SPEC: Final = fields(
    {
        "containers": items(_CONTAINER),
        "initContainers": items(_CONTAINER),
        "volumes": items(_volume),
        "hostNetwork": flag,
        "shareProcessNamespace": flag,
        "terminationGracePeriodSeconds": _SECONDS,
        "nodeSelector": texts,
        "affinity": _AFFINITY,
        "os": fields({"name": text}),
        "securityContext": _USER,
        "resources": fields({"limits": _RESOURCES, "requests": _RESOURCES}),
        "readinessGates": items(fields({"conditionType": text}, "conditionType")),
    },
    "containers",
)
_TEMPLATE: Final = fields({"metadata": _METADATA, "spec": _POD_SPEC}, "spec")
_STRATEGY: Final = fields(
    {
        "type": one_of("RollingUpdate", "Recreate"),
        "rollingUpdate": fields({"maxSurge": share, "maxUnavailable": share}),
    }
)
_REFERENCE: Final = fields({"apiVersion": text, "kind": text, "name": text})
_ENDPOINTS: Final = items(fields({"port": text, "targetPort": port}))
_BACKEND: Final = fields({"service": fields({"name": text}), "serviceName": text})


_NAMED: Final = fields({"metadata": _METADATA})


def _object(spec: Shape, *required: str) -> Shape:
    return fields({"metadata": _METADATA, "spec": spec}, "metadata", *required)


def _workload(**more: Shape) -> Shape:
    return fields(
        {"metadata": _METADATA, "spec": fields({"template": _TEMPLATE, **more}, "template")}, "spec"
    )


_USUAL: Final = ("spec", "template")
_CRON_JOB: Final = ("spec", "jobTemplate", *_USUAL)
#: Of kinds that other controllers make pods of, if those carry our label.
_OTHERS: Final[Mapping[str, Shape]] = {
    "Pod": _object(_POD_SPEC, "spec"),
    "CronJob": _object(fields({"jobTemplate": _workload()}), "spec"),
}
_OTHER: Final = _workload(replicas=_NUMBER)
_SHAPES: Final[Mapping[str, Shape]] = {
    # What it asks for is the policy's to judge, which names a field as precisely (LL101).
    KIND: _object(fields({"targetRef": _REFERENCE}), "spec"),
    "Deployment": _workload(
        replicas=_NUMBER,
        strategy=_STRATEGY,
        progressDeadlineSeconds=_NUMBER,
        minReadySeconds=_NUMBER,
        paused=flag,
    ),
    "StatefulSet": _workload(replicas=_NUMBER, serviceName=text),
    "DaemonSet": _workload(),
    "Service": _object(
        fields(
            {
                "selector": texts,
                "ports": items(
                    fields(
                        {
                            "name": text,
                            "port": port_number,
                            "targetPort": port,
                            "protocol": text,
                            "appProtocol": text,
                        },
                        "port",
                    )
                ),
                "type": text,
                "clusterIP": text,
                "loadBalancerClass": text,
                "publishNotReadyAddresses": flag,
                "externalTrafficPolicy": text,
                "sessionAffinity": text,
            }
        )
    ),
    "ConfigMap": fields({"metadata": _METADATA, "data": texts}, "metadata"),
    "Namespace": fields({"metadata": _METADATA}, "metadata"),
    "Ingress": _object(
        fields(
            {
                "defaultBackend": _BACKEND,
                "rules": items(
                    fields({"http": fields({"paths": items(fields({"backend": _BACKEND}))})})
                ),
            }
        )
    ),
    "NetworkPolicy": _object(
        fields(
            {
                "podSelector": _SELECTOR,
                "policyTypes": items(text),
                "ingress": items(
                    fields(
                        {
                            "ports": items(
                                fields({"port": port, "endPort": port_number, "protocol": text})
                            )
                        }
                    )
                ),
            }
        )
    ),
    "PodDisruptionBudget": _object(
        fields({"selector": _SELECTOR, "minAvailable": share, "maxUnavailable": share})
    ),
    "HorizontalPodAutoscaler": _object(
        fields(
            {
                "scaleTargetRef": _REFERENCE,
                "minReplicas": _NUMBER,
                "metrics": items(
                    fields(
                        {
                            "type": text,
                            "external": fields({"target": fields({"type": text})}),
                            "object": fields({"target": fields({"type": text})}),
                        }
                    )
                ),
            }
        )
    ),
    "ScaledObject": _object(
        fields(
            {
                "scaleTargetRef": _REFERENCE,
                "minReplicaCount": _NUMBER,
                "triggers": items(fields({"type": text, "metricType": text})),
            }
        )
    ),
    "ServiceMonitor": _object(fields({"selector": _SELECTOR, "endpoints": _ENDPOINTS})),
    "PodMonitor": _object(fields({"selector": _SELECTOR, "podMetricsEndpoints": _ENDPOINTS})),
}


def is_a(raw: Mapping[str, Any], kind: str) -> bool:
    """Return whether an object is of a kind of ``GROUPS``.

    The API server leaves ``apiVersion`` out in a list's items; they are what was asked for.
    """
    if raw.get("kind") != kind:
        return False
    version = raw.get("apiVersion")
    group = version.rpartition("/")[0] if isinstance(version, str) else ""
    return version is None or group in GROUPS[kind]


def is_workload(raw: Mapping[str, Any]) -> bool:
    """Return whether a LosslessRollout may name an object in ``spec.targetRef``."""
    return any(is_a(raw, kind) for kind in WORKLOADS)


def template_of(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the pod template of an object of any kind, of whatever shape; empty if it has none.

    A Pod is its own; a CronJob has its Job's.
    """
    if raw.get("kind") == "Pod":
        return raw
    path = _CRON_JOB if raw.get("kind") == "CronJob" else _USUAL
    found: Any = raw
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def carried_label(raw: Mapping[str, Any]) -> str:
    """Return the LosslessRollout that an object's pod template names by label; empty if none."""
    metadata = template_of(raw).get("metadata")
    labels = metadata.get("labels") if isinstance(metadata, Mapping) else None
    return named_by({"metadata": {"labels": labels}}) if isinstance(labels, Mapping) else ""


def read_object(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object as everything that looks at it may rely on it to be.

    Raises:
        InvalidSpec: a field that is looked at has not the shape that it has to have.
    """
    version = raw.get("apiVersion")
    if version is not None and not isinstance(version, str):
        raise InvalidSpec("apiVersion", version, "must be a text, such as apps/v1")
    kind = next((kind for kind in _SHAPES if is_a(raw, kind)), "")
    usual = _USUAL_VERSIONS.get(raw["kind"])
    if usual and not kind and str(version).rpartition("/")[0] in _BUILT_IN:
        raise InvalidSpec("apiVersion", version, f"has no {raw['kind']}; write {usual}")
    shape = _SHAPES.get(kind)
    if shape is None and carried_label(raw):
        shape = _OTHERS.get(raw["kind"], _OTHER)
    found: dict[str, Any] = (shape or _NAMED)(raw, "")
    return found
