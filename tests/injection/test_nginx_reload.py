"""Which container reloads nginx, and what keeps it from doing so."""

from typing import Any

import pytest

from lossless.model.close_drivers import NginxClose
from lossless.model.drain.hooks import SleepHook
from lossless.model.names import INCOMPLETE_ANNOTATION
from lossless.model.nginx_reload import ReloadClose
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


def reload(**fields: Any) -> list[Raw]:
    """Return a spec's close driver that tells all clients."""
    return [{"nginx": {"reload": fields}}]


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
            [container("app", ports=HTTP), container("front", command=["nginx"])],
            {},
            "front",
            id="by-its-command",
        ),
        pytest.param(
            [container("app", ports=HTTP), container("front", image="reg.example:5/x/nginx")],
            {},
            "front",
            id="by-its-image",
        ),
        pytest.param(
            [container("web", ports=HTTP, command=["nginx"]), container("b", image="nginx")],
            {},
            "web",
            id="two-that-look-like-it",
        ),
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


MOST = reload()
SAFELY = (
    'case "$(nginx -T 2>&1)" in\n  *keepalive_min_timeout*) nginx -s reload'
    ' || echo "lossless: nginx was not reloaded, clients stay" ;;\n'
)


def test_nginx_is_reloaded_at_once_and_whenever_the_agent_asks() -> None:
    """If it keeps idle connections; the agent is told to look for those who come later."""
    raw = pod(container("nginx", image="nginx:1.28", ports=HTTP))
    decided = injection(raw, close=MOST)
    after = applied(raw, list(decided.operations))
    script = hook_of(after, "nginx")["exec"]["command"][2]

    assert script.count(SAFELY) == 2
    assert '"$n" -ge 0 ]' in script
    assert "/lossless/reload.$n" in script
    assert config_of(after).close == (NginxClose(reload=ReloadClose()),)
    assert warnings_of(decided) == ()
    assert injection(after, close=MOST).operations == ()


def test_a_command_of_ones_own_is_not_doubted() -> None:
    """Nothing tells what prints the configuration of that nginx."""
    raw = pod(container("nginx"))
    after = applied(
        raw, list(injection(raw, close=reload(command=["kill", "-HUP", "1"])).operations)
    )
    script = hook_of(after, "nginx")["exec"]["command"][2]

    assert "kill -HUP 1 || echo" in script
    assert "keepalive_min_timeout" not in script


IN_VAIN = AT.replace("http2", "reload")
AT_ONE = "kill -HUP 1"


@pytest.mark.parametrize(
    ("fields", "spec", "close", "problem"),
    [
        pytest.param(
            {"image": "nginx:1.22"},
            {},
            reload(),
            "image nginx:1.22 of container nginx is older than nginx 1.27.4, which has no"
            " keepalive_min_timeout, so a reload would close idle connections under their clients,"
            " and there will be none; take a newer image, or remove reload and let nginx look at"
            " the status file (docs/nginx.md)",
            id="an-old-nginx",
        ),
        pytest.param(
            {"image": "cgr.dev/chainguard/nginx"},
            {},
            reload(),
            "image cgr.dev/chainguard/nginx of container nginx has no shell by its name, and the"
            " hook that reloads nginx needs one, so there will be no reload; take an image with"
            " /bin/sh, or let nginx look at the status file (docs/nginx.md)",
            id="no-shell",
        ),
        pytest.param(
            {},
            {"shareProcessNamespace": True},
            reload(command=AT_ONE.split()),
            "command kill -HUP 1 would signal the pod's sandbox (shareProcessNamespace) and not"
            " nginx, so it will not be run; remove command: nginx -s reload finds the master by its"
            " pid file",
            id="one-process-namespace",
        ),
        pytest.param(
            {"command": ["sh", "-c", "start-php; nginx -g 'daemon off;'"]},
            {},
            reload(command=AT_ONE.split()),
            "command kill -HUP 1 would signal the container's shell and not nginx, so it will not"
            " be run; remove command: nginx -s reload finds the master by its pid file",
            id="behind-a-shell",
        ),
        pytest.param(
            {"command": ["nginx", "-c", "$(CONFIG)"]},
            {},
            reload(),
            "container nginx: it starts nginx by nginx -c '$(CONFIG)', and a hook does not know its"
            " variables; name the command with their values in command",
            id="variables",
        ),
    ],
)
def test_a_reload_that_would_lose_or_do_nothing_is_left_out(
    fields: Raw, spec: Raw, close: list[Raw], problem: str
) -> None:
    """The container is held without a shell, and what is wrong is told as ever."""
    raw = pod(container("nginx", **fields), **spec)
    decided = injection(raw, close=close)
    after = applied(raw, list(decided.operations))

    assert warnings_of(decided) == (IN_VAIN + problem,)
    assert hook_of(after, "nginx") == hold("nginx")
    assert IN_VAIN + problem == after["metadata"]["annotations"][INCOMPLETE_ANNOTATION]


@pytest.mark.parametrize(
    ("fields", "spec"),
    [
        pytest.param({}, {"shareProcessNamespace": True}, id="one-process-namespace"),
        pytest.param({"command": ["sh", "-c", "php; nginx"]}, {}, id="behind-a-shell"),
        pytest.param({"securityContext": {"readOnlyRootFilesystem": True}}, {}, id="read-only"),
    ],
)
def test_the_pid_file_finds_the_master_wherever_it_is(fields: Raw, spec: Raw) -> None:
    """So none of these is worth a warning."""
    raw = pod(container("nginx", **fields), **spec)
    assert warnings_of(injection(raw, close=MOST)) == ()
