"""What counts as healthy, and how it reads."""

from pathlib import Path

import pytest

from e2e.cluster.status import ComponentStatus, NodeStatus, Status

UP = ComponentStatus("node0.kubelet", 17)
READY = NodeStatus("node0", "10.89.0.10", ready=True)


def status(
    components: tuple[ComponentStatus, ...] = (UP,),
    nodes: tuple[NodeStatus, ...] = (READY,),
    problems: tuple[str, ...] = (),
) -> Status:
    """Return a status of the local provider."""
    return Status("local", Path("/state/kubeconfig"), components, nodes, problems)


@pytest.mark.parametrize(
    ("given", "healthy"),
    [
        pytest.param(status(), True, id="all is well"),
        pytest.param(status(components=()), True, id="a provider without processes of its own"),
        pytest.param(status(nodes=()), False, id="nodes are unknown"),
        pytest.param(
            status(nodes=(READY, NodeStatus("node1", "", ready=False))), False, id="one not ready"
        ),
        pytest.param(
            status(components=(UP, ComponentStatus("node1.kubelet", None))), False, id="one down"
        ),
        pytest.param(status(problems=("CoreDNS does not answer.",)), False, id="another problem"),
    ],
)
def test_healthy_means_everything(given: Status, healthy: bool) -> None:  # noqa: FBT001 - a table's column
    """Unknown is not healthy."""
    assert given.healthy is healthy
    assert given.render().splitlines()[-1] == ("healthy" if healthy else "NOT HEALTHY")


def test_a_dead_component_and_a_problem_can_be_read() -> None:
    """By name, not by a count."""
    text = status(
        components=(ComponentStatus("node1.kubelet", None),), problems=("DNS is silent.",)
    ).render()

    assert "node1.kubelet" in text
    assert "DOWN" in text
    assert "problem     DNS is silent." in text
