"""A set-up in which nothing is wrong, and what is to be changed to make it wrong."""

from copy import deepcopy
from typing import Any

from lossless.model.names import API_VERSION, KIND

Raw = dict[str, Any]
LABELS = {"app": "web"}


def right() -> dict[str, Raw]:
    """Return the objects of a set-up that ``check`` has nothing to say about, by short names."""
    return deepcopy(
        {
            "llr": {
                "apiVersion": API_VERSION,
                "kind": KIND,
                "metadata": {"name": "web", "namespace": "shop"},
                "spec": {
                    "targetRef": {"kind": "Deployment", "name": "web"},
                    "close": [{"middleware": {}}],
                },
            },
            "deployment": {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "metadata": {"name": "web", "namespace": "shop"},
                "spec": {
                    "replicas": 3,
                    "minReadySeconds": 10,
                    "selector": {"matchLabels": LABELS},
                    "strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
                    "template": {
                        "metadata": {"labels": LABELS},
                        "spec": {
                            "containers": [
                                {
                                    "name": "app",
                                    "image": "registry.example/app:1",
                                    "ports": [{"name": "http", "containerPort": 8080}],
                                    "readinessProbe": {"httpGet": {"path": "/", "port": "http"}},
                                }
                            ]
                        },
                    },
                },
            },
            "service": {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": {"name": "web", "namespace": "shop"},
                "spec": {"selector": LABELS, "ports": [{"port": 80, "targetPort": "http"}]},
            },
            "budget": {
                "apiVersion": "policy/v1",
                "kind": "PodDisruptionBudget",
                "metadata": {"name": "web", "namespace": "shop"},
                "spec": {"maxUnavailable": 1, "selector": {"matchLabels": LABELS}},
            },
            "namespace": {
                "kind": "Namespace",
                "metadata": {
                    "name": "shop",
                    "labels": {"elbv2.k8s.aws/pod-readiness-gate-inject": "enabled"},
                },
            },
        }
    )


def changed(path: str, value: Any) -> dict[str, Raw]:
    """Return the right set-up with the value at a dotted path replaced; None takes it away."""
    objects = right()
    *parents, last = path.split("/")
    place: Any = objects
    for part in parents:
        place = place[int(part)] if isinstance(place, list) else place.setdefault(part, {})
    if value is None:
        del place[last]
    else:
        place[int(last) if isinstance(place, list) else last] = value
    return objects


def added(name: str, raw: Raw) -> dict[str, Raw]:
    """Return the right set-up with one object more."""
    return right() | {name: raw}
