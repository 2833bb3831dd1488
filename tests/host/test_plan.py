"""The table of steps, and what follows a crash, a failure or Ctrl-C."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossless.host.plan import TITLES, Marks, Step, Verb, remaining, retreat, steps_of

ALL = steps_of(Verb.PUBLISH, proxy=True, reopens=True)
PLAIN = steps_of(Verb.PUBLISH, proxy=False, reopens=False)


def upto(step: Step, *, half: bool = False) -> Marks:
    """Return the marks of a run that has come as far as ``step``."""
    before = frozenset(ALL[: ALL.index(step)])
    marks = Marks(before, before)
    return marks.begin(step) if half else marks.finish(step)


def test_a_publish_has_the_steps_of_the_seed() -> None:
    """Offline, stop the proxy and the application, start them, online."""
    assert [step.value for step in ALL] == [
        "Withdraw",
        "Drain",
        "StopProxy",
        "StopApp",
        "StartApp",
        "Ready",
        "StartProxy",
        "Reopen",
        "Restore",
        "Traffic",
    ]


@pytest.mark.parametrize(
    ("verb", "expected"),
    [
        pytest.param(Verb.OFFLINE, ["Withdraw", "Drain"], id="offline-stops-nothing"),
        pytest.param(Verb.ONLINE, ["Ready", "Restore", "Traffic"], id="online-starts-no-app"),
        pytest.param(
            Verb.PUBLISH,
            ["Withdraw", "Drain", "StopApp", "StartApp", "Ready", "Restore", "Traffic"],
            id="publish-without-a-proxy",
        ),
    ],
)
def test_steps_of_a_host_without_a_proxy(verb: Verb, expected: list[str]) -> None:
    """What it does not have is left out."""
    assert [step.value for step in steps_of(verb, proxy=False, reopens=False)] == expected


def test_every_step_has_words_for_people() -> None:
    """And none has two."""
    assert set(TITLES) == set(Step)
    assert len(set(TITLES.values())) == len(Step)


@pytest.mark.parametrize(
    ("marks", "listening", "first"),
    [
        pytest.param(Marks(), True, Step.WITHDRAW, id="nothing-done"),
        pytest.param(upto(Step.DRAIN), False, Step.WITHDRAW, id="drained-long-ago-proves-nothing"),
        pytest.param(upto(Step.STOP_PROXY, half=True), False, Step.WITHDRAW, id="half-stopped"),
        pytest.param(upto(Step.STOP_PROXY), False, Step.STOP_APP, id="proxy-down-and-still-closed"),
        pytest.param(upto(Step.STOP_PROXY), True, Step.WITHDRAW, id="proxy-started-by-hand"),
        pytest.param(upto(Step.STOP_APP), False, Step.START_APP, id="all-stopped"),
        pytest.param(upto(Step.STOP_APP), True, Step.WITHDRAW, id="started-by-hand"),
        pytest.param(upto(Step.START_APP, half=True), False, Step.START_APP, id="half-started"),
        pytest.param(upto(Step.START_APP, half=True), True, Step.START_APP, id="new-app-listens"),
        pytest.param(upto(Step.READY), True, Step.READY, id="ready-long-ago-proves-nothing"),
        pytest.param(upto(Step.START_PROXY), True, Step.READY, id="proxy-started"),
        pytest.param(upto(Step.RESTORE), True, Step.READY, id="flag-gone-again"),
        pytest.param(upto(Step.TRAFFIC), True, Step.READY, id="all-done-but-the-last-word"),
    ],
)
def test_a_publish_that_was_cut_off_goes_on(marks: Marks, first: Step, *, listening: bool) -> None:
    """Where it was, unless clients may have come back before the application was started anew."""
    left = remaining(ALL, marks, flagged=False, listening=listening, failed=False)

    assert left == ALL[ALL.index(first) :]


@pytest.mark.parametrize("failed", [True, False], ids=["failed", "cut-off"])
@pytest.mark.parametrize("at", ALL[: ALL.index(Step.RESTORE) + 1])
def test_a_host_that_was_mended_by_hand_is_published_as_a_whole(at: Step, *, failed: bool) -> None:
    """Its clients are drained before anything is stopped, and its application is started anew."""
    marks = upto(at, half=True)

    assert remaining(ALL, marks, flagged=True, listening=True, failed=failed) == ALL
    assert remaining(ALL, marks, flagged=True, listening=False, failed=failed) == ALL


def test_a_host_that_the_publish_itself_has_put_back_is_not_stopped_again() -> None:
    """Cut off while it waited for traffic: only that, and what leads to it, is looked at again."""
    marks = upto(Step.TRAFFIC, half=True)

    left = remaining(ALL, marks, flagged=True, listening=True, failed=False)

    assert left == ALL[ALL.index(Step.READY) :]


def test_a_host_that_was_on_its_way_back_is_published_as_a_whole() -> None:
    """Cut off after the way back had restored the flag: only the old application ever ran."""
    marks = upto(Step.STOP_PROXY)
    for step in retreat(marks, ALL) or ():
        marks = marks.finish(step)

    for listening in (True, False):
        assert remaining(ALL, marks, flagged=True, listening=listening, failed=False) == ALL


@st.composite
def _marks(draw: st.DrawFn, steps: tuple[Step, ...]) -> Marks:
    """Of a run that came to any of ``steps``, and of one that went on or turned back then."""
    done = draw(st.integers(0, len(steps)))
    marks = Marks(frozenset(steps[:done]), frozenset(steps[:done]))
    if done < len(steps) and draw(st.booleans()):
        marks = marks.begin(steps[done])
    back = retreat(marks, steps)
    if back and draw(st.booleans()):
        for step in back[: draw(st.integers(0, len(back)))]:
            marks = marks.finish(step)
    return marks


@given(st.data(), st.sampled_from([ALL, PLAIN]), st.booleans(), st.booleans(), st.booleans())
def test_whatever_happened_no_client_is_stopped_under_and_no_dead_application_is_put_back(
    data: st.DataObject,
    steps: tuple[Step, ...],
    flagged: bool,  # noqa: FBT001 # hypothesis gives it by position
    listening: bool,  # noqa: FBT001 # the same
    failed: bool,  # noqa: FBT001 # the same
) -> None:
    """What is left is an end of the plan: it asks the application, and stops only what is drained.

    And with a status file there that the run has not restored, the application is started anew.
    """
    marks = data.draw(_marks(steps))

    left = remaining(steps, marks, flagged=flagged, listening=listening, failed=failed)

    assert left == steps[len(steps) - len(left) :]
    assert {Step.READY, Step.RESTORE, Step.TRAFFIC} <= set(left)
    if flagged and Step.STOP_APP in left:
        assert left[:2] == (Step.WITHDRAW, Step.DRAIN)
    if flagged and Step.RESTORE not in marks.done:
        assert {Step.STOP_APP, Step.START_APP} <= set(left)
    if Step.START_APP not in marks.begun:
        assert Step.START_APP in left


@pytest.mark.parametrize(
    ("at", "first"),
    [
        pytest.param(Step.START_APP, Step.STOP_APP, id="did-not-start"),
        pytest.param(Step.READY, Step.STOP_APP, id="never-answered"),
        pytest.param(Step.START_PROXY, Step.READY, id="proxy"),
        pytest.param(Step.STOP_APP, Step.STOP_APP, id="did-not-stop"),
    ],
)
def test_a_publish_that_failed_is_tried_again(at: Step, first: Step) -> None:
    """With the application that has been mended since, not the one that is still running."""
    left = remaining(ALL, upto(at, half=True), flagged=False, listening=False, failed=True)

    assert left == ALL[ALL.index(first) :]


def test_without_a_proxy_the_application_closes_the_host() -> None:
    """Its stop is then the first one."""
    done = frozenset({Step.WITHDRAW, Step.DRAIN, Step.STOP_APP})
    marks = Marks(done, done)

    for listening, first in ((False, Step.START_APP), (True, Step.WITHDRAW)):
        left = remaining(PLAIN, marks, flagged=False, listening=listening, failed=False)
        assert left[0] is first


BACK = (Step.REOPEN, Step.READY, Step.RESTORE)


@pytest.mark.parametrize(
    ("marks", "was_offline", "expected"),
    [
        pytest.param(upto(Step.WITHDRAW, half=True), False, BACK, id="flag-half-removed"),
        pytest.param(upto(Step.DRAIN, half=True), False, BACK, id="draining"),
        pytest.param(
            upto(Step.STOP_PROXY, half=True), False, (Step.START_PROXY, *BACK), id="proxy-stopping"
        ),
        pytest.param(upto(Step.STOP_APP, half=True), False, None, id="too-late"),
        pytest.param(upto(Step.READY), False, None, id="much-too-late"),
        pytest.param(upto(Step.DRAIN), True, (), id="it-was-offline-before"),
        pytest.param(
            upto(Step.STOP_PROXY), True, (Step.START_PROXY,), id="it-was-offline-with-its-proxy"
        ),
    ],
)
def test_the_way_back(
    marks: Marks, expected: tuple[Step, ...] | None, *, was_offline: bool
) -> None:
    """There is one until the application was asked to stop."""
    assert retreat(marks, ALL, was_offline=was_offline) == expected


def test_a_step_done_again_is_not_done() -> None:
    """Until it has ended well again."""
    marks = upto(Step.DRAIN).begin(Step.WITHDRAW)

    assert marks.half is Step.WITHDRAW
    assert marks.finish(Step.WITHDRAW).half is None
