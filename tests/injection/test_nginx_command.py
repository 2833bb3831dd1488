"""How nginx is reloaded, by how its container starts it."""

import pytest

from lossless.injection.admission_pod import ServingContainer
from lossless.injection.nginx_command import UnknownCommand, reload_command
from lossless.injection.reading import read_pod
from tests.injection.pods import Raw, container, pod

DEFAULT = ("nginx", "-s", "reload")
OWN = ("nginx", "-c", "/etc/my.conf", "-s", "reload")
OFF = "daemon off;"


def started_by(fields: Raw) -> ServingContainer:
    """Return a container as it is read."""
    (found,) = read_pod(pod(container("web", **fields))).containers
    return found


@pytest.mark.parametrize(
    ("started", "command"),
    [
        pytest.param({}, DEFAULT, id="by-its-image"),
        pytest.param({"args": []}, DEFAULT, id="with-nothing"),
        pytest.param({"command": ["/start"], "args": ["-c", "/x"]}, DEFAULT, id="by-a-program"),
        pytest.param(
            {"command": ["nginx", "-g", OFF, "-c", "/etc/my.conf"]},
            ("nginx", "-g", OFF, "-c", "/etc/my.conf", "-s", "reload"),
            id="with-g",
        ),
        pytest.param({"command": ["nginx", "-c", "/etc/my.conf"]}, OWN, id="command"),
        pytest.param({"args": ["nginx", "-c", "/etc/my.conf"]}, OWN, id="args"),
        pytest.param({"args": ["-c", "/etc/my.conf"]}, DEFAULT, id="args-of-who-knows-what"),
        pytest.param(
            {"image": "shop/nginx", "args": ["-c", "/etc/my.conf"]}, OWN, id="args-of-nginx"
        ),
        pytest.param({"command": ["nginx"], "args": ["-c", "/etc/my.conf"]}, OWN, id="both"),
        pytest.param(
            {"command": ["nginx", "-q", "-c/etc/my.conf"]},
            ("nginx", "-c/etc/my.conf", "-s", "reload"),
            id="in-one-word",
        ),
        pytest.param(
            {"command": ["/opt/nginx/sbin/nginx", "-p", "/opt/nginx", "-e", "stderr"]},
            ("/opt/nginx/sbin/nginx", "-p", "/opt/nginx", "-e", "stderr", "-s", "reload"),
            id="all-others",
        ),
        pytest.param(
            {"command": ["tini", "--", "openresty", "-p", "/w"]},
            ("openresty", "-p", "/w", "-s", "reload"),
            id="behind-an-init",
        ),
        pytest.param(
            {"command": ["sh", "-c", "envsubst <a >b && exec nginx -c /etc/my.conf"]},
            OWN,
            id="by-a-shell",
        ),
        pytest.param(
            {"command": ["/bin/bash", "-ec"], "args": ["nginx -c /etc/my.conf; echo -p"]},
            OWN,
            id="in-a-script",
        ),
        pytest.param(
            {"command": ["sh", "-c", "nginx -g 'daemon off;'"]},
            ("nginx", "-g", OFF, "-s", "reload"),
            id="quoted",
        ),
        pytest.param({"command": ["sh", "-c", "nginx -g 'never closed"]}, DEFAULT, id="no-script"),
        pytest.param({"command": ["/docker-entrypoint.sh", "nginx"]}, DEFAULT, id="the-images"),
        pytest.param({"command": ["sh"], "args": ["-c"]}, DEFAULT, id="a-shell-alone"),
        pytest.param({"command": ["nginx", "-c"]}, ("nginx", "-c", "", "-s", "reload"), id="cut"),
    ],
)
def test_it_is_told_of_the_same_files(started: Raw, command: tuple[str, ...]) -> None:
    """Else nginx would look for its master in the pid file of another configuration."""
    assert reload_command(started_by(started)) == command


@pytest.mark.parametrize("text", ["nginx -c $FILE", "nginx -c $(FILE)"])
def test_what_a_hook_cannot_know_is_said(text: str) -> None:
    """Variables of a shell, and those that the kubelet fills in."""
    found = reload_command(started_by({"command": ["sh", "-c", text]}))

    assert isinstance(found, UnknownCommand)
    assert found.reason.startswith("it starts nginx by nginx -c '$")
    assert found.remedy == "name the command with their values in command"
