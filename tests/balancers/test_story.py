"""What the table says, and when it proves something."""

from collections.abc import Sequence

import pytest

from e2e.balancers.routes import Route
from e2e.balancers.running import Software
from e2e.balancers.story import AT_LEAST, Cell, table, verdict
from e2e.load.report import Latency, LoadReport


def _report(requests: int, failed: int) -> LoadReport:
    return LoadReport(
        started=0.0,
        seconds=30.0,
        requests=requests,
        kinds={"EOF": failed} if failed else {},
        latency=Latency(p50=0.006, p99=0.03, max=0.1),
        pods={},
    )


def _cells(*counts: tuple[int, int]) -> list[Cell]:
    routes = (Route.CLUSTER_IP, Route.POD_FLAG)
    return [
        Cell(Software.HAPROXY, route.value, _report(*count))
        for route, count in zip(routes, counts, strict=True)
    ]


@pytest.mark.parametrize(
    ("plain", "lossless", "good", "said"),
    [
        pytest.param([(400, 3), (400, 0)], [(400, 0), (500, 0)], True, "none of 900", id="kept"),
        pytest.param(
            [(400, 3), (400, 0)],
            [(400, 0), (400, 1)],
            False,
            "HAProxy by pod IP, status flag",
            id="lost one",
        ),
        pytest.param(
            [(400, 3), (400, 0)],
            [(AT_LEAST - 1, 0), (400, 0)],
            False,
            "HAProxy by ClusterIP",
            id="too few to tell",
        ),
        pytest.param(
            [(400, 0), (400, 0)],
            [(400, 0), (400, 0)],
            False,
            "plain rollout lost none",
            id="the control lost none",
        ),
    ],
)
def test_the_promise_is_kept_only_if_the_control_breaks_it(
    plain: Sequence[tuple[int, int]],
    lossless: Sequence[tuple[int, int]],
    good: bool,  # noqa: FBT001 # one cell of the table
    said: str,
) -> None:
    """And only if every entrance had requests enough."""
    outcome, words = verdict(_cells(*plain), _cells(*lossless))

    assert outcome is good
    assert said in words


def test_the_table_shows_each_way_in() -> None:
    """One row each, with the requests of both rollouts."""
    lines = table(_cells((1200, 6), (400, 41)), _cells((7000, 0), (500, 0))).splitlines()

    assert [line.split("  ")[0].strip() for line in lines[2:]] == ["HAProxy", "HAProxy"]
    assert lines[2].split()[-4:] == ["1,200", "6", "7,000", "0"]
    assert max(map(len, lines)) <= 80
