"""Pods on their node's network: an agent on a port of its own, and holds that only it answers."""

import json
from copy import deepcopy
from typing import Any

import pytest

from lossless.injection.inject import inject
from lossless.model.drain.agent_config import Probe
from lossless.model.drain.hooks import HttpHook
from lossless.model.names import AGENT_PORT_ANNOTATION
from lossless.webhook.review import Context, answer, parse_review
from tests.injection.pods import (
    SETTINGS,
    Raw,
    agent_of,
    applied,
    config_of,
    container,
    hook_of,
    injected,
    injection,
    patch_in,
    pod,
    review,
    rollout,
    spec,
    warnings_of,
)

HTTP: Raw = {"name": "http", "containerPort": 8080}


def host_pod(*containers: Raw, annotations: dict[str, str] | None = None, **fields: Any) -> Raw:
    """Return a pod on its node's network; without containers it has one with a port."""
    raw = pod(*(containers or (container("app", ports=[HTTP]),)), hostNetwork=True, **fields)
    if annotations:
        raw["metadata"]["annotations"] = annotations
    return raw


def admitted(raw: Raw, uid: str, **fields: Any) -> Raw:
    """Return the pod after its admission under this id."""
    decided = inject(raw, "web", spec(**fields), SETTINGS, gate=True, review=uid)
    assert decided.injected, warnings_of(decided)
    return applied(raw, list(decided.operations))


def test_its_agent_has_a_port_of_its_own() -> None:
    """The port is declared as a host port, so that the scheduler knows of it."""
    after = admitted(host_pod(), "7a3f")

    assert agent_of(after)["ports"] == [
        {"name": "lossless", "containerPort": 28080, "hostPort": 28080, "protocol": "TCP"}
    ]
    config = config_of(after)
    assert (config.agent_port, config.host_network, config.hold_key) == (28080, True, "7a3f")
    assert config.ports == (8080,)


def test_its_holds_go_to_loopback_and_carry_its_key() -> None:
    """There is no pod address to send them to, and other agents may be behind the same one."""
    after = admitted(host_pod(), "7a3f")

    assert hook_of(after) == {
        "httpGet": {
            "path": "/v1/hold/app/7a3f/305",
            "port": 28080,
            "scheme": "HTTP",
            "host": "127.0.0.1",
        }
    }


def test_another_pods_agent_holds_it_for_as_long_as_its_own_sleep() -> None:
    """A stranger answers when it must be over: here the sleep outlasts the longest drain."""
    sleeper = container("app", ports=[HTTP], pre_stop={"sleep": {"seconds": 400}})
    after = admitted(host_pod(sleeper), "7a3f")

    assert hook_of(after)["httpGet"]["path"] == "/v1/hold/app/7a3f/405"


@pytest.mark.parametrize("hook", [None, {"sleep": {"seconds": 400}}], ids=["none", "long-sleep"])
def test_a_second_pass_changes_nothing(hook: Raw | None) -> None:
    """It is another request with another id, and the key stays."""
    after = admitted(host_pod(container("app", ports=[HTTP], pre_stop=hook)), "7a3f")
    again = inject(deepcopy(after), "web", spec(), SETTINGS, gate=True, review="0b1c")

    assert again.operations == ()


def test_a_container_that_comes_later_gets_the_same_key() -> None:
    """Another webhook has added it between two passes."""
    after = admitted(host_pod(), "7a3f")
    after["spec"]["containers"].append(container("late"))
    again = admitted(after, "0b1c")

    assert hook_of(again, "late")["httpGet"]["path"].startswith("/v1/hold/late/7a3f/")
    assert config_of(again).hold_key == "7a3f"


def test_the_key_is_of_the_admission() -> None:
    """Two pods of one template never have the same."""
    context = Context(rollouts=(rollout(),), leader=True, agent=SETTINGS)
    for uid in ("one", "two"):
        request = parse_review(json.dumps(review(host_pod(), uid=uid)).encode())
        after = applied(host_pod(), patch_in(answer(request, context).body))
        assert config_of(after).hold_key == uid


def test_the_template_may_name_the_port() -> None:
    """For two workloads whose ports would lead to the same; and off the node's network, too."""
    named = {AGENT_PORT_ANNOTATION: "20500"}
    after = admitted(host_pod(annotations=named), "7a3f")
    assert config_of(after).agent_port == 20500
    assert hook_of(after)["httpGet"]["port"] == 20500

    raw = pod(container("app", ports=[{"containerPort": 9913}]))
    raw["metadata"]["annotations"] = named
    after = injected(raw)
    assert "hostPort" not in agent_of(after)["ports"][0]
    assert hook_of(after)["httpGet"] == {
        "path": "/v1/hold/app",
        "port": 20500,
        "scheme": "HTTP",
    }
    assert injection(deepcopy(after)).operations == ()


def test_handlers_on_loopback_are_the_pods_own() -> None:
    """The kubelet's loopback is the pod's: a probe or hook that names it goes nowhere else."""
    own = {"httpGet": {"path": "/bye", "port": "http", "host": "127.0.0.1", "scheme": "HTTP"}}
    probe = {"tcpSocket": {"port": 8080, "host": "127.0.0.1"}, "periodSeconds": 5}
    app = container("app", pre_stop=own, ports=[HTTP], readinessProbe=probe)
    config = config_of(admitted(host_pod(app), "7a3f"))

    assert config.hooks == (HttpHook("app", 8080, "/bye", ()),)
    assert config.probes == (Probe(8080, 5.0, 1.0),)

    elsewhere = config_of(injected(pod(deepcopy(app))))
    assert (elsewhere.hooks, elsewhere.probes) == ((), ())


@pytest.mark.parametrize(
    ("raw", "fields", "why"),
    [
        pytest.param(
            host_pod(container("app")),
            {},
            "declare the ports that serve clients in its containers",
            id="no port",
        ),
        pytest.param(
            host_pod(container("app", ports=[{"containerPort": 53, "protocol": "UDP"}])),
            {},
            "no TCP port of it is known",
            id="UDP alone",
        ),
        pytest.param(
            host_pod(),
            {"ports": [9000]},
            "spec.ports names 9000, which none of its containers declares",
            id="a number that is not declared",
        ),
        pytest.param(
            host_pod(),
            {"ports": ["grpc"]},
            "no TCP port of it is known",
            id="a name that is not declared",
        ),
        pytest.param(
            host_pod(annotations={AGENT_PORT_ANNOTATION: "80"}),
            {},
            "annotation lossless.dev/agent-port: '80': must be a port from 1024 to 65535",
            id="no port for an agent",
        ),
        pytest.param(
            host_pod(annotations={AGENT_PORT_ANNOTATION: "8080"}),
            {},
            "container app uses port 8080 (http), which is the agent's",
            id="its own port for the agent",
        ),
    ],
)
def test_what_is_refused(raw: Raw, fields: Raw, why: str) -> None:
    """Where its connections or its agent could not be told from others': it passes as it is."""
    decided = injection(raw, **fields)

    assert (decided.operations, decided.injected) == ((), False)
    (warning,) = warnings_of(decided)
    assert warning.startswith("not injected: ")
    assert why in warning
