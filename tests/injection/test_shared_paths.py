"""Status files, other files and sockets of the user's own, on volumes of the pod."""

from typing import Any

import pytest

from lossless.injection.reading import read_pod
from lossless.injection.volumes import FoundMount, MissingMount, mount_for
from tests.injection.pods import (
    Raw,
    agent_of,
    config_of,
    container,
    injected,
    injection,
    pod,
    warnings_of,
)

EMPTY = {"name": "status", "emptyDir": {}}


def mount(path: str, name: str = "status", **fields: Any) -> Raw:
    """Return a volume mount."""
    return {"name": name, "mountPath": path, **fields}


def found_at(
    *mounts: Raw, path: str = "/status/on", volumes: Any = (EMPTY,)
) -> FoundMount | MissingMount:
    """Return where the file is in a pod with these mounts."""
    raw = pod(container("app"), container("nginx", volumeMounts=list(mounts)), volumes=[*volumes])
    return mount_for(read_pod(raw), path)


@pytest.mark.parametrize(
    ("mounts", "path", "wanted"),
    [
        pytest.param([mount("/status")], "/status/on", mount("/status"), id="plain"),
        pytest.param([mount("/status/")], "/status/on", mount("/status/"), id="with-a-slash"),
        pytest.param([mount("/status")], "/status/a/on", mount("/status"), id="deeper"),
        pytest.param(
            [mount("/status", readOnly=True)], "/status/on", mount("/status"), id="read-only-there"
        ),
        pytest.param(
            [mount("/status", subPath="a")],
            "/status/on",
            mount("/status", subPath="a"),
            id="part-of-a-volume",
        ),
        pytest.param(
            [mount("/srv", "other"), mount("/srv/status"), mount("/srv/stat", "other")],
            "/srv/status/on",
            mount("/srv/status"),
            id="longest-path",
        ),
    ],
)
def test_the_volume_is_found(mounts: list[Raw], path: str, wanted: Raw) -> None:
    """The agent gets the same one at the same place, to write to."""
    assert found_at(*mounts, path=path) == FoundMount(wanted)


@pytest.mark.parametrize(
    ("mounts", "volumes", "why"),
    [
        pytest.param([], [EMPTY], "no container of this pod has a volume mounted there", id="none"),
        pytest.param([mount("/stat")], [EMPTY], "no container", id="only-alike"),
        pytest.param([mount("/status/on")], [EMPTY], "at the very file", id="the-file-itself"),
        pytest.param(
            [mount("/status", subPathExpr="$(POD)")], [EMPTY], "use subPath", id="sub-path-by-env"
        ),
        pytest.param(
            [mount("/status")],
            [{"name": "status", "configMap": {"name": "x"}}],
            "volume status (configMap) is not one that only this pod writes to",
            id="read-only-kind",
        ),
        pytest.param(
            [mount("/status")],
            [{"name": "status", "persistentVolumeClaim": {"claimName": "x"}}],
            "volume status (persistentVolumeClaim) is not one",
            id="shared-among-pods",
        ),
        pytest.param([mount("/status")], [], "(not defined)", id="unknown-volume"),
        pytest.param([mount("/")], [EMPTY], "cannot have a volume mounted at", id="everything"),
    ],
)
def test_what_does_not_lead_to_the_file(mounts: list[Raw], volumes: list[Raw], why: str) -> None:
    """Each refusal says what to do instead."""
    found = found_at(*mounts, volumes=volumes)

    assert isinstance(found, MissingMount)
    assert why in f"{found.reason}; {found.remedy}"


@pytest.mark.parametrize(
    "path", ["/usr", "/usr/local/lib", "/usr/local/lib/app", "/run", "/var", "/dev/x", "/proc/x"]
)
def test_the_agent_keeps_what_it_needs(path: str) -> None:
    """A volume over its interpreter would keep the whole pod from starting."""
    assert isinstance(found_at(mount(path), path=f"{path}/on"), MissingMount)


def test_other_places_may_be_anywhere() -> None:
    """For example below a web server's folder."""
    html = mount("/usr/share/nginx/html")

    assert found_at(html, path="/usr/share/nginx/html/on") == FoundMount(html)


def test_two_volumes_at_one_place_are_ambiguous() -> None:
    """Which of them the proxy looks at cannot be known."""
    raw = pod(
        container("a", volumeMounts=[mount("/status")]),
        container("b", volumeMounts=[mount("/status", "other")]),
        volumes=[EMPTY],
    )
    found = mount_for(read_pod(raw), "/status/on")

    assert isinstance(found, MissingMount)
    assert "two containers mount different volumes there" in found.reason


NGINX = [{"nginx": {"statusFile": "/status/on"}}, {"nginx": {}}]


def test_the_agent_gets_the_file() -> None:
    """Beside our own, which is always there for load balancers and others."""
    raw = pod(container("nginx", volumeMounts=[mount("/status", readOnly=True)]), volumes=[EMPTY])
    after = injected(raw, close=NGINX)

    assert config_of(after).status_files == ("/lossless/serving", "/status/on")
    assert agent_of(after)["volumeMounts"][-1] == mount("/status")
    assert warnings_of(injection(raw, close=NGINX)) == ()
    assert injection(after, close=NGINX).operations == ()


