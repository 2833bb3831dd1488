"""A host's configuration: what is meant is understood, and what cannot work is refused in words."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossless.host.config import HostConfig, Program, parse_config, read_config
from lossless.model.close_drivers import EnvoyClose, HttpClose, MiddlewareClose, NginxClose
from lossless.model.counters import NginxStatus
from lossless.model.drain.agent_config import Probe
from lossless.model.policy import IdleConnections

LEAST = """
statusFiles = ["/srv/on"]
ports = [8080]
[app]
unit = "web.service"
[ready]
url = "http://localhost:8081/healthz?deep=1"
"""
WHOLE = """
statusFiles = ["/srv/on", "/srv/too"]
ports = [8080, 8443]
networkNamespace = "blue"
stateDirectory = "/srv/state"
close = [
  {nginx = {}}, {nginx = {statusFile = "/srv/own"}}, {envoy = {}}, {http = {port = 7001}},
  {middleware = {}},
]
reopen = [{http = {port = 7001, path = "/wake", retries = 0}}]
metrics = [{nginxStatus = {port = 8080}}]
[drain]
clientIdleTimeout = "30s"
idleConnections = "Wait"
[proxy]
stop = "nginx -s quit && sleep 1"
start = ["nginx"]
timeout = "10s"
[app]
stop = ["supervisorctl", "stop", "web"]
start = ["supervisorctl", "start", "web"]
[ready]
url = "http://10.0.0.5:8081"
status = [200, 204]
successes = 5
interval = "100ms"
timeout = "1m"
[loadBalancer]
timeout = "5s"
required = true
checks = [{from = ["10.0.0.2", "10.0.0.3"], port = 8080, interval = "1s", timeout = "500ms"}]
"""


def test_little_is_needed() -> None:
    """The rest has defaults."""
    config = parse_config(LEAST)

    assert config.status_files == ("/srv/on",)
    assert config.app == Program(
        ("systemctl", "stop", "web.service"), ("systemctl", "start", "web.service"), 60.0
    )
    assert config.ready.url == "http://127.0.0.1:8081/healthz?deep=1"
    assert (config.proxy, config.network_namespace) == (None, "")
    assert config.state_directory == "/var/lib/lossless"


def test_everything_can_be_said() -> None:
    """In the terms of a LosslessRollout where there are some."""
    config = parse_config(WHOLE)

    assert config.network_namespace == "/run/netns/blue"
    assert config.close == (
        NginxClose("/srv/on"),
        NginxClose("/srv/own"),
        EnvoyClose(),
        HttpClose(7001),
        MiddlewareClose("/srv/on"),
    )
    assert config.reopen == (HttpClose(7001, "/wake", retries=0),)
    assert config.metrics == (NginxStatus(8080),)
    assert config.drain.client_idle_timeout == 30.0
    assert config.drain.idle_connections is IdleConnections.WAIT
    assert config.proxy == Program(("/bin/sh", "-c", "nginx -s quit && sleep 1"), ("nginx",), 10.0)
    assert (config.ready.status, config.ready.interval) == ((200, 204), 0.1)
    assert config.load_balancer.addresses == ("10.0.0.2", "10.0.0.3")
    assert config.load_balancer.checks == (Probe(8080, 1.0, 0.5), Probe(8080, 1.0, 0.5))


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        pytest.param('["/srv/on"]', "[]", "statusFiles: .*1 to 64 items", id="no-flag"),
        pytest.param('"/srv/on"', '"on"', "^statusFiles: 'on': .*absolute", id="relative-flag"),
        pytest.param("[8080]", '["http"]', "^ports: 'http'", id="a-name-for-a-port"),
        pytest.param("ports", "port", "^port: .*known: statusFiles, ports", id="misspelt"),
        pytest.param("[app]", "[app]\nstop = 'x'", "app.unit: .*remove", id="unit-and-stop"),
        pytest.param('unit = "web.service"', "stop = 'x'", "app.start: None", id="no-start"),
        pytest.param('unit = "web.service"', "stop = []", r"app.stop: \[\]", id="empty-command"),
        pytest.param("http://", "https://", "ready.url: .*must look like", id="https"),
        pytest.param("localhost", "web.example", "ready.url: .*address", id="a-name-to-resolve"),
        pytest.param(":8081", ":99999", "ready.url", id="no-port"),
        pytest.param(
            "[app]",
            '[drain]\ntimeout = "2s"\n[app]',
            "^drain.timeout: '2s': is shorter than propagation",
            id="no-drain-could-succeed",
        ),
        pytest.param(
            "[app]",
            '[drain]\ntimout = "2m"\n[app]',
            "^drain.timout: .*is not known",
            id="misspelt-in-the-drain",
        ),
        pytest.param(
            "[app]",
            "close = [{nginx = {http2 = {}}}]\n[app]",
            "^close.0..nginx.http2: .*a pod's preStop hook",
            id="a-hook-of-a-pod",
        ),
        pytest.param(
            "[app]",
            "close = [{nginx = {reload = {}}}]\n[app]",
            "^close.0..nginx.reload: .*a pod's preStop hook",
            id="another-hook-of-a-pod",
        ),
        pytest.param(
            "[app]",
            '[proxy]\nunit = "nginx"\n[app]',
            "",
            id="fine-with-a-proxy",
        ),
        pytest.param(
            'url = "http://localhost:8081',
            'url = "http://localhost:8080',
            "",
            id="fine-without-a-proxy",
        ),
        pytest.param(
            "[app]",
            "[loadBalancer]\nchecks = [{from = ['lb'], port = 1}]\n[app]",
            r"loadBalancer.checks\[0\].from: 'lb': must be addresses",
            id="a-check-from-a-name",
        ),
        pytest.param(
            "ports = [8080]",
            "ports = [8080]\nreopen = [{envoy = {}}]",
            r"reopen\[0\]: .*taken back by itself",
            id="reopen-what-reopens-itself",
        ),
        pytest.param("[app]", "[app", "is not TOML", id="not-toml"),
    ],
)
def test_what_cannot_work_is_refused(old: str, new: str, complaint: str) -> None:
    """With the field, its value and the remedy."""
    document = LEAST.replace(old, new)
    assert document != LEAST
    if not complaint:
        parse_config(document)
        return
    with pytest.raises(ValueError, match=complaint):
        parse_config(document)


def test_the_proxy_does_not_answer_for_the_application() -> None:
    """It is started only once the application answers, so this publish could never end."""
    document = WHOLE.replace("http://10.0.0.5:8081", "http://10.0.0.5:8080")

    with pytest.raises(ValueError, match=r"ready\.url: .*asks the proxy"):
        parse_config(document)


def test_the_file_is_named(tmp_path: Path) -> None:
    """A host may have several."""
    path = tmp_path / "host.toml"
    path.write_text("ports = 1")

    with pytest.raises(ValueError, match=f"^{path}: statusFiles"):
        read_config(str(path))


@given(st.text())
def test_any_text_is_a_configuration_or_refused(document: str) -> None:
    """Nothing else happens."""
    with pytest.raises(ValueError, match=r"."):
        parse_config(document)


def test_a_path_is_a_namespace_too() -> None:
    """For those that ``ip netns`` did not make."""
    config = parse_config('networkNamespace = "/proc/7/ns/net"' + LEAST)

    assert replace(config, network_namespace="") == parse_config(LEAST)
    assert isinstance(config, HostConfig)
    assert config.network_namespace == "/proc/7/ns/net"
