"""The sample's Kubernetes objects: the same Deployment, stopped in three ways."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from lossless.model import names
from lossless.model.targets import Kind

NAME: Final = "web"
HTTP_PORT: Final = 8080
APP_PORT: Final = 8081
STORE_PORT: Final = 5432
NGINX: Final = "nginx"
APP: Final = "app"
#: The environment variable whose change makes a rollout.
VERSION: Final = "VERSION"

Manifest = dict[str, Any]


class Variant(StrEnum):
    """What happens when a pod of the sample is asked to stop."""

    PLAIN = "plain"
    """Nothing: SIGTERM to both containers at once."""
    SLEEP = "sleep"
    """What most people do: a preStop sleep, nginx 10 s, the app behind it 12 s."""
    LOSSLESS = "lossless"
    """nginx with the close-frame snippet, for a LosslessRollout to work with."""


_SLEEP: Final[Mapping[str, int]] = {NGINX: 10, APP: 12}


@dataclass(frozen=True, slots=True)
class Sample:
    """One deployment of the sample service."""

    image: str
    variant: Variant
    replicas: int = 3
    version: str = "v1"
    liveness: bool = False
    """Whether the app is restarted when ``/alive`` fails once."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Further environment of the app."""
    containers: Mapping[str, Manifest] = field(default_factory=dict)
    """Fields of nginx and the app in place of those here, and whole further containers: by name."""
    pod: Manifest = field(default_factory=dict)
    """Further fields of the pod's spec."""

    def objects(self) -> list[Manifest]:
        """Return the Service and the Deployment."""
        return [_service(), self.deployment()]

    def workload(self, kind: Kind) -> Manifest:
        """Return the same pods as a workload of another kind; for ``Pod``, as an orphan's owner.

        A ReplicaSet of nobody stands for the controllers that are not Kubernetes' own.
        """
        manifest = self.deployment()
        spec: Manifest = manifest["spec"]
        match kind:
            case Kind.DEPLOYMENT:
                return manifest
            case Kind.STATEFUL_SET:
                spec |= {"serviceName": NAME, "podManagementPolicy": "Parallel"}
            case Kind.DAEMON_SET:
                del spec["replicas"]
            case Kind.POD:
                template = spec["template"]["metadata"]
                template["labels"] = template["labels"] | {names.ROLLOUT_LABEL: NAME}
        del spec["strategy"]
        return manifest | {"kind": "ReplicaSet" if kind is Kind.POD else kind.value}

    def deployment(self) -> Manifest:
        """Return the Deployment."""
        labels = {"app": NAME}
        return {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": NAME, "labels": labels},
            "spec": {
                "replicas": self.replicas,
                "selector": {"matchLabels": labels},
                "strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
                "template": {
                    "metadata": {"labels": labels},
                    "spec": {
                        "automountServiceAccountToken": False,
                        "securityContext": {
                            "runAsNonRoot": True,
                            "seccompProfile": {"type": "RuntimeDefault"},
                        },
                        "topologySpreadConstraints": [
                            {
                                "maxSkew": 1,
                                "topologyKey": "kubernetes.io/hostname",
                                "whenUnsatisfiable": "ScheduleAnyway",
                                "labelSelector": {"matchLabels": labels},
                            }
                        ],
                        "containers": [
                            self._nginx(),
                            self._app(),
                            *(
                                self._container(name)
                                for name in self.containers
                                if name not in (NGINX, APP)
                            ),
                        ],
                        **self.pod,
                    },
                },
            },
        }

    def _nginx(self) -> Manifest:
        config = "lossless.conf" if self.variant is Variant.LOSSLESS else "plain.conf"
        return self._container(
            NGINX,
            command=["nginx", "-e", "stderr", "-c", f"/srv/nginx/{config}"],
            ports=[{"name": "http", "containerPort": HTTP_PORT}],
            readinessProbe={
                "httpGet": {"path": "/healthz", "port": HTTP_PORT},
                "periodSeconds": 1,
                "timeoutSeconds": 2,
            },
        )

    def _app(self) -> Manifest:
        probe = {
            "httpGet": {"path": "/alive", "port": APP_PORT},
            "periodSeconds": 1,
            "timeoutSeconds": 5,
            "failureThreshold": 1,
        }
        return self._container(
            APP,
            command=["python3", "/srv/app.py"],
            ports=[{"name": "app", "containerPort": APP_PORT}],
            env=[
                {"name": name, "value": value}
                for name, value in {VERSION: self.version, **self.env}.items()
            ],
            **({"livenessProbe": probe} if self.liveness else {}),
        )

    def _container(self, name: str, **fields: Any) -> Manifest:
        stop: Manifest = {}
        if self.variant is Variant.SLEEP and name in _SLEEP:
            stop = {"lifecycle": {"preStop": {"sleep": {"seconds": _SLEEP[name]}}}}
        return {
            "name": name,
            "image": self.image,
            "imagePullPolicy": "Never",
            "securityContext": {
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
            },
            **fields,
            **stop,
            **self.containers.get(name, {}),
        }


def _service() -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": NAME},
        "spec": {"selector": {"app": NAME}, "ports": [{"port": 80, "targetPort": HTTP_PORT}]},
    }


def on_host_network() -> dict[str, Any]:
    """Return the fields of a ``Sample`` whose pods are on their node's network.

    There the host name is the node's, by which nobody could tell pods apart, so they get their own.
    """
    own_name = {"name": "HOSTNAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
    return {
        "pod": {"hostNetwork": True},
        "containers": {APP: {"env": [{"name": VERSION, "value": "v1"}, own_name]}},
    }


def store() -> dict[str, Manifest]:
    """Return the sidecar that the app needs until its end, for ``Sample.containers``."""
    env = [{"name": "STORE_PORT", "value": str(STORE_PORT)}]
    return {"store": {"command": ["python3", "/srv/store.py"], "env": env}}


def lossless_rollout(
    drain: Mapping[str, str] | None = None, kind: Kind = Kind.DEPLOYMENT, **spec: Any
) -> Manifest:
    """Return the LosslessRollout that protects the sample.

    Args:
        drain: fields of ``spec.drain`` other than the defaults.
        kind: of the sample's workload.
        spec: fields of ``spec`` other than ``targetRef`` and ``drain``.
    """
    return {
        "apiVersion": names.API_VERSION,
        "kind": names.KIND,
        "metadata": {"name": NAME},
        "spec": {
            "targetRef": {
                "apiVersion": kind.api_version,
                "kind": kind.value,
                **({} if kind is Kind.POD else {"name": NAME}),
            },
            "close": [{"nginx": {}}],
            **({"drain": dict(drain)} if drain else {}),
            **spec,
        },
    }
