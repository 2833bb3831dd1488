"""What the environment says, and what becomes of what it does not."""

import json
from typing import Any

import pytest

from lossless.agent.paths import Paths
from lossless.agent.settings import PREFIX_ENV, Settings, read_settings
from lossless.model.drain.agent_config import AgentConfig, Probe
from lossless.model.names import CONFIG_ENV
from lossless.model.policy import DrainPolicy
from tests.agent.builders import a_config

CONFIG = a_config(ports=(80,), probes=(Probe(80, 10.0, 1.0),), status_files=("/status/on",))
DEFAULT = AgentConfig(rollout="", ports=(), drain=DrainPolicy())


def test_a_pod_as_the_webhook_makes_it() -> None:
    """Everything is where the downward API puts it."""
    settings = read_settings(
        {
            CONFIG_ENV: CONFIG.to_json(),
            "POD_NAME": "web-1",
            "POD_NAMESPACE": "shop",
            "POD_UID": "u-1",
            "POD_IP": "10.0.9.9",
            "HOST_IPS": "10.0.0.1,2001:db8::1",
        }
    )

    assert settings == Settings(
        config=CONFIG,
        paths=Paths(status_files=("/status/on",)),
        pod="web-1",
        namespace="shop",
        uid="u-1",
        address="10.0.9.9",
        host_ips=("10.0.0.1", "2001:db8::1"),
    )


def test_outside_a_pod_all_paths_get_a_prefix() -> None:
    """So that nothing of the machine is touched."""
    paths = read_settings({CONFIG_ENV: CONFIG.to_json(), PREFIX_ENV: "/tmp/x"}).paths  # noqa: S108 # only a prefix

    assert [*paths.status_files, paths.draining, paths.released] == [
        "/tmp/x/status/on",  # noqa: S108 # the same
        "/tmp/x/lossless/draining",  # noqa: S108 # the same
        "/tmp/x/lossless/released",  # noqa: S108 # the same
    ]
    assert [paths.marker, paths.control, paths.last_words] == [
        "/tmp/x/run/lossless/drain.json",  # noqa: S108 # the same
        "/tmp/x/run/lossless/control.sock",  # noqa: S108 # the same
        "/tmp/x/dev/termination-log",  # noqa: S108 # the same
    ]


def changed(**keys: object) -> str:
    """Return the configuration with some keys changed."""
    raw: dict[str, Any] = json.loads(CONFIG.to_json())
    return json.dumps(raw | keys)


def drain(**keys: object) -> str:
    """Return the configuration with some keys of the policy changed."""
    return changed(drain=json.loads(CONFIG.to_json())["drain"] | keys)


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        pytest.param(None, "LOSSLESS_CONFIG is not set", id="missing"),
        pytest.param("{", "Expecting property name", id="not-json"),
        pytest.param("{}", "KeyError: 'drain'", id="empty"),
        pytest.param(changed(ports=[0]), "0 is not a port", id="no-such-port"),
        pytest.param(changed(agentPort=70000), "70000 is not a port", id="no-such-agent-port"),
        pytest.param(drain(quiet=-1), "drain.quiet: -1.0 is not a number", id="negative"),
        pytest.param(drain(timeout=float("nan")), "drain.timeout: nan", id="nan"),
        pytest.param(drain(timeout=float("inf")), "drain.timeout: inf", id="endless"),
        pytest.param(
            changed(probes=[{"port": 80, "period": 0, "timeout": 1}]), "has no period", id="period"
        ),
        pytest.param(changed(statusFiles=["on"]), "'on' is not an absolute path", id="status-file"),
        pytest.param(
            changed(hooks=[{"container": "a", "port": 0, "path": "/"}]),
            "0 is not a port",
            id="hook-port",
        ),
        pytest.param(
            changed(hooks=[{"container": "a", "sleep": -1}]), "sleep: -1.0 is not", id="sleep"
        ),
        pytest.param(
            changed(barrier={"sidecars": [], "ports": [], "seconds": float("inf")}),
            "barrier: inf is not a number",
            id="barrier",
        ),
    ],
)
def test_a_broken_configuration_gives_safe_defaults(config: str | None, problem: str) -> None:
    """An agent that refused to start would keep the user's pod from starting."""
    settings = read_settings({} if config is None else {CONFIG_ENV: config})

    assert settings.config == DEFAULT
    assert problem in settings.problem
    assert settings.problem.startswith(CONFIG_ENV)
