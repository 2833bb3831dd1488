"""Good manifests with everything that ``check`` and ``render`` look at, spoilt in one place."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any, Final

from hypothesis import strategies as some

from lossless.model.names import API_VERSION, KIND
from tests.checks.haproxy_pods import COVERED
from tests.checks.manifests import LABELS, right

Raw = dict[str, Any]
Path = tuple[str | int, ...]

_SHOP: Final = {"name": "web", "namespace": "shop"}
_PROBE: Final = {"httpGet": {"path": "/", "port": "http", "host": "h"}, "periodSeconds": 3}


def _container(name: str, **more: Any) -> Raw:
    return {
        "name": name,
        "image": f"registry.example/{name}:1",
        "command": ["/bin/run"],
        "args": ["-f", "/usr/local/etc/haproxy/haproxy.cfg"],
        "env": [{"name": "A", "value": "b"}],
        "ports": [{"name": name[:3], "containerPort": 9000 + len(name), "protocol": "TCP"}],
        "readinessProbe": _PROBE,
        "volumeMounts": [{"name": "front", "mountPath": "/usr/local/etc/haproxy", "subPath": ""}],
        "securityContext": {"runAsUser": 1000},
        "resources": {"limits": {"cpu": 1, "memory": "1Mi"}, "requests": {"cpu": "1"}},
        **more,
    }


def _pod() -> Raw:
    return {
        "containers": [
            _container("app", ports=[{"name": "http", "containerPort": 8080}])
            | {"lifecycle": {"preStop": {"exec": {"command": ["sh", "-c", "sleep 5"]}}}},
            _container("haproxy", lifecycle={"preStop": {"sleep": {"seconds": 20}}}),
            _container("envoy", readinessProbe={"grpc": {"port": 9901}})
            | {"lifecycle": {"preStop": {"httpGet": {"path": "/x", "port": 80, "scheme": "HTTP"}}}},
            _container("other", readinessProbe={"tcpSocket": {"port": 80}})
            | {"lifecycle": {"preStop": {"exec": {"command": ["sleep", "25"]}}}},
        ],
        "initContainers": [_container("side", restartPolicy="Always"), _container("first")],
        "volumes": [
            {"name": "front", "configMap": {"name": "front"}},
            {"name": "run", "emptyDir": {"medium": "Memory"}},
            {
                "name": "all",
                "projected": {
                    "sources": [
                        {"configMap": {"name": "front", "items": [{"key": "k", "path": "p"}]}}
                    ]
                },
            },
        ],
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "affinity": {
            "nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {
                    "nodeSelectorTerms": [
                        {
                            "matchExpressions": [
                                {"key": "kubernetes.io/os", "operator": "In", "values": ["linux"]}
                            ]
                        }
                    ]
                }
            }
        },
        "os": {"name": "linux"},
        "securityContext": {"fsGroup": 1},
        "hostNetwork": False,
        "terminationGracePeriodSeconds": 30,
        "readinessGates": [{"conditionType": "example.org/x"}],
    }


def good() -> list[Raw]:
    """Return objects of every kind that is looked at, and of one that is not."""
    objects = right()
    objects["llr"]["spec"] |= {
        "ports": ["http", 9000],
        "close": [
            {"nginx": {"http2": {"reload": "AfterPropagation"}}},
            {"haproxy": {"port": 9999}},
            {"envoy": {}},
            {"http": {"port": 80, "headers": [{"name": "A", "value": "b"}]}},
        ],
        "drain": {"timeout": "5m"},
        "metrics": [{"prometheus": {"port": 80, "metric": "m", "labels": {"a": "b"}}}],
        "sidecars": {"order": "Sleep", "sleep": "5s"},
        "statusFlag": {"draining": {"status": 503, "body": "no"}},
        "pacing": {"maxDraining": "50%"},
    }
    objects["llr"]["metadata"]["annotations"] = {"lossless.dev/accept-findings": "LL104"}
    template = objects["deployment"]["spec"]["template"]
    template["metadata"]["annotations"] = {
        "prometheus.io/port": "9090",
        "lossless.dev/agent-port": "9914",
        "lossless.dev/hold.app": "File",
        "traffic.sidecar.istio.io/excludeInboundPorts": "1-2,3",
    }
    template["spec"] = _pod()
    objects["service"]["metadata"]["annotations"] = {
        "service.beta.kubernetes.io/aws-load-balancer-type": "external",
        "service.beta.kubernetes.io/azure-load-balancer-tcp-idle-timeout": "4",
        "service.beta.kubernetes.io/alibaba-cloud-loadbalancer-connection-drain-timeout": "10",
    }
    objects["service"]["spec"] |= {"type": "LoadBalancer", "sessionAffinity": "None"}
    objects["namespace"]["metadata"]["labels"] = {"istio-injection": "enabled"}
    argo = deepcopy(objects["deployment"]) | {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "metadata": {"name": "argo", "namespace": "shop"},
    }
    argo["spec"]["template"]["metadata"]["labels"] = {"lossless.dev/rollout": "pods"}
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    return [
        *objects.values(),
        argo,
        {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "metadata": {"name": "pods", "namespace": "shop"},
            "spec": {"targetRef": {"apiVersion": "v1", "kind": "Pod"}},
        },
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "front", "namespace": "shop"},
            "data": {"haproxy.cfg": COVERED},
        },
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": _SHOP | {"annotations": {"alb.ingress.kubernetes.io/target-type": "ip"}},
            "spec": {
                "defaultBackend": {"service": {"name": "web"}},
                "rules": [{"http": {"paths": [{"backend": {"service": {"name": "web"}}}]}}],
            },
        },
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": _SHOP,
            "spec": {
                "podSelector": {
                    "matchExpressions": [{"key": "app", "operator": "In", "values": ["web"]}]
                },
                "policyTypes": ["Ingress"],
                "ingress": [{"ports": [{"port": 1, "endPort": 2, "protocol": "TCP"}]}],
            },
        },
        {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": _SHOP,
            "spec": {
                "scaleTargetRef": reference,
                "minReplicas": 2,
                "metrics": [{"type": "External", "external": {"target": {"type": "Value"}}}],
            },
        },
        {
            "apiVersion": "keda.sh/v1alpha1",
            "kind": "ScaledObject",
            "metadata": _SHOP,
            "spec": {
                "scaleTargetRef": {"name": "web"},
                "minReplicaCount": 2,
                "triggers": [{"type": "cron", "metricType": "Value"}],
            },
        },
        {
            "apiVersion": "monitoring.coreos.com/v1",
            "kind": "ServiceMonitor",
            "metadata": _SHOP,
            "spec": {
                "selector": {"matchLabels": LABELS},
                "endpoints": [{"port": "metrics", "targetPort": 9090}],
            },
        },
        {"apiVersion": "batch/v1", "kind": "Job", "metadata": _SHOP, "spec": {"template": {}}},
    ]


def paths(tree: Any, at: Path = ()) -> Iterator[Path]:
    """Yield the place of every node of a tree, the tree itself apart."""
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree)
    for key, value in inner:
        yield (*at, key)
        if isinstance(value, dict | list):
            yield from paths(value, (*at, key))


def spoilt(objects: list[Raw], path: Path, value: Any) -> list[Raw]:
    """Return the objects with another value at a place; ``...`` takes what is there away."""
    found = deepcopy(objects)
    place: Any = found
    for step in path[:-1]:
        place = place[step]
    if value is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return found


PLACES: Final = tuple(paths(good()))
_SCALARS: Final = (
    some.none()
    | some.booleans()
    | some.integers(-(10**20), 10**20)
    | some.floats(allow_nan=False, allow_infinity=False)
    | some.text(max_size=8)
    | some.sampled_from(
        [
            *("{{ .Values.x }}", "60", "25%", "-1%", "9" * 5000, "²", "٣", "None", "true", "0"),
            *("1-", "-", ",", "=", "/", "", "Recreate", "RollingUpdate", "http", "x" * 70, "$("),
            *(0, -1, 1, 65536, 2**31, 2**63, "sh -c 'nginx -s quit", "a: {", "LL104,,LL999"),
        ]
    )
)
VALUES: Final = some.just(...) | some.recursive(
    _SCALARS,
    lambda inner: (
        some.lists(inner, max_size=3)
        | some.dictionaries(
            some.sampled_from(["name", "kind", "spec", "items", "x", "1"]), inner, max_size=3
        )
    ),
    max_leaves=5,
)
