"""What the webhook tells the agent."""

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossless.model.close_drivers import (
    EnvoyClose,
    FileAction,
    FileClose,
    HaproxyClose,
    Header,
    HttpClose,
    Method,
    MiddlewareClose,
    NginxClose,
)
from lossless.model.counters import (
    EnvoyStats,
    HaproxyStats,
    NginxStatus,
    Prometheus,
    ZeroMeans,
)
from lossless.model.drain.agent_config import AgentConfig, Probe, parse_agent_config
from lossless.model.drain.hooks import HttpHook, SleepHook
from lossless.model.drain.release_rule import Barrier
from lossless.model.names import AGENT_PORT, STATUS_FILE
from lossless.model.nginx_reload import Reload, ReloadClose, ReloadTime
from lossless.model.policy import DrainPolicy, IdleConnections, OnTimeout
from lossless.model.status_flag import FlagAnswer, StatusFlag

CONFIG = AgentConfig(
    rollout="web",
    ports=(8080, 9000),
    drain=DrainPolicy(
        client_idle_timeout=30.0,
        idle_connections=IdleConnections.WAIT,
        propagation=1.5,
        quiet=2.0,
        timeout=90.0,
        on_timeout=OnTimeout.CONTINUE,
    ),
    probes=(Probe(port=8080, period=10.0, timeout=1.0),),
    status_files=(STATUS_FILE, "/status/on"),
    agent_port=9914,
    host_network=True,
    hold_key="7a3f",
    hooks=(HttpHook("app", 81, "/stop?x=1", (("X-Key", "1"),)), SleepHook("log", 90.0)),
    file_holds=("shell",),
    barrier=Barrier(("log", "sql"), (8080,), 45.0),
    grace=45.0,
    status_flag=StatusFlag("/lb", FlagAnswer(201, "UP"), FlagAnswer(404, "")),
    close=(
        NginxClose("/status/on"),
        NginxClose(http2=Reload(ReloadTime.AFTER_PROPAGATION, "web", ("kill", "-HUP", "1"))),
        NginxClose(reload=ReloadClose()),
        NginxClose("/status/on", reload=ReloadClose("web", ("kill", "-HUP", "1"))),
        MiddlewareClose("/status/on"),
        EnvoyClose(9902),
        HaproxyClose("/run/h.sock", variable="proc.leave"),
        HaproxyClose(port=9999),
        HttpClose(7001, "/go?x", Method.PUT, (Header("X-A", "b"),), "now", 0.25, 0),
        FileClose("/on"),
        FileClose("/off", FileAction.CREATE),
    ),
    metrics=(
        NginxStatus(8080, "/s"),
        EnvoyStats(9902),
        HaproxyStats("/run/h.sock"),
        HaproxyStats(port=9999),
        Prometheus(9090, "open", "/m", (("a", "b"), ("c", "")), ZeroMeans.NO_CONNECTIONS),
    ),
    out_of_reach=("/run/h.sock",),
)


def without(*path: str) -> str:
    """Return the document without one of its keys."""
    raw = json.loads(CONFIG.to_json())
    inner = raw
    for key in path[:-1]:
        inner = inner[key]
    del inner[path[-1]]
    return json.dumps(raw)


def test_what_is_written_is_read_again() -> None:
    """Webhook and agent speak of the same configuration."""
    assert parse_agent_config(CONFIG.to_json()) == CONFIG


def test_equal_configurations_are_equal_text() -> None:
    """Otherwise a second admission pass would see a change where there is none."""
    assert CONFIG.to_json() == parse_agent_config(CONFIG.to_json()).to_json()


def test_unknown_keys_are_ignored() -> None:
    """A newer webhook may know more than this agent."""
    raw = json.loads(CONFIG.to_json()) | {"colour": "blue"}

    assert parse_agent_config(json.dumps(raw)) == CONFIG


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        pytest.param("statusFiles", {"status_files": (STATUS_FILE,)}, id="status-files"),
        pytest.param("hooks", {"hooks": ()}, id="hooks"),
        pytest.param("fileHolds", {"file_holds": ()}, id="file-holds"),
        pytest.param("barrier", {"barrier": Barrier()}, id="barrier"),
        pytest.param("grace", {"grace": 30.0}, id="grace"),
        pytest.param("agentPort", {"agent_port": AGENT_PORT}, id="agent-port"),
        pytest.param("hostNetwork", {"host_network": False}, id="host-network"),
        pytest.param("holdKey", {"hold_key": ""}, id="hold-key"),
        pytest.param("probes", {"probes": ()}, id="probes"),
        pytest.param("statusFlag", {"status_flag": StatusFlag()}, id="status-flag"),
        pytest.param("close", {"close": ()}, id="close"),
        pytest.param("metrics", {"metrics": ()}, id="metrics"),
        pytest.param("outOfReach", {"out_of_reach": ()}, id="out-of-reach"),
    ],
)
def test_later_additions_have_defaults(key: str, expected: dict[str, object]) -> None:
    """An older webhook may not know them yet."""
    wanted = dataclasses.replace(CONFIG, **expected)  # type: ignore[arg-type] # one field each

    assert parse_agent_config(without(key)) == wanted


