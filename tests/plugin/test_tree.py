"""``status`` as text: what stands there, on 80 columns."""

import math
from dataclasses import replace
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from lossless.model.conditions import Answer, Condition, ConditionType
from lossless.model.fields import InvalidSpec
from lossless.model.phases import Phase
from lossless.model.policy import OnTimeout
from lossless.model.report import Connections, Oldest
from lossless.model.rollout.observation import Rollout
from lossless.model.status import MAX_PODS, PodStatus, RolloutPhase, RolloutRecord, RolloutStatus
from lossless.plugin.paint import Paint
from lossless.plugin.tree import View, stale, tree
from tests.support.rollouts import NOW, a_drain, a_rollout, a_spec

#: Shows what is tested here.
DOC = (Path(__file__).resolve().parents[2] / "docs" / "kubectl-plugin.md").read_text("utf-8")
DRAINING = PodStatus(
    "web-7d4b9c-x2x9z",
    "uid-1",
    Phase.DRAINING,
    int(NOW - 65),
    Connections(active=3, idle=15, new=0),
    Oldest("10.0.0.9:40000", 65.0),
    "18 connections left",
)
HELD = PodStatus(
    "web-66c-b8q2k", "uid-2", Phase.HELD, int(NOW - 12), reason="waits for a drain to end"
)
SERVING = PodStatus("web-66c-s", "uid-3", Phase.SERVING, int(NOW - 40))
DRAINED = PodStatus("web-7d4b9c-t", "uid-4", Phase.DRAINED, int(NOW - 50), reason="drained in 12s")
LATE = PodStatus(
    "web-7d4b9c-q",
    "uid-5",
    Phase.TIMED_OUT,
    int(NOW - 20),
    reason="released after 5m with 1 active and 0 idle connections left; 10.0.0.9:40000 held on"
    " longest, for 5m",
)
ROLLING = RolloutStatus(
    phase=RolloutPhase.PROGRESSING,
    observed_generation=1,
    replicas=4,
    updated=2,
    draining=1,
    held=1,
    revision="7",
    last_rollout=RolloutRecord(int(NOW - 95), drained=1, before="6", revision="7"),
    pods=(DRAINING, HELD, SERVING, replace(SERVING, uid="uid-6", name="web-66c-t"), DRAINED),
)
PAUSED = Condition(
    ConditionType.PAUSED,
    Answer.TRUE,
    "DrainTimedOut",
    "web-7d4b9c-q was released after 5m with 1 active and 0 idle connections left. Old pods stay"
    ' until you resume: kubectl annotate llr web -n shop lossless.dev/resume="$(date +%s)"',
)


def shown(status: RolloutStatus, *, wide: bool = False, width: int = 80, **changes: Any) -> str:
    """Return the tree of LosslessRollout shop/web with this status."""
    rollout: Rollout = a_rollout(status=status, **changes)
    lines = tree(View("shop", "web", rollout, NOW, wide=wide), width, Paint())

    assert max(map(len, lines)) <= width
    return "\n".join(lines)


def told(text: str) -> str:
    """Return a text as it stands in a test."""
    return dedent(text).strip("\n")


def test_a_rollout_that_is_under_way() -> None:
    """How far, who drains and for how long at most, who holds on, who is held."""
    assert f"```\n$ kubectl lossless status\n{shown(ROLLING)}\n```" in DOC
    assert shown(ROLLING) == told("""
        shop/web  Progressing  for 1m35s
          Deployment web, revision 7, 2 of 4 pods new, 1 drained, 1 draining, 1 held
          ├─ web-7d4b9c-x2x9z  Draining 1m5s
          │  ████░░░░░░░░░░░░░░░░  at most 3m55s more, then the rollout pauses
          │  3 active, 15 idle, 0 new
          │  10.0.0.9:40000 holds on, for 1m5s
          │  18 connections left
          ├─ web-66c-b8q2k  Held 12s
          │  waits for a drain to end
          └─ 2 serving, 1 drained
        """)


def test_wide_names_every_pod() -> None:
    """For those who look for one."""
    assert shown(replace(ROLLING, pods=(SERVING, DRAINED)), wide=True) == told("""
        shop/web  Progressing  for 1m35s
          Deployment web, revision 7, 2 of 4 pods new, 1 drained, 1 draining, 1 held
          ├─ web-66c-s  Serving 40s
          └─ web-7d4b9c-t  Drained 50s
             drained in 12s
        """)


def test_a_paused_rollout_says_how_to_resume() -> None:
    """The command stands alone on its line, ready to be copied."""
    status = replace(
        ROLLING, phase=RolloutPhase.PAUSED, conditions=(PAUSED,), draining=0, pods=(LATE, SERVING)
    )
    assert shown(status) == told("""
        shop/web  Paused  for 1m35s
          Deployment web, revision 7, 2 of 4 pods new, 1 drained, 1 held
        ! DrainTimedOut: web-7d4b9c-q was released after 5m with 1 active and 0 idle
          connections left. Old pods stay until you resume:
            kubectl lossless resume web -n shop
          ├─ web-7d4b9c-q  TimedOut 20s
          │  released after 5m with 1 active and 0 idle connections left; 10.0.0.9:40000
          │  held on longest, for 5m
          └─ 1 serving
        """)


