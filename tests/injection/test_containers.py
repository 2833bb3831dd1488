"""Which ports count, and which connections are the kubelet's own."""

from typing import Any

import pytest

from lossless.injection.containers import counted_ports
from lossless.injection.reading import read_pod
from lossless.model.drain.agent_config import Probe
from tests.injection.pods import Raw, container, pod


def port(number: int, name: str = "", protocol: str = "TCP") -> Raw:
    """Return a container port."""
    return {"containerPort": number, "protocol": protocol} | ({"name": name} if name else {})


def test_who_serves() -> None:
    """Main containers and native sidecars; not plain init containers, not the agent."""
    raw = pod(
        container("app"),
        container("proxy"),
        initContainers=[
            container("lossless-agent", restartPolicy="Always"),
            container("migrate"),
            container("mesh", restartPolicy="Always"),
        ],
    )

    assert [(one.name, one.path) for one in read_pod(raw).containers] == [
        ("app", ("spec", "containers", 0)),
        ("proxy", ("spec", "containers", 1)),
        ("mesh", ("spec", "initContainers", 2)),
    ]


DECLARED = pod(
    container("app", ports=[port(8080, "http"), port(53, "dns", "UDP"), port(7000)]),
    container("other", ports=[port(8443, "https"), port(9000, "http")]),
    initContainers=[
        container("mesh", restartPolicy="Always", ports=[port(15006, "mesh")]),
        container("migrate", ports=[port(1234, "ended")]),
    ],
)


@pytest.mark.parametrize(
    ("wanted", "numbers", "unknown"),
    [
        pytest.param((), (7000, 8080, 8443, 9000, 15006), (), id="every-declared-tcp-port"),
        pytest.param((8080,), (8080,), (), id="number"),
        pytest.param((4711,), (4711,), (), id="number-that-nobody-declares"),
        pytest.param(("https", "mesh"), (8443, 15006), (), id="names"),
        pytest.param(("http",), (8080, 9000), (), id="name-in-two-containers"),
        pytest.param(("https", 1), (1, 8443), (), id="name-and-number"),
        pytest.param(("web", 1), (1,), ("web",), id="unknown-name"),
        pytest.param(("dns",), (), ("dns",), id="udp-is-no-connection"),
        pytest.param(("ended",), (), ("ended",), id="init-containers-do-not-serve"),
    ],
)
def test_counted_ports(
    wanted: tuple[int | str, ...], numbers: tuple[int, ...], unknown: tuple[str, ...]
) -> None:
    """Names are resolved; if none is left, no number means: count everything."""
    assert counted_ports(wanted, read_pod(DECLARED).containers) == (numbers, unknown)


def test_no_declared_port_counts_everything() -> None:
    """A pod need not declare what it listens on."""
    assert counted_ports((), read_pod(pod()).containers) == ((), ())


@pytest.mark.parametrize(
    ("probe", "found"),
    [
        pytest.param({"httpGet": {"port": 80}}, Probe(80, 10, 1), id="http-with-defaults"),
        pytest.param(
            {"httpGet": {"port": "http"}, "periodSeconds": 2, "timeoutSeconds": 3},
            Probe(8080, 2, 3),
            id="http-by-name",
        ),
        pytest.param({"httpGet": {"port": "8081"}}, Probe(8081, 10, 1), id="number-as-text"),
        pytest.param({"tcpSocket": {"port": 80}}, Probe(80, 10, 1), id="tcp"),
        pytest.param({"grpc": {"port": 80, "service": "x"}}, Probe(80, 10, 1), id="grpc"),
        pytest.param(
            {"grpc": {"port": 80}, "periodSeconds": 0, "timeoutSeconds": None},
            Probe(80, 10, 1),
            id="zero-and-null-are-defaults",
        ),
        pytest.param({"exec": {"command": ["true"]}}, None, id="exec"),
        pytest.param({"httpGet": {"port": 80, "host": "1.2.3.4"}}, None, id="another-host"),
        pytest.param({"httpGet": {"port": "nobody"}}, None, id="unknown-name"),
        pytest.param({"httpGet": {}}, None, id="no-port"),
        pytest.param(None, None, id="no-probe"),
    ],
)
def test_readiness_probes(probe: Any, found: Probe | None) -> None:
    """Probes that open connections to the pod, with the kubelet's defaults."""
    raw = pod(container("app", readinessProbe=probe, ports=[port(8080, "http")]))

    assert read_pod(raw).probes == (() if found is None else (found,))


def test_a_probe_looks_its_name_up_in_its_own_container() -> None:
    """Two containers may call different ports by one name; a probe means its own."""
    probe = {"tcpSocket": {"port": "http"}}
    raw = pod(
        container("app", ports=[port(8080, "http")], readinessProbe=probe),
        container("other", ports=[port(9000, "http")], readinessProbe=probe),
        container("third", readinessProbe={"tcpSocket": {"port": 9000}}),
    )

    assert read_pod(raw).probes == (Probe(8080, 10, 1), Probe(9000, 10, 1))