def test_a_file_out_of_reach_is_told() -> None:
    """The pod is injected all the same: its drain works, only these clients are not told."""
    decided = injection(pod(), close=NGINX)
    after = injected(pod(), close=NGINX)

    assert decided.injected
    (warning,) = warnings_of(decided)
    assert warning == (
        "spec.close[0].nginx.statusFile: '/status/on': no container of this pod has a volume"
        " mounted there; mount an emptyDir at its directory into that container"
    )
    assert after["metadata"]["annotations"]["lossless.dev/incomplete"] == warning
    assert config_of(after).status_files == ("/lossless/serving",)
    assert config_of(after).out_of_reach == ("/status/on",)


SHARED: Raw = {
    "close": [
        {"haproxy": {"socket": "/run/haproxy/admin.sock"}},
        {"file": {"path": "/status/off", "action": "Create"}},
        {"file": {"path": "/lossless/serving"}},
        {"haproxy": {"port": 9999}},
        {"http": {"port": 7001, "path": "/leave"}},
    ],
    "metrics": [
        {"haproxyStats": {"socket": "/run/haproxy/admin.sock"}},
        {"haproxyStats": {"port": 9999}},
    ],
}


def test_the_agent_gets_files_and_sockets() -> None:
    """Each volume once; ports, URLs and our own file need none."""
    mounts = [mount("/run/haproxy", "run"), mount("/status", readOnly=True)]
    raw = pod(
        container("haproxy", volumeMounts=mounts), volumes=[EMPTY, {"name": "run", "emptyDir": {}}]
    )
    after = injected(raw, **SHARED)

    assert agent_of(after)["volumeMounts"][-2:] == [mount("/run/haproxy", "run"), mount("/status")]
    assert config_of(after).status_files == ("/lossless/serving",)
    assert config_of(after).out_of_reach == ()
    assert warnings_of(injection(raw, **SHARED)) == ()
    assert injection(after, **SHARED).operations == ()


def test_files_and_sockets_out_of_reach_are_told() -> None:
    """By every field that names one; the agent keeps them, so that a counter is not taken for 0."""
    decided = injection(pod(), **SHARED)
    after = injected(pod(), **SHARED)
    why = "no container of this pod has a volume mounted there; mount an emptyDir at its directory"

    assert [warning.partition(f": {why}")[::2] for warning in warnings_of(decided)] == [
        ("spec.close[0].haproxy.socket: '/run/haproxy/admin.sock'", " into that container"),
        ("spec.close[1].file.path: '/status/off'", " into that container"),
        ("spec.metrics[0].haproxyStats.socket: '/run/haproxy/admin.sock'", " into that container"),
    ]
    told = after["metadata"]["annotations"]["lossless.dev/incomplete"]
    assert told == "; ".join(warnings_of(decided))
    assert config_of(after).out_of_reach == ("/run/haproxy/admin.sock", "/status/off")
    assert len(config_of(after).close) == 5
    assert len(config_of(after).metrics) == 2
    assert injection(after, **SHARED).operations == ()


def test_what_comes_into_reach_between_two_passes_is_used() -> None:
    """Another webhook may bring the container that shares the volume."""
    between = injected(pod(volumes=[EMPTY]), close=NGINX)
    between["spec"]["containers"].append(container("late", volumeMounts=[mount("/status")]))
    after = injected(between, close=NGINX)

    assert config_of(after).out_of_reach == ()
    assert config_of(after).status_files == ("/lossless/serving", "/status/on")
    assert agent_of(after)["volumeMounts"][-1] == mount("/status")
    assert "lossless.dev/incomplete" not in after["metadata"]["annotations"]


MIDDLEWARE = [{"middleware": {"statusFile": "/status/on"}}]
TOLD = {"name": "LOSSLESS_STATUS_FILE", "value": "/status/on"}
OWN = {"name": "LOSSLESS_STATUS_FILE", "value": "/status/mine"}


@pytest.mark.parametrize(
    ("fields", "close", "env"),
    [
        pytest.param({"volumeMounts": [mount("/status")]}, MIDDLEWARE, [TOLD], id="told"),
        pytest.param(
            {"volumeMounts": [mount("/status")], "env": [{"name": "A", "value": "b"}]},
            MIDDLEWARE,
            [{"name": "A", "value": "b"}, TOLD],
            id="beside-its-own",
        ),
        pytest.param(
            {"volumeMounts": [mount("/status")], "env": [OWN]}, MIDDLEWARE, [OWN], id="says-so"
        ),
        pytest.param({}, MIDDLEWARE, None, id="does-not-see-it"),
        pytest.param(
            {"volumeMounts": [mount("/status")]}, [{"middleware": {}}], None, id="ours-needs-none"
        ),
        pytest.param({"volumeMounts": [mount("/status")]}, NGINX, None, id="nginx-reads-none"),
    ],
)
def test_the_middleware_is_told_which_file(fields: Raw, close: list[Raw], env: Any) -> None:
    """By its variable, where the file is another than ours and the container sees it."""
    seeing = container("other", volumeMounts=[mount("/status")])
    raw = pod(container("app", **fields), seeing, volumes=[EMPTY])
    after = injected(raw, close=close)

    assert after["spec"]["containers"][0].get("env") == env
    assert injection(after, close=close).operations == ()


def test_the_middleware_is_not_told_of_a_file_that_nobody_removes() -> None:
    """It would take the pod for a serving one for ever; ours is removed in any case."""
    raw = pod(
        container("app", volumeMounts=[mount("/status")]),
        volumes=[{"name": "status", "hostPath": {"path": "/status"}}],
    )

    assert "env" not in injected(raw, close=MIDDLEWARE)["spec"]["containers"][0]
