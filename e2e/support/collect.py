"""What a failed test leaves for whoever looks into it."""

import subprocess
from pathlib import Path

from e2e.cluster import network
from e2e.cluster.cluster import Cluster
from e2e.cluster.errors import ClusterError
from e2e.support import install
from e2e.support.kubectl import Kubectl
from e2e.support.world import World
from lossless.model.names import GROUP, PLURAL

_OURS = "pods,deployments,replicasets,services,endpointslices"


def collect(world: World) -> None:
    """Write objects, events, the timeline and all logs into the world's folder.

    Logs of the pods themselves have been written there all along.
    """
    product = world.testbed.kubectl.within(install.NAMESPACE)
    timeline = "\n".join(f"{step.at:.3f}  {step}" for step in world.timeline.steps)
    Path(world.logs, "timeline.txt").write_text(timeline + "\n")
    _keep(world, "objects.yaml", world.kubectl, "get", _OURS, "--output=yaml")
    _keep(world, "rollouts.yaml", world.kubectl, "get", f"{PLURAL}.{GROUP}", "--output=yaml")
    _keep(world, "events.txt", world.kubectl, "get", "events", "--sort-by=.lastTimestamp")
    _keep(world, "product.txt", product, "describe", "pods")
    for component in ("controller", "webhook"):
        selector = f"--selector=app.kubernetes.io/component={component}"
        words = ("logs", selector, "--all-containers", "--prefix", "--tail=-1", "--timestamps")
        _keep(world, f"{component}.log", product, *words)
        _keep(world, f"{component}-previous.log", product, *words, "--previous")
    _keep_connections(world)


def _keep_connections(world: World) -> None:
    """Write what the nodes know of each connection: where a lost SYN was led to stands there.

    Such an entry lives for two minutes. Nodes of other providers than our own tell nobody.
    """
    try:
        cluster = Cluster.current()
    except ClusterError:
        return
    for name, node in cluster.nodes.items():
        _write(
            world,
            f"conntrack-{name}.txt",
            [*network.in_namespace(node.node.namespace), "conntrack", "-L", "-p", "tcp"],
        )


def _keep(world: World, name: str, kubectl: Kubectl, *arguments: str) -> None:
    """Write what kubectl says into a file, its refusals too: a part that is missing tells."""
    _write(world, name, kubectl.argv(*arguments))


def _write(world: World, name: str, argv: list[str]) -> None:
    with Path(world.logs, name).open("w") as file:
        subprocess.run(
            argv,
            stdout=file,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            timeout=60,
            check=False,
        )
