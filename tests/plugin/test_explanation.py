"""``explain`` as text: the answer first, then who says so, on 80 columns."""

import json
import math
from dataclasses import replace
from textwrap import dedent
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossless.model.phases import Phase
from lossless.model.rollout.observation import Gate, Pod
from lossless.plugin.evidence import Case, Statement, Witness, from_agent, from_cluster
from lossless.plugin.explanation import document, explanation
from lossless.plugin.paint import Paint
from tests.plugin.test_tree import DOC, DRAINING
from tests.support.raw_objects import START, raw_pod, raw_report, raw_rollout
from tests.support.rollouts import NOW, a_drain, a_rollout, a_spec, serving, stopping, waiting

POD = replace(stopping("a", asked=65), evidence=None)
ANSWER: dict[str, Any] = json.loads(
    raw_report(
        "a",
        Phase.DRAINING,
        deadline=234.5,
        reason="3 active and 15 idle connections left",
        connections={"active": 3, "idle": 15, "new": 0},
        oldest={"peer": "10.0.0.9:40000", "age": 65.2},
    )
)
SOURCES = [
    {"name": "kernel", "state": "Busy", "value": 18.0, "age": 0.4, "reason": "18 on port 8080"},
    {"name": "quiet", "state": "Busy", "value": "1.2s of 3s", "age": 0.4, "newer": {"x": 1}},
    {"name": "nginxStatus", "state": "Unknown", "value": None, "age": 5, "reason": "refused"},
]
DRIVERS = [{"name": "nginx", "state": "Done", "reason": "status file removed"}]


def case(pod: Pod = POD, statement: Statement | None = None, **changes: Any) -> Case:
    """Return what is known of a pod of LosslessRollout shop/web."""
    return replace(Case("shop", pod, a_rollout(), statement), **changes)


def shown(known: Case) -> str:
    """Return the explanation."""
    lines = explanation(known, NOW, 80, Paint())

    assert max(map(len, lines)) <= 80
    return "\n".join(lines)


def told(text: str) -> str:
    """Return a text as it stands in a test."""
    return dedent(text).strip("\n")


def test_what_its_agent_says() -> None:
    """Each source with state, value, age and reason; each driver; who holds on; the deadline."""
    said = from_agent(ANSWER | {"sources": SOURCES, "drivers": DRIVERS}, "uid-a")
    assert shown(case(statement=said)) == told("""
        shop/a  Draining, asked to stop 1m5s ago
          Not drained: 3 active and 15 idle connections left

        Evidence, by its agent, asked just now
          SOURCE       STATE    VALUE       AGE   REASON
          kernel       Busy     18          0.4s  18 on port 8080
          quiet        Busy     1.2s of 3s  0.4s
          nginxStatus  Unknown              5s    refused

        Close drivers: how its clients are told
          SOURCE  STATE  REASON
          nginx   Done   status file removed

        Who holds on
          10.0.0.9:40000, open for 1m5s

        Ends
          in 3m54s at the latest (spec.drain.timeout 5m); if clients are left by then,
          the rollout pauses
        """)


def test_what_the_controller_wrote() -> None:
    """Where the agent cannot be asked; with the time at which it was written."""
    said = Statement(Witness.STATUS, entry=DRAINING, written=NOW - 7)
    failed = "Its agent was not asked: that takes the verb get on pods/proxy"
    assert shown(case(statement=said, failed=failed)) == told("""
        shop/a  Draining, asked to stop 1m5s ago
          Not drained: 18 connections left

        Evidence, by status.pods of its LosslessRollout (written 7s ago)
          WHAT    NOW  MEANS
          active  3    a request is, or may be, in flight
          idle    15   open, and the client may use it again
          new     0    opened within the last spec.drain.quiet

        Who holds on
          10.0.0.9:40000, open for 1m5s

        Its agent was not asked: that takes the verb get on pods/proxy

        Ends
          in 3m55s at the latest (spec.drain.timeout 5m); if clients are left by then,
          the rollout pauses
        """)


def test_the_page_shows_what_is_shown() -> None:
    """An example that is not what comes out would be worse than none."""
    pod = replace(POD, name=DRAINING.name)
    said = Statement(Witness.STATUS, entry=DRAINING, written=NOW - 7)
    assert shown(case(pod, said)) in DOC


def test_unknown_is_not_zero() -> None:
    """No count is shown where there is none."""
    said = Statement(Witness.STATUS, entry=replace(DRAINING, connections=None, oldest=None))
    assert "connections: unknown, which is not zero" in shown(case(statement=said))
    assert document(case(statement=said), NOW)["connections"] is None


