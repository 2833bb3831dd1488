"""One namespace of the cluster, with its own service, watched from beginning to end."""

from dataclasses import dataclass, field
from pathlib import Path

from e2e.load.report import LoadReport
from e2e.sample.manifests import NAME, VERSION
from e2e.support.install import Images
from e2e.support.kubectl import Kubectl, Object
from e2e.support.testbed import Testbed
from e2e.support.timeline import Timeline
from lossless.model import names


@dataclass(slots=True)
class World:
    """A namespace, what is in it, and what has happened in it."""

    testbed: Testbed
    images: Images
    kubectl: Kubectl
    """Of this namespace."""
    timeline: Timeline
    logs: Path
    """Folder with the logs of its pods, and of those that are gone."""
    counted: list[LoadReport] = field(default_factory=list)
    """Of the clients that a claim was made of: that all were answered, or that some were not."""

    @property
    def namespace(self) -> str:
        """The namespace's name."""
        return self.kubectl.namespace

    def mark(self, what: str) -> None:
        """Note what is about to be done."""
        self.timeline.mark(what)

    def pods(self) -> list[Object]:
        """Return the service's pods, stopping ones too."""
        return self.kubectl.list("pods", {"app": NAME})

    def deployment(self) -> Object:
        """Return the service's Deployment.

        Raises:
            LookupError: there is none.
        """
        return self._existing("deployment.apps")

    def rollout(self) -> Object:
        """Return the service's LosslessRollout.

        Raises:
            LookupError: there is none.
        """
        return self._existing(f"{names.PLURAL}.{names.GROUP}")

    def service_url(self, path: str = "/") -> str:
        """Return the URL of the service for clients outside the cluster."""
        return f"http://{self.service_address()}{path}"

    def service_address(self) -> str:
        """Return the service's ClusterIP."""
        return str(self._existing("service")["spec"]["clusterIP"])

    def _existing(self, kind: str) -> Object:
        found = self.kubectl.get(kind, NAME)
        if found is None:
            raise LookupError(f"no {kind} {NAME} in namespace {self.namespace}")
        return found


def make_world(testbed: Testbed, images: Images, namespace: str, logs: Path) -> World:
    """Return a new world in a new namespace; ``remove`` ends it."""
    testbed.kubectl("create", "namespace", namespace)
    kubectl = testbed.kubectl.within(namespace)
    logs.mkdir(parents=True, exist_ok=True)
    return World(testbed, images, kubectl, Timeline(kubectl, logs), logs)


def clear_away(testbed: Testbed, namespace: str) -> None:
    """Delete a namespace that an earlier run has left, and wait for its end."""
    if testbed.kubectl.get("namespace", namespace) is None:
        return
    # The pods first: a namespace with pods in it is looked at again only after half their grace
    # period (kubernetes pkg/controller/namespace, EstimateGrace).
    before = testbed.kubectl.within(namespace)
    before("delete", "deployment", "--all", "--cascade=foreground", timeout=400)
    before("wait", "pod", "--all", "--for=delete", "--timeout=400s", timeout=410)
    testbed.kubectl("delete", "namespace", namespace, "--ignore-not-found", timeout=400)


def remove(world: World) -> None:
    """Stop watching and delete the namespace, without waiting for its end."""
    world.timeline.close()
    world.testbed.kubectl("delete", "namespace", world.namespace, "--wait=false")


def name_of(thing: Object) -> str:
    """Return the name of an object."""
    return str(thing["metadata"]["name"])


def is_stopping(pod: Object) -> bool:
    """Whether a pod has been asked to stop."""
    return "deletionTimestamp" in pod["metadata"]


def is_ready(pod: Object) -> bool:
    """Whether a pod's Ready condition is True."""
    return condition(pod, "Ready") == "True"


def is_injected(pod: Object) -> bool:
    """Whether a pod has an agent."""
    containers = pod["spec"].get("initContainers", [])
    return any(container["name"] == names.AGENT_CONTAINER for container in containers)


def condition(thing: Object, kind: str) -> str:
    """Return the status of a condition; "Unknown" if there is none of this type."""
    rows = thing.get("status", {}).get("conditions", [])
    return str(next((row["status"] for row in rows if row["type"] == kind), "Unknown"))


def version_of(pod: Object) -> str:
    """Return the version of the sample that a pod runs."""
    return next(
        str(variable["value"])
        for container in pod["spec"]["containers"]
        for variable in container.get("env", [])
        if variable["name"] == VERSION
    )
