"""The agent's state machine, walked along every edge and across every missing one."""

import pytest

from lossless.model.phases import ENDED, TRANSITIONS, Event, IllegalTransition, Phase, advance


@pytest.mark.parametrize(
    ("phase", "event", "after"),
    [
        pytest.param(Phase.SERVING, Event.STOP_ASKED, Phase.DRAINING, id="asked"),
        pytest.param(Phase.DRAINING, Event.STOP_ASKED, Phase.DRAINING, id="asked-again"),
        pytest.param(Phase.DRAINING, Event.EVIDENCE_COMPLETE, Phase.DRAINED, id="evidence"),
        pytest.param(Phase.DRAINING, Event.DEADLINE_PASSED, Phase.TIMED_OUT, id="deadline"),
        pytest.param(Phase.DRAINED, Event.STOP_ASKED, Phase.DRAINED, id="asked-when-drained"),
        pytest.param(Phase.TIMED_OUT, Event.STOP_ASKED, Phase.TIMED_OUT, id="asked-when-late"),
    ],
)
def test_each_step(phase: Phase, event: Event, after: Phase) -> None:
    """Each edge of the table leads where the design says."""
    assert advance(phase, event) is after


LEGAL = {(phase, event) for phase, events in TRANSITIONS.items() for event in events}


@pytest.mark.parametrize(
    ("phase", "event"),
    [
        pytest.param(phase, event, id=f"{phase.value}-{event.value}")
        for phase in Phase
        for event in Event
        if (phase, event) not in LEGAL
    ],
)
def test_no_other_step_exists(phase: Phase, event: Event) -> None:
    """Whatever is not in the table is refused by name, so a mistake cannot end a drain."""
    with pytest.raises(IllegalTransition, match=f"{event.value} cannot happen .* {phase.value}"):
        advance(phase, event)


def test_an_end_is_final() -> None:
    """A released pod never becomes a serving or draining one again."""
    reached = {advance(phase, event) for phase, event in LEGAL if phase in ENDED}

    assert reached <= ENDED


def test_being_asked_to_stop_never_fails() -> None:
    """The kubelet runs hooks again after its own restart, at any point of a drain."""
    walked = set(TRANSITIONS)

    assert {phase for phase, event in LEGAL if event is Event.STOP_ASKED} == walked
