"""``history`` as a page: each rollout, what it did, and each drain that Events still tell of."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import Element

from lossless.model.conditions import Reason
from lossless.model.durations import format_duration
from lossless.model.phases import Phase
from lossless.model.status import RolloutRecord
from lossless.plugin.drain_events import PastDrain, shared_out
from lossless.plugin.history_table import moment, step
from lossless.plugin.pages.axis import Axis
from lossless.plugin.pages.element import add, data_table, drawing
from lossless.plugin.pages.frame import page

_WIDTH: Final = 1000.0
_LEFT: Final = 250.0
_RIGHT: Final = 840.0
_ROW: Final = 28.0
#: Characters for which there is room before the bars.
_LABEL: Final = 30
_RESULTS: Final = {
    Phase.DRAINED: "drained",
    Phase.TIMED_OUT: "timed out",
    Phase.LOST: "lost",
    None: "no end is known",
}
_PAUSES: Final = {
    Reason.TIMED_OUT.value: "a drain timed out with clients left",
    Reason.PAUSED_BY_SPEC.value: "spec.paused was set",
}
_HOW: Final = (
    "Rollouts are those of status.history, at most the last ten. Each drain comes from the"
    " controller's Events, which a cluster keeps for an hour unless it was told otherwise"
    " (kube-apiserver --event-ttl); older rollouts have their counts alone. All times are UTC."
)


@dataclass(frozen=True, slots=True)
class Past:
    """What is known of one LosslessRollout's rollouts."""

    name: str
    """``namespace/name``."""
    target: str
    """Its workload, as ``Deployment web``, or whatever else makes its pods."""
    rollouts: Sequence[RolloutRecord]
    """Newest first."""
    drains: Sequence[PastDrain] | None
    """None: whoever asks may not see Events."""
    now: float
    """Seconds of the epoch."""
    version: str
    """Of the plugin."""


def history_page(past: Past) -> str:
    """Return the page."""
    made = page(f"Rollouts of {past.name}")
    add(made.main, "p", f"LosslessRollout {past.name} → {past.target}", class_="quiet")
    if past.rollouts:
        _overview(made.main, past)
    else:
        add(made.main, "p", "No rollout was seen yet.")
    spans = [(one.started, one.finished) for one in past.rollouts]
    shares, rest = shared_out(past.drains or (), spans)
    for number, (one, drains) in enumerate(zip(past.rollouts, shares, strict=True)):
        _rollout(made.main, number, one, drains, past)
    if rest:
        section = add(made.main, "section")
        add(section, "h2", "Drains outside of rollouts")
        add(section, "p", "Scale-downs, evictions and deleted pods.", class_="quiet")
        _drains(section, "other", rest, None)
    footer = add(made.main, "footer")
    add(footer, "p", _HOW)
    if past.drains is None:
        add(footer, "p", "You may not list Events here, so single drains are not shown.")
    add(footer, "p", f"kubectl lossless {past.version}, {moment(int(past.now))} UTC")
    return made.text()


def _overview(main: Element, past: Past) -> None:
    add(main, "h2", "At a glance")
    longest = max(_took(one, past.now) for one in past.rollouts)
    axis = Axis(0, max(longest, 1), _LEFT, _RIGHT)
    height = _ROW * len(past.rollouts)
    svg = drawing(
        add(main, "figure"),
        name="overview",
        title="How long each rollout took",
        words="One bar for each rollout, newest first; the table below has the numbers.",
        width=_WIDTH,
        height=height + 28,
    )
    axis.draw(svg, 0, height)
    for number, one in enumerate(past.rollouts):
        y = number * _ROW
        took = _took(one, past.now)
        wrong = bool(one.timed_out or one.lost)
        look = "open" if not one.finished else "cut" if wrong else "bar"
        _bar(svg, axis, y, (f"{step(one)}  {moment(one.started)}", 0, took, look, _brief(one)))
    rows = (
        (
            moment(one.started),
            step(one),
            _length(one, past.now),
            *(f"{count:,}" for count in (one.drained, one.timed_out, one.lost, one.discarded)),
        )
        for one in past.rollouts
    )
    heads = ("Started (UTC)", "Revision", "Took", "Drained", "Timed out", "Lost", "Discarded")
    data_table(main, "Rollouts, newest first", heads, rows)


def _rollout(
    main: Element, number: int, one: RolloutRecord, drains: Sequence[PastDrain], past: Past
) -> None:
    section = add(main, "section")
    add(section, "h2", f"Revision {step(one)}")
    add(section, "p", f"{moment(one.started)} UTC, {_length(one, past.now)}", class_="quiet")
    listed = add(section, "ul")
    for text, wrong in _sentences(one):
        add(listed, "li", text, class_="bad" if wrong else "plain")
    if drains:
        _drains(section, f"rollout{number}", drains, None if one.finished else past.now)
    missing = one.drained + one.timed_out + one.lost - sum(d.result is not None for d in drains)
    if missing > 0 and past.drains is not None:
        text = f"Of {_count(missing, 'drain')} there are no Events any more."
        add(section, "p", text, class_="quiet")


