"""Where a fault strikes: a world in mid-rollout, and the cluster's own processes."""

from dataclasses import dataclass, field
from typing import Final

from e2e.cluster import processes
from e2e.cluster.cluster import Cluster
from e2e.cluster.processes import ProcessId
from e2e.support import install, when
from e2e.support.eventually import eventually
from e2e.support.kubectl import Kubectl, KubectlFailed, Object
from e2e.support.world import World, is_stopping, name_of
from lossless.model.names import LEASE

#: Clients that load the service.
CONNECTIONS: Final = 32
#: Seconds: longer than the 10 s after which a leader that cannot renew its Lease gives it up.
OUTAGE: Final = 20.0


@dataclass(frozen=True, slots=True)
class Scene:
    """A world, and the cluster below it."""

    world: World
    cluster: Cluster
    seen: list[str] = field(default_factory=list)
    """What was measured of the fault itself, in words."""

    @property
    def product(self) -> Kubectl:
        """Of the product's namespace."""
        return self.world.testbed.kubectl.within(install.NAMESPACE)

    def product_pods(self, deployment: str) -> list[Object]:
        """Return the pods of one of the product's Deployments, those that are not stopping."""
        return [
            pod
            for pod in self.product.list("pods")
            if name_of(pod).startswith(f"{deployment}-") and not is_stopping(pod)
        ]

    def leader(self) -> Object:
        """Return the controller's pod that leads.

        Raises:
            LookupError: none does.
        """
        name = when.the_leader(self.world)
        for pod in self.product_pods(when.CONTROLLER):
            if name_of(pod) == name:
                return pod
        raise LookupError(f"the Lease names {name!r}, and there is no such pod")

    def draining(self) -> Object:
        """Return the service's pod that drains.

        Raises:
            LookupError: none does.
        """
        for pod in self.world.pods():
            if is_stopping(pod):
                return pod
        raise LookupError(f"no pod of {self.world.namespace} is stopping")

    def processes_of(self, pod: Object, container: str = "") -> list[ProcessId]:
        """Return the processes of one of a pod's containers; by default of its first."""
        name = container or pod["spec"]["containers"][0]["name"]
        row = container_status(pod, name)
        node = self.cluster.node(pod["spec"]["nodeName"])
        return node.processes_of(row["containerID"].rpartition("//")[2])

    def kill(self, pod: Object, container: str = "") -> None:
        """SIGKILL every process of a container."""
        self.world.mark(f"kill -9 of {container or 'the container'} of {name_of(pod)}")
        victims = self.processes_of(pod, container)
        assert victims, f"{container or 'the container'} of {name_of(pod)} has no process"
        processes.kill(victims)

    def api_answers(self) -> bool:
        """Whether the API server reads from etcd within two seconds."""
        try:
            self.world.testbed.kubectl(
                *("get", "--raw", "/api/v1/namespaces/default", "--request-timeout=2s")
            )
        except KubectlFailed:
            return False
        return True

    def the_api_is_back(self) -> None:
        """Wait for the API server, and see to it that what needs it has survived its absence."""
        eventually(self._api_runs, what="the API server to answer", within=90)
        self.cluster.control_plane.controller_manager.start()
        self.cluster.control_plane.scheduler.start()
        self.world.mark("the API server answers")

    def _api_runs(self) -> bool:
        # It ends at once if the port of the one before it is not free yet.
        self.cluster.control_plane.apiserver.start()
        return self.api_answers()

    def somebody_leads(self, *, within: float = 60) -> None:
        """Wait until the Lease is renewed from now on, by whomever."""
        before = self._renewed()
        eventually(
            self._renewed,
            lambda renewed: renewed not in ("", before),
            what="a controller to renew the Lease",
            within=within,
        )
        self.world.mark(f"{when.the_leader(self.world)} leads")

    def _renewed(self) -> str:
        lease = self.product.get("lease", LEASE) or {}
        spec = lease.get("spec", {})
        return str(spec.get("renewTime") or "") if spec.get("holderIdentity") else ""


def container_status(pod: Object, name: str) -> Object:
    """Return the status of one of a pod's containers, native sidecars too.

    Raises:
        LookupError: it has none yet.
    """
    status = pod.get("status", {})
    rows = [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]
    for row in rows:
        if row["name"] == name:
            found: Object = row
            return found
    raise LookupError(f"container {name} of {name_of(pod)} has no status")
