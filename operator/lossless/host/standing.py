"""How a host stands, judged from what was seen of it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from lossless.host.exits import Exit
from lossless.host.journal import Journal, Outcome
from lossless.host.plan import TITLES, Step, is_online
from lossless.model.durations import format_duration
from lossless.model.report import Connections


class State(StrEnum):
    """One word for it."""

    SERVING = "Serving"
    AT_WORK = "AtWork"
    STRANDED = "Stranded"
    OFFLINE = "Offline"
    DOWN = "Down"
    UNKNOWN = "Unknown"


EXITS: Final[Mapping[State, Exit]] = {
    State.SERVING: Exit.OK,
    State.AT_WORK: Exit.OK,
    State.STRANDED: Exit.STRANDED,
    State.OFFLINE: Exit.OFFLINE,
    State.DOWN: Exit.DOWN,
    State.UNKNOWN: Exit.UNKNOWN,
}
#: What a host lacks that is in the load balancer when a run has failed at that step.
_WANTING: Final[Mapping[Step | None, str]] = {
    Step.READY: ", and its application has not answered as expected: start it",
    Step.START_PROXY: ", and its proxy could not be started: start it",
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What was seen of a host at one moment."""

    flags: Mapping[str, bool | None] = field(default_factory=dict)
    """Whether each status file is there; None: that cannot be seen."""
    listening: bool | None = None
    """Whether all counted ports are listened on."""
    app_listening: bool | None = None
    """Whether something listens on the application's own port."""
    app_problem: str | None = ""
    """Why the application's answer is not the expected one; None: it could not be asked."""
    holder: int | None = None
    """The process that is at work, 0 if it is unknown which; None: nobody is."""
    journal: Journal | None = None
    connections: Connections | None = None
    """Of clients, on counted ports; None: they cannot be counted."""
    problems: tuple[str, ...] = ()
    """What could not be seen, and what would help."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The judgement."""

    state: State
    reason: str
    """One or two sentences for people."""
    remedy: str = ""
    """What to do; empty if nothing has to be done."""

    @property
    def exit(self) -> Exit:
        """What ``status`` and ``check`` end with."""
        return EXITS[self.state]


def judge(facts: Facts, command: str, now: float) -> Standing:  # noqa: PLR0911 # in order of precedence
    """Return how a host stands.

    Args:
        facts: what was seen.
        command: ``lossless host VERB --config FILE`` with ``{}`` for the verb.
        now: seconds since 1970.
    """
    publish, online = command.format("publish"), command.format("online")
    if facts.holder is not None:
        who = f"process {facts.holder}" if facts.holder else "another process"
        return Standing(State.AT_WORK, f"A run is at work on this host right now, {who}.")
    gone = [path for path, there in facts.flags.items() if there is False]
    unseen = [path for path, there in facts.flags.items() if there is None]
    app = _app(facts)
    journal = facts.journal
    if gone:
        where = f"The host is out of the load balancer ({', '.join(gone)} is gone), and {app}."
        if journal is not None and journal.unfinished:
            # As plan.remaining has it: another status file that is there may mean clients.
            anew = len(gone) < len(facts.flags) and not is_online(journal.marks)
            goes_on = journal.resumable and not anew
            after = f"{publish} goes on" if goes_on else f"{publish} begins anew"
            back = f"; {online} puts the host back as it is" if facts.app_problem == "" else ""
            remedy = f"{after}{back}"
            return Standing(State.STRANDED, f"{past(journal, now)} {where}", remedy)
        if journal is not None and journal.outcome is Outcome.OFFLINE:
            ago = _ago(now - journal.at)
            return Standing(State.OFFLINE, f"Taken offline on purpose {ago} ago. {where}", online)
        remedy = f"{online} puts it back, if its application answers"
        return Standing(State.STRANDED, f"{where} No run of lossless host asked for that.", remedy)
    if unseen:
        told = "; ".join(facts.problems)
        return Standing(
            State.UNKNOWN, f"Whether {', '.join(unseen)} is there cannot be seen. {told}".strip()
        )
    if facts.app_problem or facts.listening is False:
        # Nothing of ours can help: the flag is there, and the load balancer's check has the word.
        ports = "" if facts.listening is not False else " A counted port has no listener."
        starts = journal is not None and journal.resumable and not is_online(journal.marks)
        remedy = f"start it; {publish} does so after a failed one" if starts else "start it"
        return Standing(State.DOWN, f"The host is in the load balancer, but {app}.{ports}", remedy)
    if facts.listening is None or facts.app_problem is None:
        return Standing(State.UNKNOWN, "; ".join(facts.problems))
    note = f" {past(journal, now)}" if journal is not None and journal.unfinished else ""
    return Standing(State.SERVING, f"The host is in the load balancer, and {app}.{note}")


def past(journal: Journal, now: float) -> str:
    """Return what an unfinished run left behind, for people."""
    half = journal.marks.half
    if half is not None:
        at = f"at the step '{TITLES[half]}'"
    else:
        done = [step for step in Step if step in journal.marks.done]
        at = f"after the step '{TITLES[done[-1]]}'" if done else "before its first step"
    ago = _ago(now - journal.at)
    if journal.outcome is Outcome.STRANDED:
        why = f": {journal.reason}" if journal.reason else ""
        return f"The {journal.verb.value} of {ago} ago ended {at}{why}."
    return f"A {journal.verb.value} was cut off {ago} ago {at} (process {journal.pid} is gone)."


def whereabouts(flags: Mapping[str, bool | None], at: Step | None, command: str) -> str:
    """Return where a run leaves a host that it could not put back, and how to go on, for people.

    Args:
        flags: whether each status file is there now; None: that cannot be seen.
        at: the step that was begun last, which has failed or was cut short; None: none was.
        command: ``lossless host VERB --config FILE`` with ``{}`` for the verb.
    """
    there = ", ".join(path for path, seen in flags.items() if seen)
    gone = ", ".join(path for path, seen in flags.items() if seen is False)
    unseen = ", ".join(path for path, seen in flags.items() if seen is None)
    status = command.format("status")
    online = command.format("online")
    on = f"Go on: {command.format('publish')} (or {online}, if its application answers)"
    if unseen:
        return (
            f"The host may be in the load balancer: whether {unseen} is there cannot be seen."
            f" Look at it, and at {status}. {on}"
        )
    if not there:
        return f"The host is out of the load balancer, so no client is served, or hurt, by it. {on}"
    if gone:
        return f"The host is in the load balancer in part: {there} is there, {gone} is gone. {on}"
    return (
        f"The host is in the load balancer all the same ({there} is there)"
        f"{_WANTING.get(at, '')}. How it stands: {status}"
    )


def _app(facts: Facts) -> str:
    if facts.app_problem is None:
        return "whether its application answers cannot be seen"
    if not facts.app_problem:
        return "its application runs and answers"
    if facts.app_listening:
        return f"its application runs but does not answer as expected ({facts.app_problem})"
    return f"its application does not answer ({facts.app_problem})"


def _ago(seconds: float) -> str:
    return format_duration(max(0, round(seconds)))
