"""Pages to look at: the history of a LosslessRollout, and a demo as clients would have seen it."""

import random
from collections.abc import Sequence
from dataclasses import replace

from e2e.demo.page import Made, demo_page
from e2e.demo.story import Result
from e2e.load.report import Failure, Kind, Tally
from e2e.sample.manifests import Variant
from e2e.support.load import FortioReport
from e2e.support.timeline import Step
from lossless.model.phases import Phase
from lossless.model.status import MAX_HISTORY, RolloutRecord
from lossless.plugin.drain_events import PastDrain
from lossless.plugin.pages.history_page import Past, history_page

NOW = 1_800_000_000.0
HOSTILE = "<script>alert('x')</script>\"&\x00\x1b[31m\ud800"
MADE = Made("2027-01-15 08:00 UTC", (("Lossless", "0.1.0"), ("Kubernetes", "v1.36.0")))
_CLIENTS = 64


def past(rollouts: int = MAX_HISTORY, word: str = "web") -> Past:
    """Return a history with one rollout under way, if any, and names made of ``word``."""
    ended = [
        RolloutRecord(
            started=int(NOW) - 3600 * number - 300,
            finished=int(NOW) - 3600 * number - 200 + 40 * number,
            drained=3,
            timed_out=int(number == 2),
            lost=int(number == 3),
            discarded=2 * (number % 2),
            before=str(number),
            revision=word if number == 4 else str(number + 1),
            paused="DrainTimedOut" if number == 2 else "",
            resumed=f"2027-01-15T08:02:00Z {word}" if number == 2 else "",
            superseded=number == 5,
        )
        for number in range(1, rollouts)
    ]
    running = [RolloutRecord(int(NOW) - 75, drained=1, before="9", revision="10")]
    begun = NOW - 70
    drains = [
        PastDrain(f"{word}-5d8f-old-a", begun, begun + 21.4, Phase.DRAINED, "drained in 21s"),
        PastDrain(f"{word}-5d8f-old-b", begun + 23, None, None, "drains"),
        PastDrain(f"{word}-x", NOW - 7490, NOW - 7450, Phase.DRAINED, f"{word} drained in 40s"),
        PastDrain(
            f"{word}-y", NOW - 7440, NOW - 7425, Phase.TIMED_OUT, f"{word}: 3 connections left"
        ),
        PastDrain(f"{word}-z", None, NOW - 7424, Phase.LOST, "ended without a result"),
        PastDrain(f"{word}-scaled", NOW - 99_000, NOW - 98_970, Phase.DRAINED, "drained in 30s"),
    ]
    return Past(
        name=f"shop/{word}",
        target=f"Deployment {word}",
        rollouts=[*running, *ended] if rollouts else [],
        drains=drains if rollouts else [],
        now=NOW,
        version="0.1.0",
    )


def a_history(rollouts: int = MAX_HISTORY, word: str = "web") -> str:
    """Return such a history's page."""
    return history_page(past(rollouts, word))


def a_result(variant: Variant, word: str = "web", *, lost: int | None = None) -> Result:
    """Return a rollout in which old pods go one after another, as a client would have counted it.

    Args:
        variant: plain pods drop their clients, others let them go over some seconds.
        word: of which the pods' names are made.
        lost: requests for each pod that stops; None: some if plain.
    """
    lost = (11 if variant is Variant.PLAIN else 0) if lost is None else lost
    each = {Variant.PLAIN: 1.3, Variant.SLEEP: 5.0, Variant.LOSSLESS: 7.5}[variant]
    draw = random.Random(str(variant))  # noqa: S311 # spreads what is drawn
    tally = Tally(started=NOW - 4)
    steps: list[Step] = []
    for number in range(3):
        old, new = f"{word}-5d8f-old{number}", f"{word}-77cc-new{number}"
        ready = NOW + 1 + each * number
        gone = ready + each
        steps += [
            Step(NOW - 60, "created (with agent)", old),
            Step(ready - 1, "created (with agent)", new),
            Step(ready, "ready", new),
            Step(ready, "asked to stop, grace 60 s", old),
            Step(gone, "gone", old),
        ]
        for _ in range(_CLIENTS // 3):
            left = draw.uniform(ready, gone) if variant is not Variant.PLAIN else ready + 0.05
            tally.course.opened(old, 4 + draw.uniform(-4, -3.5))
            tally.course.closed(old, left - tally.started)
            tally.course.opened(new, left + 0.1 - tally.started)
        for _ in range(lost):
            kind = draw.choice([Kind.EOF, Kind.REFUSED, Kind.RESET])
            tally.failed(_failure(ready + draw.uniform(0, 0.6), kind, old))
        if lost:
            tally.failed(_failure(ready + 10, Kind.TIMEOUT, old))
    end = NOW + 1 + 3 * each + 11
    at = tally.started
    while at < end:
        at += draw.expovariate(900)
        tally.answered(draw.uniform(0.002, 0.02), at, f"{word}-5d8f-old0", "v1")
    return Result(
        variant=variant,
        seconds=1 + 3 * each,
        own=tally.report(end, whole=True),
        fortio=_fortio(lost),
        account="",
        began=NOW,
        steps=sorted(steps, key=lambda step: step.at),
    )


def a_demo(word: str = "web", results: Sequence[Result] | None = None) -> str:
    """Return a demo's page."""
    told = [a_result(variant, word) for variant in Variant] if results is None else results
    return demo_page(told, _CLIENTS, replace(MADE, date=f"{MADE.date}, {word}"))


def _failure(at: float, kind: Kind, pod: str) -> Failure:
    waited = 10.0 if kind is Kind.TIMEOUT else 0.01
    return Failure(at, waited, kind, "reused", 0.05, 30, pod, "10.0.0.9:4000", "closed")


def _fortio(lost: int) -> FortioReport:
    codes = {"200": 2000} | ({"-1": 3} if lost else {})
    return FortioReport(2000, codes, seconds=30.0, p50=0.006, p99=0.02, max=0.05)
