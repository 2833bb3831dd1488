"""Questions about evictions: node drains go through PodDisruptionBudgets."""

import math
from collections.abc import Iterator

from lossless.checks.finding import Trouble
from lossless.checks.setup import Setup, named


def no_budget(setup: Setup) -> Iterator[Trouble]:
    """Ask whether somebody keeps node drains from taking all pods at once."""
    if setup.workload is None or not setup.live or setup.budgets is None:
        return
    if not setup.budgets and (setup.replicas or 0) > 1:
        yield Trouble(
            setup.target,
            "no PodDisruptionBudget selects its pods: draining several nodes may take all of them"
            " at once",
            "make one with maxUnavailable: 1",
        )


def stuck_budget(setup: Setup) -> Iterator[Trouble]:
    """Ask whether an eviction could ever be allowed."""
    replicas = setup.replicas
    if setup.workload is None or replicas == 0:
        return
    for budget in setup.budgets or ():
        spec = budget.get("spec") or {}
        for field, allowed in (
            ("maxUnavailable", _pods(spec.get("maxUnavailable"), replicas)),
            ("minAvailable", _left(spec.get("minAvailable"), replicas)),
        ):
            if allowed is not None and allowed <= 0:
                yield Trouble(
                    named(budget),
                    f"{field} {spec[field]}"
                    + ("" if replicas is None else f" of {replicas} replicas")
                    + " allows no eviction, ever: kubectl drain of a node waits for good",
                    "set maxUnavailable: 1 instead"
                    + (", and run two replicas or more" if replicas == 1 else ""),
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


def _pods(value: int | str | None, replicas: int | None) -> int | None:
    """Return a number or percentage as pods; rounded up, as the disruption controller does.

    None if nobody can know: of any number all are 100 %, and none are 0 %.
    """
    if value is None or isinstance(value, int):
        return value
    share = str(value).removesuffix("%")
    if not share.isdecimal():
        return None
    if replicas is None:
        return 0 if int(share) == 0 else None
    return math.ceil(int(share) * replicas / 100)


def _left(value: int | str | None, replicas: int | None) -> int | None:
    if replicas is None:
        return 0 if value == "100%" else None
    least = _pods(value, replicas)
    return None if least is None else replicas - least
