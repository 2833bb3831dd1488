"""``explain`` as text: why a pod is not drained, by all the evidence there is. Pure."""

from typing import Any, Final

from lossless.model.durations import format_duration
from lossless.model.phases import Phase
from lossless.model.policy import DrainPolicy, OnTimeout, RolloutSpec
from lossless.model.report import Connections, Oldest
from lossless.model.rollout.observation import Pod
from lossless.plugin.evidence import Case, Source, Statement, Witness
from lossless.plugin.layout import ago, cut, paragraph, table
from lossless.plugin.paint import Paint

_INDENT: Final = "  "


def explanation(case: Case, now: float, width: int, paint: Paint) -> list[str]:
    """Return the lines.

    Args:
        case: what is known.
        now: seconds of the epoch.
        width: columns.
        paint: colours.
    """
    lines = [_head(case, now, paint), *paragraph(_answer(case), width, _INDENT)]
    if case.pod.unprotected:
        text = f"Containers that do not wait for the drain: {case.pod.unprotected}"
        lines += [paint.yellow(line) for line in paragraph(text, width, _INDENT)]
    said = case.statement
    if said is not None:
        lines += ["", paint.bold(f"Evidence, by {_witness(said, now)}")]
        lines += _evidence(said, width)
        lines += _drivers(said, width, paint)
        lines += _holders(said, paint)
    if case.failed:
        lines += ["", *(paint.yellow(line) for line in paragraph(case.failed, width))]
    if _phase(case) is Phase.DRAINING:
        lines += ["", paint.bold("Ends"), *_ends(case, now, width)]
    return lines


def document(case: Case, now: float) -> dict[str, Any]:
    """Return the same for programs."""
    said = case.statement
    counts, oldest = _connections(said), _oldest(said)
    result: dict[str, Any] = {
        "namespace": case.namespace,
        "pod": case.pod.name,
        "uid": case.pod.uid,
        "rollout": case.pod.rollout or None,
        "phase": _phase(case).value,
        "answer": _answer(case),
        "source": said.witness.name if said else None,
        "age": _age(said, now) if said else None,
        "connections": None
        if counts is None
        else {"active": counts.active, "idle": counts.idle, "new": counts.new},
        "oldest": None if oldest is None else {"peer": oldest.peer, "ageSeconds": oldest.age},
        "reason": _reason(said),
        "sources": [_source(source) for source in said.sources] if said else [],
        "drivers": [_source(driver) for driver in said.drivers] if said else [],
    }
    if case.failed:
        result["agentNotAsked"] = case.failed
    return result


def _source(source: Source) -> dict[str, Any]:
    return {
        "name": source.name,
        "state": source.state,
        "value": source.value,
        "ageSeconds": source.age,
        "reason": source.reason,
    }


def _head(case: Case, now: float, paint: Paint) -> str:
    phase = _phase(case)
    since = ""
    if case.pod.deletion is not None:
        since = f", asked to stop {ago(now - case.pod.stop_asked)} ago"
    colour = paint.green if phase in {Phase.SERVING, Phase.DRAINED} else paint.yellow
    return f"{paint.bold(f'{case.namespace}/{case.pod.name}')}  {colour(phase.value)}{since}"


def _phase(case: Case) -> Phase:
    """Return where the pod stands, by the best witness and by the pod itself."""
    said, pod = case.statement, case.pod
    if not pod.rollout:
        return Phase.SERVING if pod.live else Phase.UNPROTECTED
    if said is not None and said.report is not None and said.report.phase is not Phase.SERVING:
        return said.report.phase
    if pod.deletion is not None:
        return said.entry.phase if said and said.entry else Phase.DRAINING
    if not pod.containers_ready:
        return Phase.STARTING
    return Phase.HELD if pod.shut else Phase.SERVING


