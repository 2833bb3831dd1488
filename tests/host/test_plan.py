"""The table of steps, and what follows a crash, a failure or Ctrl-C."""

import pytest

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
    ("marks", "closed", "first"),
    [
        pytest.param(Marks(), False, Step.WITHDRAW, id="nothing-done"),
        pytest.param(upto(Step.DRAIN), True, Step.WITHDRAW, id="drained-long-ago-proves-nothing"),
        pytest.param(upto(Step.STOP_PROXY, half=True), True, Step.WITHDRAW, id="half-stopped"),
        pytest.param(upto(Step.STOP_PROXY), True, Step.STOP_APP, id="proxy-down-and-still-closed"),
        pytest.param(upto(Step.STOP_PROXY), False, Step.WITHDRAW, id="somebody-has-put-it-back"),
        pytest.param(upto(Step.STOP_APP), True, Step.START_APP, id="all-stopped"),
        pytest.param(upto(Step.STOP_APP), False, Step.WITHDRAW, id="started-by-hand"),
        pytest.param(upto(Step.START_APP, half=True), True, Step.START_APP, id="half-started"),
        pytest.param(upto(Step.START_APP, half=True), False, Step.START_APP, id="new-app-listens"),
        pytest.param(upto(Step.READY), False, Step.START_PROXY, id="ready"),
        pytest.param(upto(Step.RESTORE), False, Step.RESTORE, id="flag-perhaps-gone-again"),
        pytest.param(upto(Step.TRAFFIC), False, Step.RESTORE, id="all-done-but-the-last-word"),
    ],
)
def test_a_publish_that_was_cut_off_goes_on(marks: Marks, first: Step, *, closed: bool) -> None:
    """Where it was, unless clients may have come back before the application was started anew."""
    assert remaining(ALL, marks, closed=closed, failed=False) == ALL[ALL.index(first) :]


@pytest.mark.parametrize(
    ("at", "first"),
    [
        pytest.param(Step.START_APP, Step.STOP_APP, id="did-not-start"),
        pytest.param(Step.READY, Step.STOP_APP, id="never-answered"),
        pytest.param(Step.START_PROXY, Step.START_PROXY, id="proxy"),
        pytest.param(Step.STOP_APP, Step.STOP_APP, id="did-not-stop"),
    ],
)
def test_a_publish_that_failed_is_tried_again(at: Step, first: Step) -> None:
    """With the application that has been mended since, not the one that is still running."""
    left = remaining(ALL, upto(at, half=True), closed=True, failed=True)

    assert left == ALL[ALL.index(first) :]


def test_without_a_proxy_the_application_closes_the_host() -> None:
    """Its stop is then the first one."""
    done = frozenset({Step.WITHDRAW, Step.DRAIN, Step.STOP_APP})
    marks = Marks(done, done)

    assert remaining(PLAIN, marks, closed=True, failed=False)[0] is Step.START_APP
    assert remaining(PLAIN, marks, closed=False, failed=False)[0] is Step.WITHDRAW


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
