"""How a host stands: one word, a sentence, and what to do."""

from dataclasses import replace

import pytest

from lossless.host.exits import Exit
from lossless.host.journal import Journal, Outcome
from lossless.host.plan import Marks, Step, Verb
from lossless.host.standing import EXITS, Facts, State, judge, whereabouts

NOW = 1000.0
IN = {"/on": True}
OUT = {"/on": False}
SERVING = Facts(flags=IN, listening=True, app_listening=True)
CUT = Journal("1", Verb.PUBLISH, 7, 900.0, 940.0, Marks().finish(Step.WITHDRAW).begin(Step.DRAIN))
REFUSED = "http://127.0.0.1:1/: Connection refused"


@pytest.mark.parametrize(
    ("facts", "state", "words"),
    [
        pytest.param(
            SERVING, State.SERVING, "in the load balancer, and its application", id="well"
        ),
        pytest.param(
            replace(SERVING, flags=OUT, holder=7), State.AT_WORK, "process 7", id="at-work"
        ),
        pytest.param(
            replace(SERVING, flags=OUT, holder=0), State.AT_WORK, "another process", id="by-whom"
        ),
        pytest.param(
            replace(SERVING, flags=OUT, journal=CUT),
            State.STRANDED,
            "cut off 1m ago at the step 'tell clients to leave, and wait for the evidence that none"
            " is left' (process 7 is gone). The host is out of the load balancer (/on is gone), and"
            " its application runs and answers.",
            id="cut-off",
        ),
        pytest.param(
            replace(SERVING, flags=OUT, journal=CUT.end(Outcome.STRANDED, "no disk", 995.0)),
            State.STRANDED,
            "The publish of 5s ago ended at the step",
            id="failed",
        ),
        pytest.param(
            replace(SERVING, flags=OUT, journal=CUT.end(Outcome.ONLINE, "", 995.0)),
            State.STRANDED,
            "No run of lossless host asked for that",
            id="flag-removed-by-hand",
        ),
        pytest.param(
            replace(SERVING, flags=OUT), State.STRANDED, "No run of lossless", id="never-published"
        ),
        pytest.param(
            replace(SERVING, flags={"/on": True, "/too": False}),
            State.STRANDED,
            "(/too is gone)",
            id="one-of-two-flags",
        ),
        pytest.param(
            replace(SERVING, flags=OUT, journal=CUT.end(Outcome.OFFLINE, "", 940.0)),
            State.OFFLINE,
            "on purpose 1m ago",
            id="on-purpose",
        ),
        pytest.param(
            replace(SERVING, app_problem=REFUSED, app_listening=False),
            State.DOWN,
            "its application does not answer (http://127.0.0.1:1/: Connection refused)",
            id="app-down",
        ),
        pytest.param(
            replace(SERVING, app_problem="HTTP 500"),
            State.DOWN,
            "runs but does not answer as expected (HTTP 500)",
            id="app-ill",
        ),
        pytest.param(replace(SERVING, listening=False), State.DOWN, "no listener", id="proxy-down"),
        pytest.param(
            replace(SERVING, flags={"/on": None}, problems=("as root",)),
            State.UNKNOWN,
            "Whether /on is there cannot be seen. as root",
            id="flag-not-to-be-seen",
        ),
        pytest.param(
            replace(SERVING, listening=None, problems=("no netlink",)),
            State.UNKNOWN,
            "no netlink",
            id="sockets-not-to-be-seen",
        ),
        pytest.param(
            Facts(flags=OUT, app_problem=None, problems=("only root may enter it",)),
            State.STRANDED,
            "whether its application answers cannot be seen",
            id="namespace-not-to-be-entered",
        ),
        pytest.param(
            replace(SERVING, journal=CUT), State.SERVING, "was cut off", id="cut-off-but-serving"
        ),
    ],
)
def test_states(facts: Facts, state: State, words: str) -> None:
    """What cannot be seen is never taken for well."""
    standing = judge(facts, "lossless host {}", NOW)

    assert standing.state is state
    assert words in standing.reason