def _answer(case: Case) -> str:
    """Return the one sentence that answers "why is it not drained?"."""
    phase, said = _phase(case), _reason(case.statement)
    answers = {
        Phase.SERVING: "It serves. Nobody has asked it to stop, so there is nothing to drain"
        if case.pod.rollout
        else (
            "It has no agent, so it would stop as if Lossless were not here. Pods get theirs when"
            " they are created; kubectl lossless check says whether these can"
        ),
        Phase.UNPROTECTED: "It has no agent: it stops as if Lossless were not here",
        Phase.STARTING: "Its containers are not ready yet, so it has no clients",
        Phase.HELD: f"It takes no traffic yet: {_gate(case.pod)}",
        Phase.DRAINED: f"It has drained: {said or 'no client can notice its end'}",
        Phase.TIMED_OUT: f"It was not drained in time: {said or 'clients were left'}",
        Phase.LOST: f"Nobody knows how it ended: {said or 'it left no report'}",
        Phase.DRAINING: f"Not drained: {said or 'nobody could say why; see below'}",
    }
    return answers[phase]


def _gate(pod: Pod) -> str:
    if pod.gate is None:
        return "its readiness gate has not been written; is the controller running?"
    return pod.gate.message or pod.gate.reason or "its readiness gate is shut"


def _witness(said: Statement, now: float) -> str:
    if said.witness is Witness.STATUS and said.written:
        return f"{said.witness.value} (written {ago(now - said.written)} ago)"
    return said.witness.value


def _age(said: Statement, now: float) -> float | None:
    if said.witness is Witness.AGENT:
        return 0.0
    return max(0.0, now - said.written) if said.written else None


def _evidence(said: Statement, width: int) -> list[str]:
    if said.sources:
        return _table(said.sources, width)
    counts = _connections(said)
    if counts is None:
        return [f"{_INDENT}connections: unknown, which is not zero"]
    rows = [
        ("WHAT", "NOW", "MEANS"),
        ("active", str(counts.active), "a request is, or may be, in flight"),
        ("idle", str(counts.idle), "open, and the client may use it again"),
        ("new", str(counts.new), "opened within the last spec.drain.quiet"),
    ]
    return table(rows, indent=_INDENT)


def _drivers(said: Statement, width: int, paint: Paint) -> list[str]:
    if not said.drivers:
        return []
    return ["", paint.bold("Close drivers: how its clients are told"), *_table(said.drivers, width)]


def _table(sources: tuple[Source, ...], width: int) -> list[str]:
    """Return sources as a table; columns that nobody fills are left out."""
    rows = [
        (
            source.name,
            source.state,
            source.value,
            "" if source.age is None else format_duration(round(source.age, 1)),
            source.reason,
        )
        for source in sources
    ]
    heading = ("SOURCE", "STATE", "VALUE", "AGE", "REASON")
    kept = [i for i in range(len(heading)) if i == 0 or any(row[i] for row in rows)]
    cells = [[row[i] for i in kept] for row in (heading, *rows)]
    return [cut(line, width) for line in table(cells, indent=_INDENT)]


def _holders(said: Statement, paint: Paint) -> list[str]:
    oldest = _oldest(said)
    if oldest is None:
        return []
    held = format_duration(round(oldest.age))
    return ["", paint.bold("Who holds on"), f"{_INDENT}{oldest.peer}, open for {held}"]


def _ends(case: Case, now: float, width: int) -> list[str]:
    report = case.statement.report if case.statement else None
    spec = case.rollout.spec if case.rollout else None
    drain = spec.drain if isinstance(spec, RolloutSpec) else None
    if report is not None:
        left = report.deadline
    elif drain is not None:
        left = drain.timeout - (now - case.pod.stop_asked)
    else:
        return paragraph("at the end of its grace period", width, _INDENT)
    text = f"in {ago(left)} at the latest" if left > 0 else "its time is over"
    return paragraph(f"{text}{_then(drain)}", width, _INDENT)


def _then(drain: DrainPolicy | None) -> str:
    if drain is None:
        return ""
    timeout = f" (spec.drain.timeout {format_duration(drain.timeout)})"
    if drain.on_timeout is OnTimeout.PAUSE:
        return f"{timeout}; if clients are left by then, the rollout pauses"
    return f"{timeout}; the rollout goes on whoever is left by then"


def _connections(said: Statement | None) -> Connections | None:
    if said is None:
        return None
    return (
        said.report.connections if said.report else said.entry.connections if said.entry else None
    )


def _oldest(said: Statement | None) -> Oldest | None:
    if said is None:
        return None
    return said.report.oldest if said.report else said.entry.oldest if said.entry else None


def _reason(said: Statement | None) -> str:
    if said is None:
        return ""
    return said.report.reason if said.report else said.entry.reason if said.entry else ""
