"""The agent asks nginx's hook for reloads by files."""

from pathlib import Path
from typing import Any

import pytest

from lossless.agent.reloads import Reloads
from lossless.model.drain.drain_rule import Sample
from lossless.model.policy import DrainPolicy

POLICY = DrainPolicy(propagation=5.0)
CAME = Sample(0.0, active=2, newest=103.0)


class Logged:
    """Keeps what is logged."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, event: str, **fields: Any) -> None:
        """Keep an event."""
        self.events.append((event, fields))


@pytest.fixture
def log() -> Logged:
    """Return a log."""
    return Logged()


def test_it_asks_once_for_those_who_came(tmp_path: Path, log: Logged) -> None:
    """And says so; nothing before, nothing after."""
    reloads = Reloads(POLICY, str(tmp_path / "reload"), log=log)

    assert reloads.look(CAME, 100.0, 104.0) == ""
    assert list(tmp_path.iterdir()) == []
    for now in (105.0, 105.1, 300.0):
        assert reloads.look(CAME, 100.0, now) == ""
    assert [path.name for path in tmp_path.iterdir()] == ["reload.2"]
    assert log.events == [("reload asked for", {"number": 2, "connections": 2})]


def test_an_agent_that_was_started_anew_goes_on_counting(tmp_path: Path, log: Logged) -> None:
    """The hook waits for the next number."""
    (tmp_path / "reload.2").touch()
    reloads = Reloads(POLICY, str(tmp_path / "reload"), log=log)

    assert reloads.look(CAME, 100.0, 106.0) == ""
    assert (tmp_path / "reload.3").exists()


def test_a_file_that_cannot_be_made_is_said_and_tried_again(tmp_path: Path, log: Logged) -> None:
    """In the pod's report."""
    reloads = Reloads(POLICY, str(tmp_path / "later" / "reload"), log=log)

    assert "cannot create" in reloads.look(CAME, 100.0, 105.0)
    (tmp_path / "later").mkdir()
    assert reloads.look(CAME, 100.0, 105.1) == ""
    assert (tmp_path / "later" / "reload.2").exists()