@pytest.mark.parametrize(
    ("journal", "remedy"),
    [
        pytest.param(CUT, "lossless host publish goes on; lossless host online", id="publish"),
        pytest.param(
            replace(CUT, verb=Verb.ONLINE), "lossless host publish begins anew", id="online"
        ),
        pytest.param(None, "lossless host online puts it back", id="nobody"),
    ],
)
def test_a_stranded_host_is_told_how_to_go_on(journal: Journal | None, remedy: str) -> None:
    """By commands to be copied."""
    facts = replace(SERVING, flags=OUT, journal=journal)

    assert judge(facts, "lossless host {}", NOW).remedy.startswith(remedy)


def test_a_publish_is_not_said_to_go_on_if_another_status_file_is_there() -> None:
    """Clients may come by it, so it begins anew, as it then does."""
    facts = replace(SERVING, flags={"/on": True, "/too": False}, journal=CUT)

    assert judge(facts, "lossless host {}", NOW).remedy.startswith("lossless host publish begins")


@pytest.mark.parametrize(
    ("journal", "remedy"),
    [
        pytest.param(None, "start it", id="nobody"),
        pytest.param(CUT, "start it; lossless host publish does so after a failed one", id="cut"),
        pytest.param(
            replace(CUT, marks=CUT.marks.finish(Step.RESTORE)), "start it", id="only-looks-at-it"
        ),
    ],
)
def test_a_host_that_is_down_is_told_what_starts_it(journal: Journal | None, remedy: str) -> None:
    """A publish that has put the host back already only waits for it to answer."""
    facts = replace(SERVING, app_problem=REFUSED, journal=journal)

    assert judge(facts, "lossless host {}", NOW).remedy == remedy


@pytest.mark.parametrize(
    ("flags", "at", "words"),
    [
        pytest.param(
            {"/on": False, "/too": False},
            Step.READY,
            "The host is out of the load balancer, so no client is served, or hurt, by it. Go on:"
            " lossless host publish (or lossless host online, if its application answers)",
            id="out",
        ),
        pytest.param(
            IN,
            Step.READY,
            "The host is in the load balancer all the same (/on is there), and its application has"
            " not answered as expected: start it. How it stands: lossless host status",
            id="in-with-a-dead-application",
        ),
        pytest.param(
            IN, Step.START_PROXY, "and its proxy could not be started: start it", id="no-proxy"
        ),
        pytest.param(
            IN, Step.REOPEN, "(/on is there). How it stands: lossless host status", id="in"
        ),
        pytest.param(IN, None, "(/on is there). How it stands", id="interrupted-at-once"),
        pytest.param(
            {"/on": True, "/too": False},
            Step.RESTORE,
            "in the load balancer in part: /on is there, /too is gone. Go on: lossless host pub",
            id="in-part",
        ),
        pytest.param(
            {"/on": None, "/too": False},
            Step.RESTORE,
            "may be in the load balancer: whether /on is there cannot be seen",
            id="unknown-is-not-out",
        ),
    ],
)
def test_where_a_run_leaves_a_host(
    flags: dict[str, bool | None], at: Step | None, words: str
) -> None:
    """It says that no client is hurt only if every status file is gone."""
    told = whereabouts(flags, at, "lossless host {}")

    assert words in told
    assert ("no client" in told) is (set(flags.values()) == {False})


def test_a_dead_application_is_not_to_be_put_back() -> None:
    """``online`` would wait for it in vain."""
    facts = replace(SERVING, flags=OUT, journal=CUT, app_problem="Connection refused")

    assert judge(facts, "lossless host {}", NOW).remedy == "lossless host publish goes on"


def test_only_a_host_that_serves_or_is_worked_on_exits_with_0() -> None:
    """Timers depend on it."""
    assert {state for state, code in EXITS.items() if code is Exit.OK} == {
        State.SERVING,
        State.AT_WORK,
    }
    assert set(EXITS) == set(State)
