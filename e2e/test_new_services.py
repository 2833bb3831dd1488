"""The cluster of the tests forgets who came to a Service before it was there."""

from typing import Final

from e2e.cluster.cluster import Cluster
from e2e.cluster.topology import API_PORT
from e2e.support.eventually import eventually
from e2e.support.testbed import Testbed
from e2e.support.worlds import MakeWorld

#: Of the part of ``SERVICE_CIDR`` that the API server leaves to those who name one (KEP-3070).
ADDRESS: Final = "10.96.0.77"
NAME: Final = "early"
#: Below the ephemeral range, so that no other connection has it.
PORT: Final = 28_077
#: One connection from ``PORT``, which it may have had a moment before.
CONNECT: Final = f"""
import socket
with socket.socket() as client:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    client.bind(("", {PORT}))
    client.settimeout(2)
    try:
        client.connect(("{ADDRESS}", {API_PORT}))
    except OSError as error:
        print(type(error).__name__)
    else:
        print("connected")
"""


def test_a_port_that_came_too_early_is_led_to_the_service(
    make: MakeWorld, testbed: Testbed, cluster: Cluster
) -> None:
    """Nobody answers for a Service that is not there; a moment later the same port reaches it.

    Else the first clients of a new Service could fail two minutes later, when a port comes again,
    and a test would count that against the rollout.
    """
    world = make(NAME)

    assert _connect(testbed) == "ConnectionRefusedError"
    world.kubectl.apply(_service_and_endpoints(cluster.topology.control_plane.address))
    eventually(
        lambda: _connect(testbed),
        lambda said: said == "connected",
        what=f"port {PORT} of a client to be led to the Service",
        within=30,
    )


def _connect(testbed: Testbed) -> str:
    """Return what became of a client's connection to the Service: an error's name if none."""
    done = testbed.python_at_a_client(CONNECT)
    done.check_returncode()
    return done.stdout.strip()


def _service_and_endpoints(backend: str) -> list[dict[str, object]]:
    """Return a Service without pods, led to the API server, which answers anyway."""
    ports = [{"name": "https", "port": API_PORT}]
    return [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": NAME},
            "spec": {"clusterIP": ADDRESS, "ports": ports},
        },
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {"name": NAME, "labels": {"kubernetes.io/service-name": NAME}},
            "addressType": "IPv4",
            "endpoints": [{"addresses": [backend]}],
            "ports": ports,
        },
    ]