def test_a_quiet_workload_is_two_lines_and_a_count() -> None:
    """Nothing to do, nothing to read."""
    status = RolloutStatus(
        phase=RolloutPhase.READY,
        observed_generation=1,
        conditions=(Condition(ConditionType.DRAINED, Answer.FALSE, "x", "not a wish"),),
        replicas=1,
        revision="7",
        last_rollout=RolloutRecord(int(NOW - 400), finished=int(NOW - 300)),
        pods=(SERVING,),
    )
    assert shown(status) == told("""
        shop/web  Ready  last rollout 5m ago
          Deployment web, revision 7, 1 pod
          └─ 1 serving
        """)


@pytest.mark.parametrize(
    ("status", "changes", "text"),
    [
        pytest.param(
            RolloutStatus(),
            {"created": NOW - 59},
            "shop/web  Unknown  the controller has not looked at it yet\n  Deployment web",
            id="no controller yet",
        ),
        pytest.param(
            RolloutStatus(),
            {},
            "shop/web  Unknown  not looked at for 1h: is its namespace served?\n  Deployment web",
            id="no controller at all",
        ),
        pytest.param(
            RolloutStatus(phase=RolloutPhase.DEGRADED, observed_generation=1),
            {"spec": InvalidSpec("spec.ports", "x", "must be a list of port numbers or names")},
            "shop/web  Degraded\n  spec.ports: 'x': must be a list of port numbers or names",
            id="invalid",
        ),
        pytest.param(
            RolloutStatus(phase=RolloutPhase.READY, observed_generation=1, replicas=3),
            {"generation": 2},
            "shop/web  Ready  (the newest change is not seen yet)\n  Deployment web, 3 pods",
            id="spec not seen",
        ),
        pytest.param(
            RolloutStatus(
                phase=RolloutPhase.NOT_INJECTED,
                observed_generation=1,
                conditions=(
                    Condition(ConditionType.READY, Answer.FALSE, "NotYetRolled", "3 are older"),
                    Condition(ConditionType.INJECTED, Answer.FALSE, "NotYetRolled", "3 are older"),
                ),
                replicas=3,
            ),
            {},
            "shop/web  NotInjected\n  Deployment web, 3 pods\n! NotYetRolled: 3 are older",
            id="said once",
        ),
    ],
)
def test_what_else_there_is(status: RolloutStatus, changes: dict[str, Any], text: str) -> None:
    """Each state has its words; what two conditions say alike is said once."""
    assert shown(status, **changes) == text


@pytest.mark.parametrize(
    ("pod", "drain", "line"),
    [
        pytest.param(
            replace(DRAINING, since=int(NOW - 400)),
            a_drain(),
            "████████████████████  its 5m are over",
            id="over",
        ),
        pytest.param(
            DRAINING,
            a_drain(on_timeout=OnTimeout.CONTINUE),
            "████░░░░░░░░░░░░░░░░  at most 3m55s more",
            id="goes on",
        ),
        pytest.param(
            replace(DRAINING, since=int(NOW + 5)),
            a_drain(),
            "░░░░░░░░░░░░░░░░░░░░  at most 5m more, then the rollout pauses",
            id="our clock is behind",
        ),
        pytest.param(
            replace(DRAINING, connections=None), a_drain(), "connections unknown", id="unknown"
        ),
    ],
)
def test_a_drain(pod: PodStatus, drain: Any, line: str) -> None:
    """What is promised is an upper bound, never a guess; unknown is not zero."""
    assert line in shown(replace(ROLLING, pods=(pod,)), spec=a_spec(drain=drain))


def test_a_list_that_was_cut_says_so() -> None:
    """Status lists no more than it may."""
    pods = tuple(replace(SERVING, uid=str(n)) for n in range(MAX_PODS))
    assert f"only {MAX_PODS} pods are listed in status" in shown(replace(ROLLING, pods=pods))


def test_a_picture_that_may_be_old_says_so() -> None:
    """A watch that lost its server goes on trying; nobody should trust a frozen picture."""
    assert stale(5.0, Paint()) == []
    assert stale(83.2, Paint()) == [
        "! no word from the API server for 1m23s: what stands here may be old"
    ]
    assert stale(math.inf, Paint()) == ["! no word from the API server yet"]


def test_long_names_are_cut_not_wrapped() -> None:
    """A pod's name may have 253 characters."""
    assert "…" in shown(replace(ROLLING, pods=(replace(HELD, name="w" * 200),)), width=60)


def test_colours_change_no_word() -> None:
    """Without the escape sequences it is the same text."""
    view = View("shop", "web", a_rollout(status=ROLLING), NOW)
    coloured = "\n".join(tree(view, 80, Paint(on=True)))

    plain = coloured
    for code in ("\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[36m", "\x1b[0m"):
        plain = plain.replace(code, "")
    assert plain != coloured
    assert plain == shown(ROLLING)
