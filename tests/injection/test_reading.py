"""A pod is read once: everything that a decision may go by stands in what is read."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossless.injection.admission_pod import (
    AdmissionPod,
    ContainerPort,
    ExecAction,
    HttpGetAction,
    LifecycleHandler,
    OtherAction,
    ServingContainer,
    SleepAction,
    Volume,
    VolumeMount,
)
from lossless.injection.file_hold import file_hold
from lossless.injection.reading import read_pod
from lossless.model.drain.agent_config import Probe
from tests.injection.pods import MOUNT, Raw, config_of, container, injected, pod
from tests.support.spoiling import JSON, paths, spoiled

PORTS = [{"containerPort": 8080, "name": "http"}, {"containerPort": 53, "protocol": "UDP"}]
LIMITS = {"limits": {"cpu": "1", "memory": "1Gi"}}


def full() -> Raw:
    """Return a pod in which everything is said that counts."""
    app = container(
        "app",
        ports=PORTS,
        volumeMounts=[MOUNT, {"name": "data", "mountPath": "/data/", "subPath": "a"}],
        volumeDevices=[{"name": "disk", "devicePath": "/dev/x"}],
        readinessProbe={"httpGet": {"port": "http"}, "periodSeconds": 3},
        pre_stop={"sleep": {"seconds": 4}},
        resources=LIMITS,
    )
    raw = pod(
        app,
        hostNetwork=True,
        initContainers=[container("migrate"), container("mesh", restartPolicy="Always")],
        volumes=[{"name": "data", "emptyDir": {}}, {"name": "none"}],
        terminationGracePeriodSeconds=7,
    )
    raw["metadata"]["labels"]["lossless.dev/rollout"] = "web"
    raw["metadata"]["annotations"] = {"lossless.dev/hold.app": "File"}
    return raw


def test_what_is_read() -> None:
    """Of the containers those that serve; of the rest what a decision needs."""
    assert read_pod(full()) == AdmissionPod(
        containers=(
            ServingContainer(
                name="app",
                path=("spec", "containers", 0),
                image="app:1",
                ports=(ContainerPort("http", 8080),),
                mounts=(VolumeMount("lossless", "/lossless"), VolumeMount("data", "/data/", "a")),
                devices=("/dev/x",),
                pre_stop=SleepAction(4),
                readiness=Probe(8080, 3, 1),
                has_readiness_probe=True,
            ),
            ServingContainer(name="mesh", path=("spec", "initContainers", 1), image="mesh:1"),
        ),
        volumes=(Volume("data", "emptyDir"), Volume("none", "")),
        annotations={"lossless.dev/hold.app": "File"},
        named="web",
        host_network=True,
        shares_processes=False,
        windows=False,
        grace=7,
        guaranteed=False,
        has_budget=False,
        has_agent_name=False,
        before=None,
    )


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        pytest.param({"os": {"name": "windows"}}, "windows", id="windows by its system"),
        pytest.param(
            {"nodeSelector": {"kubernetes.io/os": "windows"}}, "windows", id="windows by its node"
        ),
        pytest.param({"resources": LIMITS}, "has_budget", id="a budget as a whole"),
        pytest.param(
            {"initContainers": [container("lossless-agent")]}, "has_agent_name", id="our name"
        ),
        pytest.param(
            {"containers": [container("app", resources=LIMITS)]}, "guaranteed", id="guaranteed"
        ),
    ],
)
def test_what_a_pod_is(spec: Raw, field: str) -> None:
    """Each by its own field, and a plain pod is none of it."""
    raw = pod()
    raw["spec"] |= spec

    assert getattr(read_pod(raw), field) is True
    assert getattr(read_pod(pod()), field) is False


def _get(**fields: Any) -> HttpGetAction:
    known: dict[str, Any] = {
        "host": "",
        "elsewhere": False,
        "scheme": "HTTP",
        "path": "",
        "port": None,
        "number": None,
        "headers": (),
        "asks_for_hold": False,
    }
    return HttpGetAction(**known | fields)


@pytest.mark.parametrize(
    ("hook", "read"),
    [
        pytest.param(None, None, id="none"),
        pytest.param({}, None, id="empty"),
        pytest.param(
            {"exec": {"command": ["a", "b"]}},
            ExecAction(("a", "b"), "", held=False),
            id="exec",
        ),
        pytest.param({"exec": {"command": []}}, OtherAction("exec"), id="exec of nothing"),
        pytest.param(
            {"exec": {"command": ["/bin/bash", "-c", "x"]}},
            ExecAction(("/bin/bash", "-c", "x"), "/bin/bash", held=False),
            id="exec of a shell",
        ),
        pytest.param(
            file_hold("app", ["/stop"], program="/bin/ash", limit=9),
            ExecAction(("/stop",), "/bin/ash", held=True),
            id="held by a file",
        ),
        pytest.param(
            {"httpGet": {"port": 9913, "path": "/v1/hold/app"}},
            _get(port=9913, number=9913, path="/v1/hold/app", asks_for_hold=True),
            id="held by HTTP",
        ),
        pytest.param({"sleep": {"seconds": 3}}, SleepAction(3), id="sleep"),
        pytest.param({"tcpSocket": {"port": 80}}, OtherAction("tcpSocket"), id="tcpSocket"),
        pytest.param(
            {"httpGet": {"port": "http"}},
            _get(port="http", number=8080),
            id="httpGet by a name",
        ),
        pytest.param(
            {
                "httpGet": {
                    "port": "nobody",
                    "host": "shop",
                    "scheme": "https",
                    "path": "/stop",
                    "httpHeaders": [{"name": "A", "value": "b"}],
                }
            },
            _get(
                host="shop",
                elsewhere=True,
                scheme="HTTPS",
                path="/stop",
                port="nobody",
                headers=(("A", "b"),),
            ),
            id="httpGet with everything",
        ),
    ],
)
def test_hooks(hook: Any, read: LifecycleHandler | None) -> None:
    """As the Kubernetes API names them; what says nothing is known by its kind alone."""
    raw = pod(container("app", ports=PORTS, lifecycle={"preStop": hook}))

    assert read_pod(raw).containers[0].pre_stop == read


def test_what_an_earlier_pass_has_told_the_agent() -> None:
    """By that the second pass knows what the first has replaced."""
    after = injected(pod(container("app", pre_stop={"sleep": {"seconds": 40}})))

    assert read_pod(after).before == config_of(after)
    assert read_pod(after).injected


@given(path=st.sampled_from(paths(full())), value=JSON)
def test_a_field_that_holds_something_else(path: tuple[Any, ...], value: Any) -> None:
    """The pod is read, or one of four errors says that no API server has sent it."""
    try:
        found = read_pod(spoiled(full(), path, value))
    except (KeyError, TypeError, ValueError, AttributeError):
        return
    assert all(isinstance(one.name, str) for one in found.containers)