@pytest.mark.parametrize(
    ("key", "item", "told"),
    [
        pytest.param("close", {"traefik": {"port": 1}}, "close[0]: {'traefik'", id="driver"),
        pytest.param("close", {"envoy": {"adminPort": 0}}, "close[0].envoy.adminPort", id="port"),
        pytest.param("close", "nginx", "close[0]: 'nginx'", id="no-object"),
        pytest.param("metrics", {"statsd": {}}, "metrics[0]: {'statsd'", id="counter"),
        pytest.param("hooks", {"container": "a", "grpc": 1}, "hooks[0]: {'container'", id="hook"),
        pytest.param(
            "hooks",
            {"container": "a", "port": "http", "path": "/"},
            "hooks[0]: ",
            id="port-by-name",
        ),
        pytest.param(
            "hooks",
            {"container": "a", "port": 1, "path": "/", "headers": [["X-Key"]]},
            "hooks[0]: ",
            id="header-without-a-value",
        ),
    ],
)
def test_what_only_a_newer_webhook_knows_is_a_problem(key: str, item: object, told: str) -> None:
    """The agent leaves it out, says so, and does all the rest."""
    raw = json.loads(CONFIG.to_json())
    raw[key].insert(0, item)
    config = parse_agent_config(json.dumps(raw))
    (problem,) = config.problems

    assert dataclasses.replace(config, problems=()) == CONFIG
    assert problem.startswith(told)
    assert problem.endswith("; this agent leaves it out")


def test_a_list_that_is_none_is_a_problem() -> None:
    """It does not cost the rest of the configuration."""
    raw = json.loads(CONFIG.to_json()) | {"close": {"nginx": {}}}
    config = parse_agent_config(json.dumps(raw))

    assert (config.close, config.metrics) == ((), CONFIG.metrics)
    assert config.problems == ("close: {'nginx': {}} is not a list",)


@pytest.mark.parametrize(
    ("flag", "told"),
    [
        pytest.param(
            {"path": "/v2/up", "serving": {"status": 0}}, "statusFlag.serving", id="value"
        ),
        pytest.param("/up", "agent.statusFlag: '/up'", id="no-object"),
    ],
)
def test_a_status_flag_that_only_a_newer_webhook_knows_is_a_problem(flag: Any, told: str) -> None:
    """The agent answers as it would without one, says so, and does all the rest."""
    config = parse_agent_config(json.dumps(json.loads(CONFIG.to_json()) | {"statusFlag": flag}))
    (problem,) = config.problems

    assert config == dataclasses.replace(CONFIG, status_flag=StatusFlag(), problems=config.problems)
    assert problem.startswith(told)
    assert problem.endswith("; this agent answers by its defaults")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("{", id="not-json"),
        pytest.param("[]", id="a-list"),
        pytest.param("null", id="null"),
        pytest.param(without("rollout"), id="no-rollout"),
        pytest.param(without("ports"), id="no-ports"),
        pytest.param(without("drain"), id="no-drain"),
        pytest.param(without("drain", "quiet"), id="no-quiet"),
        pytest.param(CONFIG.to_json().replace("8080", '"http"'), id="a-port-by-name"),
        pytest.param(CONFIG.to_json().replace("8080", "Infinity"), id="an-infinite-port"),
        pytest.param("[" * 100_000, id="deep"),
        pytest.param(CONFIG.to_json().replace('"Wait"', "1"), id="no-choice"),
        pytest.param(CONFIG.to_json().replace('"timeout":90.0', '"timeout":null'), id="no-number"),
        pytest.param(CONFIG.to_json().replace('["shell"]', '"shell"'), id="a-text-for-a-list"),
        pytest.param(CONFIG.to_json().replace('["shell"]', "[1]"), id="a-number-for-a-text"),
    ],
)
def test_what_is_no_configuration_is_a_value_error(text: str) -> None:
    """The agent catches exactly this, and goes on with safe defaults."""
    with pytest.raises(ValueError):  # noqa: PT011 # json's texts and ours
        parse_agent_config(text)


@given(st.text(max_size=300))
def test_any_text_is_a_configuration_or_a_value_error(text: str) -> None:
    """No text makes the parser fail in another way."""
    with pytest.raises(ValueError):  # noqa: PT011 # its text depends on the input
        parse_agent_config(text)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["port", "period", "quiet", "timeout"]), inner, max_size=3
        )
    ),
)


@given(st.dictionaries(st.sampled_from(sorted(json.loads(CONFIG.to_json()))), _JSON))
def test_any_json_in_its_place_is_read_or_a_value_error(keys: dict[str, object]) -> None:
    """A damaged document never raises anything that the agent does not expect."""
    raw = json.loads(CONFIG.to_json()) | keys
    try:
        parse_agent_config(json.dumps(raw))
    except ValueError:
        return
