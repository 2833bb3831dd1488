"""The Kubernetes objects of the proof's service: the sample's, with another front and more apps."""

from dataclasses import dataclass
from typing import Any, Final

from e2e.proof.proxies import Echo, Proxy
from e2e.sample.manifests import APP, HTTP_PORT, Manifest, Sample, Variant
from lossless.model.names import STATUS_FILE

_PORTS: Final = {Echo.GRPC: 8082, Echo.WEBSOCKET: 8083}


@dataclass(frozen=True, slots=True)
class ProofService:
    """One deployment behind one proxy."""

    image: str
    proxy: Proxy
    variant: Variant

    def objects(self) -> list[Manifest]:
        """Return the Service and the Deployment."""
        service, deployment = Sample(image=self.image, variant=Variant.PLAIN).objects()
        pod = deployment["spec"]["template"]["spec"]
        [app] = [container for container in pod["containers"] if container["name"] == APP]
        front = self._front()
        if self.proxy.alone:
            # A rollout changes the environment of the container of this name.
            pod["containers"] = [{**front, "name": APP, "env": app["env"]}]
        else:
            pod["containers"] = [front, app, *(self._echo(echo) for echo in self.proxy.echoes)]
        return [service, deployment]

    def _front(self) -> Manifest:
        is_lossless = self.variant is Variant.LOSSLESS
        command = self.proxy.lossless if is_lossless else self.proxy.plain
        return self._container(
            self.proxy.name,
            command=list(command),
            ports=[{"name": "http", "containerPort": HTTP_PORT}],
            readinessProbe={
                "httpGet": {"path": "/healthz", "port": HTTP_PORT},
                "periodSeconds": 1,
                "timeoutSeconds": 2,
            },
        )

    def _echo(self, echo: Echo) -> Manifest:
        knows = self.variant is Variant.LOSSLESS and echo is Echo.WEBSOCKET
        return self._container(
            echo,
            command=["/opt/proof/bin/python", f"/srv/proof/{echo}_echo.py"],
            ports=[{"name": echo, "containerPort": _PORTS[echo]}],
            **({"env": [{"name": "STATUS_FILE", "value": STATUS_FILE}]} if knows else {}),
        )

    def _container(self, name: str, **fields: Any) -> Manifest:
        return {
            "name": name,
            "image": self.image,
            "imagePullPolicy": "Never",
            "securityContext": {
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
            },
            **fields,
        }
