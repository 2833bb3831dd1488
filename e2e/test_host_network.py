"""Pods on their node's network lose nothing either: each agent has a port of its own there."""

from e2e.sample.manifests import HTTP_PORT, Variant, on_host_network
from e2e.support import given, then, workloads
from e2e.support.kubectl import Object
from e2e.support.worlds import MakeWorld
from lossless.model.agent_port import HOST_FIRST
from lossless.model.conditions import ConditionType
from lossless.model.names import AGENT_CONTAINER, AGENT_PORT_NAME
from lossless.model.targets import Kind

KIND = Kind.DAEMON_SET


def test_a_rollout_on_the_nodes_network_loses_nothing(make: MakeWorld) -> None:
    """All pods of a DaemonSet are replaced under load; the same without us loses requests.

    Only the port that serves clients counts: nginx keeps connections to the app over loopback,
    which on the node's network might as well be those of another pod's proxy.
    """
    plain, world = make("plain"), make("host-network")

    workloads.deployed(plain, KIND, Variant.PLAIN, **on_host_network())
    with given.load(plain) as control:
        workloads.rolled_out(plain, KIND)
        control.goes_on(requests=500)
    # The next one wants the same ports of the same nodes.
    workloads.removed(plain, KIND)

    spec = {"ports": ["http"]}
    workloads.deployed(world, KIND, Variant.LOSSLESS, spec=spec, **on_host_network())
    first = world.pods()
    with given.load(world) as load:
        workloads.rolled_out(world, KIND)
        load.goes_on(requests=1000)

    then.something_was_lost(plain, control.report)
    then.nothing_was_lost(world, load.report)
    assert {port for pod in first for port in _agent_ports(pod)} == {HOST_FIRST + HTTP_PORT}
    assert all(pod["spec"]["hostNetwork"] for pod in first)
    then.condition_is(world, ConditionType.INJECTED, "True")
    then.condition_is(world, ConditionType.DRAINED, "True")
    then.status_shows(
        world,
        "the drain of each of them is known by its own agent",
        lambda status: (
            {pod["metadata"]["uid"] for pod in first}
            <= {row["uid"] for row in status.get("pods", []) if row["phase"] == "Drained"}
        ),
    )


def _agent_ports(pod: Object) -> list[int]:
    return [
        port["hostPort"]
        for container in pod["spec"]["initContainers"]
        if container["name"] == AGENT_CONTAINER
        for port in container["ports"]
        if port["name"] == AGENT_PORT_NAME
    ]
