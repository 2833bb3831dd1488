"""Options that cannot work are refused at start, not by every pod's API server."""

from typing import Any

import pytest

from lossless.injection.agent_settings import AgentSettings
from lossless.model.scope import Scope
from lossless.webhook.options import WebhookOptions

AGENT = AgentSettings(image="i")


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        pytest.param({"image": " "}, "agent image ' '", id="no-image"),
        pytest.param({"pull_policy": "Sometimes"}, "'Sometimes': use Always, If", id="policy"),
        pytest.param({"memory": "lots"}, "agent memory 'lots': write a quantity", id="memory"),
        pytest.param({"cpu_request": ""}, "agent cpu_request ''", id="no-request"),
        pytest.param({"run_as_user": 0}, "agent run_as_user 0: must be from 1 to", id="root"),
        pytest.param({"run_as_group": -1}, "agent run_as_group -1: must be from 0", id="group"),
        pytest.param({"run_as_user": 2**31}, "or nothing, to leave it to the platform", id="uid"),
        pytest.param({"cpu_limit": "1 core"}, "agent cpu_limit '1 core'", id="limit"),
    ],
)
def test_agent_settings_are_checked(fields: dict[str, Any], text: str) -> None:
    """The message names the option, what it held and what to write."""
    with pytest.raises(ValueError, match=text):
        AgentSettings(**{"image": "i", **fields})


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        pytest.param({"namespace": ""}, "namespace ''", id="no-namespace"),
        pytest.param({"scope": Scope(("n",))}, "namespace of the installation", id="scope"),
        pytest.param({"port": 70000}, "port 70000: must be from 0 to 65535", id="port"),
        pytest.param({"http_port": -1}, "http port -1", id="http-port"),
        pytest.param({"linger": 601.0}, "linger 601.0: must be from 0 to 600", id="linger"),
        pytest.param({"lease_tolerance": -1.0}, "lease tolerance -1.0", id="tolerance"),
    ],
)
def test_webhook_options_are_checked(fields: dict[str, Any], text: str) -> None:
    """The same for the process."""
    with pytest.raises(ValueError, match=text):
        WebhookOptions(**{"namespace": "n", "agent": AGENT, **fields})


def test_defaults_are_good() -> None:
    """Only namespace and image have to be said."""
    assert WebhookOptions(namespace="n", agent=AGENT).port == 9443
