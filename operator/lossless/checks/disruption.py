"""Questions about evictions: node drains go through PodDisruptionBudgets."""

import math
from collections.abc import Iterator

from lossless.checks.finding import Trouble
from lossless.checks.setup import Setup, named


def no_budget(setup: Setup) -> Iterator[Trouble]:
    """Ask whether somebody keeps node drains from taking all pods at once."""
    if setup.workload is None or not setup.live or setup.budgets is None:
        return
    if not setup.budgets and setup.replicas > 1:
        yield Trouble(
            setup.target,
            "no PodDisruptionBudget selects its pods: draining several nodes may take all of them"
            " at once",
            "make one with maxUnavailable: 1",
        )


def stuck_budget(setup: Setup) -> Iterator[Trouble]:
    """Ask whether an eviction could ever be allowed."""
    if setup.workload is None or not setup.replicas:
        return
    for budget in setup.budgets or ():
        spec = budget.get("spec") or {}
        for field, allowed in (
            ("maxUnavailable", _pods(spec.get("maxUnavailable"), setup.replicas)),
            ("minAvailable", _left(spec.get("minAvailable"), setup.replicas)),
        ):
            if allowed is not None and allowed <= 0:
                yield Trouble(
                    named(budget),
                    f"{field} {spec[field]} of {setup.replicas} replicas allows no eviction, ever:"
                    " kubectl drain of a node waits for good",
                    "set maxUnavailable: 1 instead"
                    + (", and run two replicas or more" if setup.replicas == 1 else ""),
                )


def two_budgets(setup: Setup) -> Iterator[Trouble]:
    """Ask whether two budgets select the same pods."""
    budgets = setup.budgets or ()
    if len(budgets) > 1:
        yield Trouble(
            ", ".join(named(budget) for budget in budgets),
            "more than one budget selects these pods: the API server refuses every eviction of"
            " them with an error",
            "keep one",
        )


def _pods(value: int | str | None, replicas: int) -> int | None:
    """Return a number or percentage as pods; rounded up, as the disruption controller does."""
    if value is None or isinstance(value, int):
        return value
    share = str(value).removesuffix("%")
    return math.ceil(int(share) * replicas / 100) if share.isdecimal() else None


def _left(value: int | str | None, replicas: int) -> int | None:
    least = _pods(value, replicas)
    return None if least is None else replicas - least