def _drains(section: Element, name: str, drains: Sequence[PastDrain], now: float | None) -> None:
    """Append the drains of a rollout; those without an end go on if there is a ``now``."""
    known = [drain for drain in drains if drain.began is not None]
    if known:
        first = min(drain.began or 0.0 for drain in known)
        last = max(now or 0.0, *(drain.moment for drain in known))
        axis = Axis(0, max(last - first, 1), _LEFT, _RIGHT)
        height = _ROW * len(known)
        svg = drawing(
            add(section, "figure"),
            name=name,
            title="Drains",
            words="One bar for each drain, from its begin to its end, in seconds since the first.",
            width=_WIDTH,
            height=height + 28,
        )
        axis.draw(svg, 0, height)
        for row, drain in enumerate(known):
            began = (drain.began or 0.0) - first
            ended = (drain.ended or last) - first
            look = {Phase.DRAINED: "bar", None: "open"}.get(drain.result, "cut")
            _bar(svg, axis, row * _ROW, (drain.pod, began, ended, look, _end(drain, now)))
    rows = (
        (
            drain.pod,
            _result(drain, now),
            "unknown" if drain.seconds is None else format_duration(round(drain.seconds, 1)),
            moment(int(drain.moment)),
            drain.said,
        )
        for drain in drains
    )
    heads = ("Pod", "Result", "Took", "Last heard of (UTC)", "In the controller's words")
    details = add(section, "details")
    add(details, "summary", f"{_count(len(drains), 'drain')} as a table")
    data_table(details, "Drains", heads, rows)


def _bar(svg: Element, axis: Axis, y: float, row: tuple[str, float, float, str, str]) -> None:
    label, began, ended, look, note = row
    left, right = axis.at(began), axis.at(ended)
    shown = label if len(label) <= _LABEL else f"…{label[1 - _LABEL :]}"
    add(svg, "text", shown, x=_LEFT - 10, y=y + 18, text_anchor="end")
    bar = add(
        svg, "rect", x=left, y=y + 5, width=max(right - left, 2), height=_ROW - 10, class_=look
    )
    add(bar, "title", f"{label}: {note}")
    add(svg, "text", note, x=right + 8, y=y + 18, class_="bad" if look == "cut" else "quiet")


def _sentences(one: RolloutRecord) -> list[tuple[str, bool]]:
    """Return what happened, and whether it is bad."""
    drained = _count(one.drained, "pod") if one.drained else "No pod"
    # Discarded connections are clients that were left, perhaps.
    proved = one.drained and not one.discarded
    told = [(f"{drained} drained{': stopped with no connection left' if proved else ''}.", False)]
    if one.timed_out:
        text = f"{_count(one.timed_out, 'pod')} timed out: stopped at its deadline, clients left."
        told.append((text, True))
    if one.lost:
        text = f"{_count(one.lost, 'pod')} lost: gone without a result, its clients unknown."
        told.append((text, True))
    if one.discarded:
        count = _count(one.discarded, "idle connection")
        text = f"{count} discarded (idleConnections: Discard): of their clients nothing is proved."
        told.append((text, False))
    if one.paused:
        told.append((f"Paused: {_PAUSES.get(one.paused, one.paused)} ({one.paused}).", False))
    if one.resumed:
        told.append((f"Resumed: {one.resumed}", False))
    if one.superseded:
        told.append(("Superseded: another revision was asked for with old pods left.", False))
    return told


def _brief(one: RolloutRecord) -> str:
    parts = [f"{one.timed_out} timed out"] if one.timed_out else []
    parts += [f"{one.lost} lost"] if one.lost else []
    if not one.finished:
        return ", ".join(["under way", *parts])
    return ", ".join([format_duration(one.finished - one.started), *parts])


def _result(drain: PastDrain, now: float | None) -> str:
    return "under way" if drain.result is None and now is not None else _RESULTS[drain.result]


def _end(drain: PastDrain, now: float | None) -> str:
    took = "" if drain.seconds is None else f" {format_duration(round(drain.seconds, 1))}"
    return f"{_result(drain, now)}{took}"


def _took(one: RolloutRecord, now: float) -> float:
    return max((one.finished or now) - one.started, 0.0)


def _length(one: RolloutRecord, now: float) -> str:
    if one.finished:
        return format_duration(one.finished - one.started)
    return f"under way for {format_duration(int(_took(one, now)))}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
