"""When a pod may stop."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lossless.model.drain.drain_rule import (
    CONSECUTIVE,
    STALE,
    Busy,
    Drained,
    Sample,
    Unknown,
    Verdict,
    judge,
    next_event,
    sources_of,
)
from lossless.model.drain.readings import Reading
from lossless.model.phases import Event
from lossless.model.policy import DrainPolicy, IdleConnections
from lossless.model.report import Connections, Oldest, Source, SourceState

DISCARD = DrainPolicy(propagation=5.0, quiet=3.0, timeout=60.0)
WAIT = DrainPolicy(propagation=5.0, quiet=3.0, timeout=60.0, idle_connections=IdleConnections.WAIT)
STARTED = 100.0
LATE = 120.0


def sample(at: float = LATE, **fields: object) -> Sample:
    """Return a sample taken just now, by default of a pod without a connection."""
    return Sample(at, **fields)  # type: ignore[arg-type] # each test names real fields


def verdict(
    *samples: Sample,
    policy: DrainPolicy = DISCARD,
    watched: float = STARTED,
    now: float = LATE,
) -> Verdict:
    """Judge, with quiet samples before the given ones."""
    window = [sample()] * (CONSECUTIVE - len(samples)) + list(samples)
    return judge(window, policy, STARTED, watched, now)


def test_a_pod_without_connections_is_drained() -> None:
    """Long after its start, in three samples in a row."""
    assert verdict() == Drained(0, "no connection left")


@pytest.mark.parametrize(
    ("last", "reason"),
    [
        pytest.param(sample(active=1), "1 connection: 1 active", id="active"),
        pytest.param(
            sample(ambiguous=2),
            "2 connections: 2 not provably idle (answered and asked within one kernel tick)",
            id="ambiguous",
        ),
        pytest.param(sample(opening=1), "1 connection: 1 opening", id="opening"),
        pytest.param(sample(closing=1), "1 connection: 1 closing", id="closing"),
        pytest.param(sample(idle=2, expired=1), "1 connection: 1 idle", id="idle"),
        pytest.param(
            sample(active=3, oldest=Oldest("10.1.2.3:4711", 42.4)),
            "3 connections: 3 active; oldest 10.1.2.3:4711 for 42s",
            id="with-the-oldest",
        ),
        pytest.param(
            sample(newest=LATE - 1.0), "a new connection came 1s ago, quiet is 3s", id="a-new-one"
        ),
        pytest.param(
            sample(active=1, idle=4, newest=LATE),
            "5 connections: 1 active, 4 idle; a new connection came 0s ago, quiet is 3s",
            id="all-at-once",
        ),
    ],
)
def test_a_pod_with_work_is_busy(last: Sample, reason: str) -> None:
    """And says for people what it waits for."""
    assert verdict(last) == Busy(reason)


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        pytest.param(
            DISCARD,
            Drained(2, "no connection left but 2 idle for 1m or longer, discarded"),
            id="discard",
        ),
        pytest.param(WAIT, Busy("2 connections: 2 idle"), id="wait"),
    ],
)
def test_what_becomes_of_expired_connections_is_the_users_choice(
    policy: DrainPolicy, expected: Verdict
) -> None:
    """It is the one step that is not proof, so it is counted and named."""
    assert verdict(*[sample(idle=2, expired=2)] * 3, policy=policy) == expected


@pytest.mark.parametrize(
    ("now", "busy"),
    [
        pytest.param(STARTED + 4.9, True, id="before-propagation"),
        pytest.param(STARTED + 5.0, False, id="after-propagation"),
    ],
)
def test_propagation_must_have_passed(now: float, busy: bool) -> None:  # noqa: FBT001 # a column
    """Load balancers, kube-proxies and DNS take their time to look elsewhere."""
    found = judge([sample(now)] * CONSECUTIVE, DISCARD, STARTED, STARTED, now)

    assert isinstance(found, Busy if busy else Drained)


@pytest.mark.parametrize(
    ("watched", "newest", "busy"),
    [
        pytest.param(STARTED, LATE - 3.0, False, id="quiet-for-long-enough"),
        pytest.param(STARTED, LATE - 2.9, True, id="not-yet"),
        pytest.param(LATE - 2.9, None, True, id="not-watched-for-long-enough"),
        pytest.param(LATE - 2.9, LATE - 50.0, True, id="nor-if-one-is-known-from-before"),
        pytest.param(LATE - 3.0, LATE - 50.0, False, id="watched-for-long-enough"),
    ],
)
def test_nobody_may_have_come(watched: float, newest: float | None, busy: bool) -> None:  # noqa: FBT001 # a column
    """Quiet counts from the last client, or from when all could be seen again."""
    found = verdict(sample(newest=newest), watched=watched)

    assert isinstance(found, Busy if busy else Drained)


@pytest.mark.parametrize(
    ("samples", "reason"),
    [
        pytest.param([], "no connection has been looked at yet", id="none"),
        pytest.param(
            [sample(), sample(), sample(problem="gone")], "cannot count.*gone", id="unreadable"
        ),
        pytest.param([sample(LATE - STALE)] * 3, "last counted 30s ago", id="stale"),
    ],
)
def test_unknown_is_never_zero(samples: list[Sample], reason: str) -> None:
    """A source that cannot be read says nothing, least of all that nothing is there."""
    found = judge(samples, DISCARD, STARTED, STARTED, LATE)

    assert isinstance(found, Unknown)
    assert all(part in found.reason for part in reason.split(".*"))


@pytest.mark.parametrize(
    "samples",
    [
        pytest.param([sample()], id="one"),
        pytest.param([sample()] * 2, id="two"),
        pytest.param([sample(active=1), sample(), sample()], id="two-after-a-busy-one"),
        pytest.param([sample(problem="gone"), sample(), sample()], id="two-after-an-unknown-one"),
    ],
)
def test_one_look_is_not_enough(samples: list[Sample]) -> None:
    """A look can fall between two connections of the same client."""
    assert isinstance(judge(samples, DISCARD, STARTED, STARTED, LATE), Busy)


@pytest.mark.parametrize(
    ("found", "now", "event"),
    [
        pytest.param(Busy(""), STARTED + 59.9, None, id="busy"),
        pytest.param(Unknown(""), STARTED + 59.9, None, id="unknown"),
        pytest.param(Drained(0, ""), STARTED + 9.0, Event.EVIDENCE_COMPLETE, id="drained"),
        pytest.param(Busy(""), STARTED + 60.0, Event.DEADLINE_PASSED, id="busy-at-the-deadline"),
        pytest.param(Unknown(""), STARTED + 60.0, Event.DEADLINE_PASSED, id="unknown-at-it"),
        pytest.param(
            Drained(0, ""), STARTED + 60.0, Event.EVIDENCE_COMPLETE, id="drained-at-the-deadline"
        ),
    ],
)
def test_every_drain_ends(found: Verdict, now: float, event: Event | None) -> None:
    """By evidence if there is any, else by its deadline."""
    assert next_event(found, DISCARD, STARTED, now) is event


NGINX = "nginxStatus on port 8080"
ZERO = Reading(NGINX, 0, note="idle connections: 7")
TWO = Reading(NGINX, 2)
LOST = Reading(NGINX, problem="Connection refused", age=4.2)
OPEN = Reading("prometheus open on port 9090", 1, "connection")


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        pytest.param(sample(readings=(ZERO,)), Drained(0, "no connection left"), id="zero"),
        pytest.param(
            sample(readings=(TWO,)),
            Busy(f"{NGINX}: 2 requests in flight"),
            id="busy-though-the-kernel-sees-nobody",
        ),
        pytest.param(
            sample(readings=(LOST,)),
            Unknown(f"{NGINX} cannot be read for 4s: Connection refused"),
            id="unknown-is-not-zero",
        ),
        pytest.param(
            sample(readings=(LOST, OPEN)),
            Busy(
                "prometheus open on port 9090: 1 connection in flight;"
                f" {NGINX} cannot be read for 4s: Connection refused"
            ),
            id="busy-wins-over-unknown",
        ),
        pytest.param(
            sample(active=1, readings=(LOST,)),
            Busy(f"1 connection: 1 active; {NGINX} cannot be read for 4s: Connection refused"),
            id="so-does-the-kernels-busy",
        ),
        pytest.param(
            sample(problem="gone", readings=(TWO,)),
            Busy(f"{NGINX}: 2 requests in flight; cannot count connections: gone"),
            id="busy-wins-over-an-unknown-kernel",
        ),
        pytest.param(
            sample(problem="gone", readings=(ZERO,)),
            Unknown("cannot count connections: gone"),
            id="zero-does-not",
        ),
        pytest.param(
            sample(ambiguous=1, readings=(ZERO,)),
            Busy("1 connection: 1 not provably idle (answered and asked within one kernel tick)"),
            id="zero-settles-nothing-of-the-kernels",
        ),
    ],
)
def test_every_source_has_a_say(last: Sample, expected: Verdict) -> None:
    """One that is above zero holds the pod, one that cannot be read does too."""
    assert verdict(last) == expected


@pytest.mark.parametrize("other", [pytest.param(TWO, id="busy"), pytest.param(LOST, id="unknown")])
def test_every_source_must_agree_in_every_look(other: Reading) -> None:
    """A counter can be read between two requests of the same client."""
    window = [sample(readings=(other,)), sample(readings=(ZERO,)), sample(readings=(ZERO,))]

    assert judge(window, DISCARD, STARTED, STARTED, LATE) == Busy("nothing left in 2 of 3 looks")


def test_sources_are_told_one_by_one() -> None:
    """The kernel first, each with its state, value, age and reason."""
    seen = sample(active=1, idle=2, expired=2, readings=(ZERO, TWO, LOST))

    assert sources_of(seen, DISCARD, LATE, LATE + 1.0) == (
        Source("kernel", SourceState.BUSY, 1, 1.0, "1 connection: 1 active"),
        Source(NGINX, SourceState.DRAINED, 0, 1.0, "idle connections: 7"),
        Source(NGINX, SourceState.BUSY, 2, 1.0, f"{NGINX}: 2 requests in flight"),
        Source(NGINX, SourceState.UNKNOWN, None, 4.2, "Connection refused"),
    )


def test_a_kernel_that_cannot_be_read_has_no_value() -> None:
    """None is not zero."""
    (kernel,) = sources_of(sample(problem="gone"), DISCARD, LATE - 7.0, LATE)

    assert kernel == Source("kernel", SourceState.UNKNOWN, None, 7.0, "gone")


def test_a_sample_speaks_the_terms_of_a_report() -> None:
    """Whatever is not idle is active there."""
    counted = sample(active=1, ambiguous=2, opening=3, closing=4, idle=5, expired=5, new=6)

    assert counted.connections == Connections(active=10, idle=5, new=6)


COUNTS = st.integers(min_value=0, max_value=3)
TIMES = st.floats(min_value=0.0, max_value=200.0)


@st.composite
def samples(draw: st.DrawFn) -> Sample:
    """Return any sample a ledger could make."""
    idle = draw(COUNTS)
    return Sample(
        at=draw(TIMES),
        problem=draw(st.sampled_from(["", "", "gone"])),
        active=draw(COUNTS),
        ambiguous=draw(COUNTS),
        opening=draw(COUNTS),
        closing=draw(COUNTS),
        idle=idle,
        expired=draw(st.integers(min_value=0, max_value=idle)),
        newest=draw(st.none() | TIMES),
        readings=tuple(draw(st.lists(st.sampled_from([ZERO, ZERO, TWO, LOST]), max_size=2))),
    )


@given(st.lists(samples(), max_size=5), st.sampled_from([DISCARD, WAIT]), TIMES, TIMES, TIMES)
def test_drained_means_all_of_it(
    window: list[Sample], policy: DrainPolicy, started: float, watched: float, now: float
) -> None:
    """No combination of anything leads to Drained while one of its conditions does not hold."""
    found = judge(window, policy, started, watched, now)
    if not isinstance(found, Drained):
        assert found.reason
        return
    last = window[-CONSECUTIVE:]

    assert len(last) == CONSECUTIVE
    assert not any(one.problem for one in last)
    assert all(one.busy == 0 for one in last)
    assert all(reading.value == 0 for one in last for reading in one.readings)
    assert all(one.idle == one.expired for one in last) or policy is WAIT
    assert policy is DISCARD or all(one.idle == 0 for one in last)
    assert now - started >= policy.propagation
    assert now - max(watched, last[-1].newest or 0.0) >= policy.quiet
    assert found.discarded == (last[-1].expired if policy is DISCARD else 0)
