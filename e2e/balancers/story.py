"""One rollout behind all balancers at the same time, and the table of what their clients saw."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from e2e.balancers.routes import backends
from e2e.balancers.running import Software, running
from e2e.load.report import LoadReport
from e2e.sample.manifests import Variant
from e2e.support import given, when
from e2e.support.table import aligned
from e2e.support.world import World

#: Seconds that a balancer takes to notice what it is not told: three checks of five seconds.
LAG: Final = 15
#: Of each entrance; together they are fewer than the other tests' clients.
_CONNECTIONS: Final = 6
_THINK: Final = 0.1
#: Fewer requests than this through one entrance prove nothing.
AT_LEAST: Final = 300


@dataclass(frozen=True, slots=True)
class Cell:
    """What the clients of one entrance saw of one rollout."""

    software: Software
    route: str
    report: LoadReport


def rolled_out_behind_balancers(
    world: World, variant: Variant, programs: Mapping[Software, str]
) -> list[Cell]:
    """Deploy, roll out while every balancer has clients, and return what those saw."""
    given.the_service(world, variant)
    with running(world, backends(world, variant), programs, lag=LAG) as entrances:
        loads = []
        with ExitStack() as stack:
            for entrance in entrances:
                clients = given.load(
                    world,
                    url=entrance.url,
                    connections=_CONNECTIONS,
                    think=_THINK,
                    warm_up=_CONNECTIONS,
                )
                loads.append((entrance, stack.enter_context(clients)))
            when.rolled_out(world)
            for _, load in loads:
                load.goes_on(requests=AT_LEAST // 3)
        return [
            Cell(entrance.software, entrance.backend.route.value, load.report)
            for entrance, load in loads
        ]


def table(plain: Sequence[Cell], lossless: Sequence[Cell]) -> str:
    """Return the table balancer by route: requests and failed, plain and lossless."""
    head = ("balancer", "route", "plain", "failed", "lossless", "failed")
    rows = [
        (
            before.software.value,
            before.route,
            f"{before.report.requests:,}",
            f"{before.report.failed:,}",
            f"{after.report.requests:,}",
            f"{after.report.failed:,}",
        )
        for before, after in zip(plain, lossless, strict=True)
    ]
    return aligned(head, rows, left=(0, 1))


def verdict(plain: Sequence[Cell], lossless: Sequence[Cell]) -> tuple[bool, str]:
    """Return whether nothing was lost where the control lost some, and say so."""
    lost = [cell for cell in lossless if cell.report.failed]
    idle = [cell for cell in lossless if cell.report.requests < AT_LEAST]
    control = sum(cell.report.failed for cell in plain)
    if lost:
        named = ", ".join(f"{cell.software} by {cell.route}" for cell in lost)
        return False, f"BROKEN: the lossless rollout lost requests: {named}."
    if idle:
        named = ", ".join(f"{cell.software} by {cell.route}" for cell in idle)
        return False, f"Nothing is proved: fewer than {AT_LEAST} requests: {named}."
    if not control:
        return False, "Nothing is proved: the plain rollout lost none either."
    requests = sum(cell.report.requests for cell in lossless)
    return True, f"Plain lost {control}, lossless none of {requests:,}."
