"""Which container reloads nginx, and what keeps it from doing so."""

from typing import Any

import pytest

from lossless.model.drain.hooks import SleepHook
from lossless.model.names import INCOMPLETE_ANNOTATION
from tests.injection.pods import (
    Raw,
    applied,
    config_of,
    container,
    hold,
    hook_of,
    injection,
    pod,
    warnings_of,
)

HTTP = [{"name": "http", "containerPort": 8080}]
ADMIN = [{"name": "admin", "containerPort": 8081}]
TAKEN = [{"name": "own", "mountPath": "/lossless"}]
AT = "spec.close[0].nginx.http2: "


def close(**http2: Any) -> list[Raw]:
    """Return a spec's close drivers."""
    return [{"nginx": {"http2": http2}}]


def reloading(after: Raw) -> dict[str, str]:
    """Return the commands that reload nginx, by container."""
    found = {}
    for one in after["spec"]["containers"]:
        command = one["lifecycle"]["preStop"].get("exec", {}).get("command", ["", "", ""])
        for line in command[2].splitlines():
            if "lossless: nginx" in line:
                found[one["name"]] = line.strip(" {").partition(" || ")[0]
    return found


@pytest.mark.parametrize(
    ("containers", "http2", "name"),
    [
        pytest.param(
            [container("app", ports=HTTP), container("nginx", ports=ADMIN)], {}, "nginx", id="named"
        ),
        pytest.param(
            [container("helper"), container("web", ports=HTTP)], {}, "web", id="the-one-that-serves"
        ),
        pytest.param([container("web"), container("helper")], {}, "web", id="the-first-of-none"),
        pytest.param(
            [container("nginx", ports=HTTP), container("web", ports=ADMIN)],
            {"container": "web"},
            "web",
            id="asked-for",
        ),
    ],
)
def test_the_container_in_which_nginx_runs(containers: list[Raw], http2: Raw, name: str) -> None:
    """It waits for a file, in a shell that the field says is there; the others are as ever."""
    raw = pod(*containers)
    decided = injection(raw, close=close(**http2))
    after = applied(raw, list(decided.operations))

    assert reloading(after) == {name: "nginx -s reload"}
    assert hook_of(after, name)["exec"]["command"][0] == "/bin/sh"
    assert config_of(after).file_holds == (name,)
    assert warnings_of(decided) == ()
    assert injection(after, close=close(**http2)).operations == ()


@pytest.mark.parametrize(
    ("spec", "after"),
    [
        pytest.param({"close": close()}, 60, id="by-default"),
        pytest.param(
            {"close": close(), "drain": {"clientIdleTimeout": "20.5s"}}, 21, id="idle-timeout"
        ),
        pytest.param({"close": close(reload="AfterPropagation")}, 5, id="propagation"),
    ],
)
def test_when_nginx_is_reloaded(spec: Raw, after: int) -> None:
    """Seconds from the drain's start; the hold as a whole becomes no longer."""
    raw = pod(container("nginx"))
    script = hook_of(applied(raw, list(injection(raw, **spec).operations)), "nginx")["exec"][
        "command"
    ][2]

    assert f'"$n" -ge {after} ]' in script
    assert f'"$n" -lt {305 - after} ]' in script


@pytest.mark.parametrize(
    ("hook", "own", "told"),
    [
        pytest.param({"exec": {"command": ["/stop", "a"]}}, ["/stop", "a"], (), id="a-program"),
        pytest.param({"exec": {"command": ["bash", "/x"]}}, ["bash", "/x"], (), id="a-shell"),
        pytest.param({"sleep": {"seconds": 9}}, [], (SleepHook("nginx", 9.0),), id="a-sleep"),
        pytest.param(hold("nginx"), [], (), id="our-hold"),
    ],
)
def test_its_own_hook_keeps_its_function(hook: Raw, own: list[str], told: tuple[Any, ...]) -> None:
    """It is wrapped, or the agent does it, as in every container that is held by a file."""
    raw = pod(container("nginx", pre_stop=hook))
    decided = injection(raw, close=close(command=["kill", "-HUP", "1"]))
    after = applied(raw, list(decided.operations))

    assert reloading(after) == {"nginx": "kill -HUP 1"}
    assert hook_of(after, "nginx")["exec"]["command"][4:] == own
    assert config_of(after).hooks == told
    assert warnings_of(decided) == ()
    assert injection(after, close=close(command=["kill", "-HUP", "1"])).operations == ()


@pytest.mark.parametrize(
    ("containers", "drivers", "problem"),
    [
        pytest.param(
            [container("web", ports=HTTP), container("admin", ports=ADMIN)],
            close(),
            AT + "it cannot be told in which of web, admin nginx runs; name it in container",
            id="several",
        ),
        pytest.param(
            [container("web")],
            close(container="nginx"),
            AT + "no container nginx runs in this pod; correct container",
            id="nobody",
        ),
        pytest.param(
            [container("nginx")],
            close() + close(),
            "spec.close[1].nginx.http2: container nginx is reloaded by spec.close[0].nginx.http2"
            " already; remove one",
            id="twice",
        ),
        pytest.param(
            [container("nginx", volumeMounts=TAKEN)],
            close(),
            AT + "container nginx cannot have nginx reload in a drain, because it cannot see"
            " /lossless; mount elsewhere what is there",
            id="a-volume-in-the-way",
        ),
        pytest.param(
            [container("nginx", pre_stop={"httpGet": {"port": 443, "scheme": "HTTPS"}})],
            close(),
            AT + "container nginx cannot have nginx reload in a drain, because it keeps its own"
            " preStop; remove that",
            id="a-hook-that-stays",
        ),
    ],
)
def test_what_keeps_nginx_from_being_reloaded_is_told(
    containers: list[Raw], drivers: list[Raw], problem: str
) -> None:
    """In the warning, and on the pod for its LosslessRollout's status."""
    raw = pod(*containers)
    decided = injection(raw, close=drivers)
    after = applied(raw, list(decided.operations))

    assert problem in warnings_of(decided)
    assert problem in after["metadata"]["annotations"][INCOMPLETE_ANNOTATION]


def test_a_sidecar_that_is_nginx_is_held_where_others_sleep() -> None:
    """A sleep could not reload it."""
    raw = pod(container("app", ports=HTTP), container("nginx"), container("other"))
    decided = injection(raw, close=close(), sidecars={"order": "Sleep"})
    after = applied(raw, list(decided.operations))

    assert reloading(after) == {"nginx": "nginx -s reload"}
    assert hook_of(after, "other") == {"sleep": {"seconds": 100}}
