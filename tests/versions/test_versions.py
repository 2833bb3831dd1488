"""Programs of two versions side by side, as in every upgrade: nothing crashes, nothing is guessed.

``before`` holds what the version before wrote: no ``statusFlag``, ``hostNetwork`` or ``holdKey``.
``later`` holds what one may write that knows more: fields, kinds and words that this one does not.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from lossless.agent.settings import read_settings
from lossless.cluster.objects import last_words
from lossless.cluster.rollout_status import parse_status, status_document
from lossless.model.conditions import ConditionType
from lossless.model.drain.agent_config import parse_agent_config
from lossless.model.drain.hold_path import AskedHold, parse_hold_path
from lossless.model.drain.hooks import SleepHook
from lossless.model.names import (
    AGENT_CONTAINER,
    AGENT_PORT,
    CONFIG_ENV,
    STATUS_FLAG_PATH,
)
from lossless.model.phases import Phase
from lossless.model.policy import IdleConnections, OnTimeout
from lossless.model.report import DriverState, Report, SourceState, parse_report
from lossless.model.rollout.observation import Unknown
from lossless.model.status import Cause, RolloutPhase
from lossless.model.troubles import Trouble, findings
from lossless.webhook.owner import parse_rollout

HERE = Path(__file__).parent


def text(version: str, name: str) -> str:
    """Return a document of that version as it is sent: on one line."""
    raw = json.loads((HERE / version / f"{name}.json").read_text())
    return json.dumps(raw, separators=(",", ":"))


def gone(message: str) -> dict[str, Any]:
    """Return a pod whose agent has left ``message``."""
    ended = {"exitCode": 0, "message": message}
    return {
        "metadata": {"name": "web-1", "uid": "u-1"},
        "status": {
            "initContainerStatuses": [{"name": AGENT_CONTAINER, "state": {"terminated": ended}}]
        },
    }


def test_an_agent_reads_the_configuration_of_an_older_webhook() -> None:
    """What was added since is as if nobody had asked for it; nothing is complained of."""
    config = parse_agent_config(text("before", "agent-config"))

    assert (config.host_network, config.hold_key, config.agent_port) == (False, "", AGENT_PORT)
    assert config.status_flag.path == STATUS_FLAG_PATH
    assert config.hooks == (SleepHook("app", 15.0),)
    assert [driver.name for driver in config.close] == ["nginx"]
    assert config.problems == ()


def test_an_agent_reads_the_configuration_of_a_later_webhook() -> None:
    """It takes all that it knows, its port and key before all, and names the rest."""
    settings = read_settings({CONFIG_ENV: text("later", "agent-config")})
    config = settings.config

    assert (config.host_network, config.hold_key, config.agent_port) == (True, "k3y", 9914)
    assert config.status_flag.path == "/lb"
    assert (config.ports, config.drain.timeout) == ((8080,), 300.0)
    assert config.drain.idle_connections is IdleConnections.DISCARD
    assert config.drain.on_timeout is OnTimeout.PAUSE
    assert config.hooks == (SleepHook("app", 15.0),)
    assert [driver.name for driver in config.close] == ["nginx"]
    for told in ("onTimeout", "idleConnections", "close[1]", "metrics[0]", "hooks[1]"):
        assert told in settings.problem


def test_an_older_agents_report_is_read() -> None:
    """Its drivers and sources too."""
    report = parse_report(text("before", "report"), uid="u-1")

    assert (report.phase, report.connections.active) == (Phase.DRAINING, 3)
    assert [source.state for source in report.sources] == [SourceState.BUSY]
    assert [driver.state for driver in report.drivers] == [DriverState.DONE]


def test_a_later_agents_report_is_read_as_far_as_it_is_known() -> None:
    """Names are only shown, so any is; an entry in a state that is not known is left out."""
    report = parse_report(text("later", "report"), uid="u-1")

    assert (report.phase, report.connections.active) == (Phase.DRAINING, 3)
    assert [source.name for source in report.sources] == ["kernel", "quic"]
    assert [driver.name for driver in report.drivers] == ["nginx", "caddy"]
    assert [one.kind for one in findings(report)] == [
        Trouble.DRIVER_FAILED,
        Trouble.EVIDENCE_UNREADABLE,
    ]


def test_an_older_agents_last_words_count() -> None:
    """A drain that it finished is finished."""
    said = last_words(gone(text("before", "termination-message")))

    assert isinstance(said, Report)
    assert said.phase is Phase.DRAINED


def test_an_end_that_only_a_later_agent_knows_is_no_drained() -> None:
    """Nobody knows whether clients were left, so it is Unknown, with the word."""
    said = last_words(gone(text("later", "termination-message")))

    assert isinstance(said, Unknown)
    assert "PartlyDrained" in said.cause


def test_an_older_controllers_status_is_read_and_kept() -> None:
    """A new leader goes on where it was; what it writes again is the same."""
    stored = text("before", "status")
    status = parse_status(json.loads(stored))

    assert status.phase is RolloutPhase.PROGRESSING
    assert [(pod.uid, pod.phase) for pod in status.pods] == [("u-1", Phase.DRAINING)]
    assert status.injection is None
    assert status_document(status) == json.loads(stored)


def test_a_later_controllers_status_is_read_as_far_as_it_is_known() -> None:
    """After a rollback: what has a word of its own goes, and is looked at anew."""
    status = parse_status(json.loads(text("later", "status")))

    assert status.phase is None
    assert [condition.type for condition in status.conditions] == [ConditionType.READY]
    assert [(pod.uid, pod.phase) for pod in status.pods] == [("u-1", Phase.DRAINING)]
    assert status.pods[0].troubles == (Trouble.DRIVER_FAILED,)
    assert status.last_rollout is not None
    assert status.last_rollout.drained == 1


def test_injection_stays_suspended_whatever_a_later_controller_calls_the_cause() -> None:
    """An older webhook replica must not give agents to pods that do not start with them."""
    raw = json.loads(text("later", "status"))
    suspension = parse_status(raw).injection
    rollout = parse_rollout({"metadata": {"name": "web"}, "status": raw})

    assert suspension is not None
    assert (suspension.cause, suspension.attempts) == (Cause.CRASH, 1)
    assert rollout.suspended == suspension.reason == "the agent of web-3 is not admitted: quota"


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        pytest.param("/v1/hold", AskedHold(""), id="of-the-first-webhooks"),
        pytest.param("/v1/hold/app", AskedHold("app"), id="without-a-key"),
        pytest.param("/v1/hold/app/key/60", AskedHold("app", "key", 60), id="with-a-key"),
        pytest.param("/v1/hold/app/key/60/later", None, id="of-a-later-one"),
    ],
)
def test_holds_of_every_webhook_are_understood(path: str, asked: AskedHold | None) -> None:
    """A path stays in a pod for its whole life, and its agent, of the same age, answers it."""
    assert parse_hold_path(path) == asked
