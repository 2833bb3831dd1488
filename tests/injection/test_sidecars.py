"""Who stops after whom, in pods of many containers."""

import pytest

from lossless.model.drain.hooks import HttpHook
from lossless.model.drain.release_rule import Barrier
from lossless.model.names import AGENT_CONTAINER
from tests.injection.pods import (
    Raw,
    config_of,
    container,
    hold,
    hook_of,
    injected,
    injection,
    pod,
    unprotected_in,
)

SLEEP = {"order": "Sleep", "sleep": "99.5s"}


def serving_on(name: str, *ports: int, **fields: object) -> Raw:
    """Return a container that declares ports."""
    return container(name, ports=[{"containerPort": port} for port in ports], **fields)  # type: ignore[arg-type] # what a container may have


@pytest.mark.parametrize(
    ("containers", "ports", "barrier"),
    [
        pytest.param([serving_on("app", 80)], [], Barrier(), id="alone"),
        pytest.param(
            [container("sql"), serving_on("app", 80)],
            [],
            Barrier(("sql",), (80,), 30.0),
            id="the-one-without-a-port-is-the-sidecar",
        ),
        pytest.param(
            [serving_on("nginx", 80, 443), serving_on("app", 81)],
            [],
            Barrier(),
            id="two-that-serve-stop-together",
        ),
        pytest.param(
            [serving_on("app", 80), serving_on("exporter", 9100), container("log")],
            [80],
            Barrier(("exporter", "log"), (80,), 30.0),
            id="named-ports-tell-who-serves",
        ),
        pytest.param(
            [serving_on("app", 80, 9100), container("log")],
            [80],
            Barrier(("log",), (80,), 30.0),
            id="only-ports-that-count",
        ),
        pytest.param(
            [container("app"), container("log")], [], Barrier(), id="nobody-declares-a-port"
        ),
        pytest.param(
            [container("app"), container("log")], [80], Barrier(), id="a-port-that-nobody-declares"
        ),
    ],
)
def test_a_barrier_lets_sidecars_outlive_the_main_containers(
    containers: list[Raw], ports: list[int], barrier: Barrier
) -> None:
    """Those that serve are let go first; the agent is told on what they listen."""
    after = injected(pod(*containers), ports=ports)

    assert config_of(after).barrier == barrier
    for found in containers:
        assert hook_of(after, found["name"]) == hold(found["name"])


def test_native_sidecars_are_left_to_the_kubelet() -> None:
    """It stops them after the main containers by itself, in reverse order (KEP-753)."""
    mesh = serving_on("mesh", 15006, restartPolicy="Always")
    after = injected(pod(serving_on("app", 80), initContainers=[mesh]), sidecars=SLEEP)

    assert after["spec"]["initContainers"][1]["lifecycle"]["preStop"] == hold("mesh")
    assert config_of(after).barrier == Barrier()


@pytest.mark.parametrize(
    ("own", "seconds"),
    [
        pytest.param(None, 100, id="none"),
        pytest.param({"sleep": {"seconds": 20}}, 100, id="shorter"),
        pytest.param({"sleep": {"seconds": 200}}, 200, id="longer"),
    ],
)
def test_sleeping_sidecars_depend_on_nothing(own: Raw | None, seconds: int) -> None:
    """A sleep of the kubelet's, rounded up; one of their own that is longer stays."""
    after = injected(pod(serving_on("app", 80), container("log", pre_stop=own)), sidecars=SLEEP)

    assert hook_of(after, "app") == hold("app")
    assert hook_of(after, "log") == {"sleep": {"seconds": seconds}}
    assert config_of(after).barrier == Barrier()
    assert config_of(after).hooks == ()


def test_without_a_declared_port_the_first_container_is_the_main_one() -> None:
    """As in most pods; the others sleep."""
    after = injected(pod(container("app"), container("log")), sidecars=SLEEP)

    assert hook_of(after, "app") == hold("app")
    assert hook_of(after, "log") == {"sleep": {"seconds": 100}}


def test_a_sleeping_sidecar_with_a_hook_of_its_own_waits_behind_the_barrier() -> None:
    """It has one preStop, and what that did must still be done."""
    stop = {"httpGet": {"port": 4191, "path": "/shutdown"}}
    after = injected(pod(serving_on("app", 80), container("log", pre_stop=stop)), sidecars=SLEEP)

    assert hook_of(after, "log") == hold("log")
    assert config_of(after).hooks == (HttpHook("log", 4191, "/shutdown"),)
    assert config_of(after).barrier == Barrier(("log",), (80,), 30.0)


def test_sidecars_wait_as_long_as_the_pod_had_to_stop() -> None:
    """On a second pass too, when the pod's own grace period has grown."""
    raw = pod(serving_on("app", 80), container("log"), terminationGracePeriodSeconds=45)
    after = injected(raw)

    assert config_of(after).barrier.seconds == 45.0
    assert config_of(injected(after)).barrier.seconds == 45.0
    assert injection(after).operations == ()


def test_a_pod_of_many_containers() -> None:
    """Two proxies, many ports, init containers and sidecars of both kinds: each has its place."""
    raw = pod(
        serving_on("nginx", *range(8000, 8040), pre_stop={"sleep": {"seconds": 60}}),
        serving_on("envoy", 9000, pre_stop={"httpGet": {"port": 9901, "path": "/drain"}}),
        container("app", pre_stop={"exec": {"command": ["sh", "-c", "bye"]}}),
        container("static", pre_stop={"exec": {"command": ["/bye"]}}),
        container("log"),
        initContainers=[
            container("migrate", pre_stop={"exec": {"command": ["/never"]}}),
            container("mesh", restartPolicy="Always"),
        ],
    )
    after = injected(raw)
    config = config_of(after)

    assert [found["name"] for found in after["spec"]["initContainers"]] == [
        AGENT_CONTAINER,
        "migrate",
        "mesh",
    ]
    assert after["spec"]["initContainers"][1] == raw["spec"]["initContainers"][0]
    assert config.ports == (*range(8000, 8040), 9000)
    assert [hook.container for hook in config.hooks] == ["nginx", "envoy"]
    assert config.file_holds == ("app",)
    assert config.barrier == Barrier(("app", "log"), config.ports, 30.0)
    assert set(unprotected_in(injection(raw))) == {"static"}
    assert injection(after).operations == ()
