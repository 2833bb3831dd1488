"""Drains, as the controller's Events tell them."""

from typing import Any

import pytest

from lossless.cluster.timestamps import format_micro_time
from lossless.model.conditions import Reason
from lossless.model.phases import Phase
from lossless.plugin.drain_events import PastDrain, drains_of, shared_out
from tests.support.rollouts import NOW

WEB = "uid-web"


def event(reason: Reason, at: float, pod: str = "a", of: str = WEB) -> dict[str, Any]:
    """Return an Event on a pod."""
    return {
        "eventTime": format_micro_time(NOW + at),
        "reason": reason.value,
        "message": f"{pod} {reason.value}",
        "involvedObject": {"kind": "Pod", "name": pod, "uid": f"uid-{pod}"},
        "related": {"kind": "LosslessRollout", "uid": of},
    }


@pytest.mark.parametrize(
    ("reason", "phase"),
    [
        (Reason.DRAINED, Phase.DRAINED),
        (Reason.TIMED_OUT, Phase.TIMED_OUT),
        (Reason.LOST, Phase.LOST),
    ],
)
def test_begin_and_end(reason: Reason, phase: Phase) -> None:
    """One drain a pod, in whichever order the Events are listed."""
    told = [event(reason, 21.5), event(Reason.DRAIN_STARTED, 0)]

    (drain,) = drains_of(told, WEB)
    assert drain == PastDrain("a", NOW, NOW + 21.5, phase, f"a {reason.value}")
    assert drain.seconds == 21.5


def test_half_of_the_story() -> None:
    """An Event that has expired leaves the other; unknown is never zero."""
    told = [event(Reason.DRAINED, 9, "a"), event(Reason.DRAIN_STARTED, 5, "b")]

    still, ended = drains_of(told, WEB)
    assert (still.pod, still.seconds, still.result) == ("b", None, None)
    assert (ended.pod, ended.seconds, ended.began) == ("a", None, None)


@pytest.mark.parametrize(
    "other",
    [
        event(Reason.DRAINED, 0, of="uid-api"),
        event(Reason.DRIVER_FAILED, 0),
        event(Reason.DRAINED, 0) | {"involvedObject": {"kind": "LosslessRollout", "uid": WEB}},
        {"reason": ["Drained"], "involvedObject": {"kind": "Pod"}, "related": {"uid": WEB}},
        {"involvedObject": None},
        {},
    ],
    ids=["of another", "no drain", "on the rollout", "no text", "null", "empty"],
)
def test_other_events(other: dict[str, Any]) -> None:
    """They tell of no drain, and disturb nothing."""
    assert drains_of([other], WEB) == ()


def test_each_drain_has_its_rollout() -> None:
    """By when it was heard of last; status has whole seconds, so an end's second belongs to it."""
    at = int(NOW)
    drains = [PastDrain(str(n), ended=NOW + n) for n in (-1, 5, 20.9, 22, 31)]

    shares, rest = shared_out(drains, [(at + 30, 0), (at, at + 20)])
    assert [[drain.pod for drain in share] for share in shares] == [["31"], ["5", "20.9"]]
    assert [drain.pod for drain in rest] == ["-1", "22"]