@pytest.mark.parametrize(
    ("known", "phase", "answer"),
    [
        pytest.param(case(serving("a")), Phase.SERVING, "Nobody has asked it to stop", id="serves"),
        pytest.param(
            case(serving("a", rollout="")), Phase.SERVING, "It has no agent, so it", id="bare"
        ),
        pytest.param(
            case(stopping("a", rollout="")), Phase.UNPROTECTED, "It has no agent:", id="unprotected"
        ),
        pytest.param(
            case(waiting("a", containers_ready=False)), Phase.STARTING, "not ready yet", id="starts"
        ),
        pytest.param(
            case(waiting("a", gate=Gate(open=False, message="waits until an old pod has drained"))),
            Phase.HELD,
            "It takes no traffic yet: waits until an old pod has drained",
            id="held",
        ),
        pytest.param(
            case(waiting("a")), Phase.HELD, "is the controller running?", id="held by nobody"
        ),
        pytest.param(
            case(waiting("a", gate=Gate(open=False))), Phase.HELD, "gate is shut", id="held, mute"
        ),
        pytest.param(
            case(statement=from_agent(ANSWER | {"phase": "Drained", "reason": ""}, "uid-a")),
            Phase.DRAINED,
            "It has drained: no client can notice its end",
            id="drained",
        ),
        pytest.param(
            case(statement=from_agent(ANSWER | {"phase": "TimedOut"}, "uid-a")),
            Phase.TIMED_OUT,
            "It was not drained in time: 3 active",
            id="timed out",
        ),
        pytest.param(
            case(statement=Statement(Witness.STATUS, entry=replace(DRAINING, phase=Phase.LOST))),
            Phase.LOST,
            "Nobody knows how it ended",
            id="lost",
        ),
        pytest.param(case(), Phase.DRAINING, "Not drained: nobody could say why", id="no witness"),
        pytest.param(
            # It was asked a moment ago; its agent has not heard of it yet.
            case(statement=from_agent(ANSWER | {"phase": "Serving", "reason": ""}, "uid-a")),
            Phase.DRAINING,
            "Not drained: nobody could say why",
            id="just asked",
        ),
    ],
)
def test_every_phase_has_an_answer(known: Case, phase: Phase, answer: str) -> None:
    """One sentence, for people and in the document for programs."""
    text = " ".join(shown(known).split())

    assert answer in text
    assert phase.value in text.split("\n", maxsplit=1)[0]
    assert document(known, NOW)["phase"] == phase.value


def test_containers_that_do_not_wait_are_named() -> None:
    """They stop before the drain has ended, whatever the evidence says."""
    pod = replace(POD, unprotected="app: it keeps its own preStop exec")
    assert "Containers that do not wait for the drain: app: it keeps" in shown(case(pod))


def test_ends_without_a_policy() -> None:
    """The LosslessRollout may be gone while its last pod drains."""
    assert "at the end of its grace period" in shown(case(rollout=None))
    over = a_rollout(spec=a_spec(drain=a_drain(timeout=30.0)))
    assert "its time is over (spec.drain.timeout 30s)" in shown(case(rollout=over))


def test_the_last_words_come_before_what_was_written() -> None:
    """They are the agent's own."""
    raw = raw_pod("a", deletion=START, last_words=raw_report("a", Phase.DRAINED))
    said = from_cluster(raw, raw_rollout(), a_rollout())
    assert said is not None
    assert said.witness is Witness.LAST_WORDS


def test_no_witness() -> None:
    """Nobody has written of the pod, and its agent still runs."""
    assert from_cluster(raw_pod("a"), raw_rollout(), a_rollout()) is None
    assert from_cluster(raw_pod("a"), None, None) is None


@given(
    extras=st.dictionaries(
        st.sampled_from(["sources", "drivers"]),
        st.recursive(
            st.sampled_from([None, True, -1, 3, 2.5, math.inf, math.nan, "", "x" * 300, "a\nb"]),
            lambda inner: (
                st.lists(inner, max_size=4)
                | st.dictionaries(
                    st.sampled_from(["name", "state", "value", "age", "reason"]), inner, max_size=5
                )
            ),
            max_leaves=12,
        ),
    )
)
def test_no_answer_of_a_newer_agent_can_break_it(extras: dict[str, Any]) -> None:
    """What cannot be understood is left out."""
    shown(case(statement=from_agent(ANSWER | extras, "uid-a")))


def test_another_pods_report_is_refused() -> None:
    """An address may have passed on."""
    with pytest.raises(ValueError, match="a report of pod"):
        from_agent(ANSWER, "uid-b")
