"""On which port an agent listens: one that its pod has to itself, whatever node it comes to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossless.model.agent_port import HOST_FIRST, HOST_PORTS, agent_port_of
from lossless.model.fields import InvalidSpec
from lossless.model.names import AGENT_PORT, AGENT_PORT_ANNOTATION

_PORTS = st.sets(st.integers(1, 65_535), min_size=1, max_size=20)


@pytest.mark.parametrize(
    ("host_network", "named", "declared", "expected"),
    [
        pytest.param(False, None, {80}, AGENT_PORT, id="a network of its own"),
        pytest.param(False, "9914", {9913}, 9914, id="a network of its own, named"),
        pytest.param(True, None, {80}, 20_080, id="the node's network"),
        pytest.param(True, None, {443, 80}, 20_080, id="by the lowest port"),
        pytest.param(True, None, {80, 20_080}, 20_081, id="not one of its own"),
        pytest.param(True, None, {9_999, 29_999}, 20_000, id="round at the end of the range"),
        pytest.param(True, None, {18_080}, 28_080, id="by the last four digits"),
        pytest.param(True, "20090", {80}, 20_090, id="named"),
    ],
)
def test_the_port(
    *, host_network: bool, named: str | None, declared: set[int], expected: int
) -> None:
    """The usual one, one that follows from the pod's lowest, or the one that is named."""
    annotations = {} if named is None else {AGENT_PORT_ANNOTATION: named}
    port = agent_port_of(
        annotations, host_network=host_network, counted=declared, declared=declared
    )
    assert port == expected


@given(_PORTS)
def test_on_the_nodes_network_it_is_in_the_range_and_free_in_the_pod(ports: set[int]) -> None:
    """Out of reach of node ports and of clients' ports, and none of the pod's own."""
    port = agent_port_of({}, host_network=True, counted=ports, declared=ports)
    assert port in range(HOST_FIRST, HOST_FIRST + HOST_PORTS)
    assert port not in ports


@given(st.integers(1, HOST_PORTS - 1), st.integers(1, HOST_PORTS - 1))
def test_pods_with_different_ports_have_different_agents(one: int, other: int) -> None:
    """Below 10000, where nearly all are, ports never lead to the same agent's port."""
    first, second = (
        agent_port_of({}, host_network=True, counted={port}, declared={port})
        for port in (one, other)
    )
    assert (first == second) == (one == other)


@pytest.mark.parametrize("named", ["", "x", "0", "80", "1023", "65536", "-1", "٩٩١٣", "9" * 5000])
def test_what_is_no_port_is_refused(named: str) -> None:
    """The agent has no capability, so nothing below 1024 either."""
    with pytest.raises(InvalidSpec, match="must be a port from 1024 to 65535"):
        agent_port_of(
            {AGENT_PORT_ANNOTATION: named}, host_network=False, counted={80}, declared={80}
        )
