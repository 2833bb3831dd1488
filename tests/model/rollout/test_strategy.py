"""How many pods a Deployment adds and lets go at a time, as Kubernetes computes it."""

import pytest

from lossless.model.rollout.strategy import Strategy


@pytest.mark.parametrize(
    ("surge", "unavailable", "replicas", "expected"),
    [
        pytest.param(1, 0, 3, (1, 0), id="numbers"),
        pytest.param("25%", "25%", 10, (3, 2), id="surge up, unavailable down"),
        pytest.param("25%", "25%", 4, (1, 1), id="a quarter of four"),
        pytest.param("25%", "25%", 1, (1, 0), id="a quarter of one"),
        pytest.param("100%", 0, 7, (7, 0), id="all at once"),
        pytest.param(0, 0, 5, (0, 1), id="both zero would never move"),
        pytest.param("0%", "10%", 5, (0, 1), id="both round to zero"),
        pytest.param(0, 9, 3, (0, 3), id="no more than there are"),
        pytest.param("25%", "25%", 0, (0, 0), id="no replicas"),
        pytest.param(
            "nonsense", "25%", 4, (1, 1), id="what is no percentage counts as the default"
        ),
    ],
)
def test_percentages_are_rounded_as_kubernetes_rounds_them(
    surge: int | str, unavailable: int | str, replicas: int, expected: tuple[int, int]
) -> None:
    """ResolveFenceposts of the Deployment controller gives the same numbers."""
    strategy = Strategy(max_surge=surge, max_unavailable=unavailable)

    assert strategy.resolve(replicas) == expected


@pytest.mark.parametrize(
    ("strategy", "replicas", "floor"),
    [
        pytest.param(Strategy(max_surge=1, max_unavailable=0), 3, 3, id="surge"),
        pytest.param(Strategy(max_surge=0, max_unavailable=1), 3, 2, id="unavailable"),
        pytest.param(Strategy(), 10, 8, id="default"),
        pytest.param(Strategy(max_unavailable="100%"), 10, 0, id="all may go"),
        pytest.param(Strategy(recreate=True), 10, 0, id="Recreate has no floor"),
    ],
)
def test_the_floor_is_what_the_deployment_keeps_available(
    strategy: Strategy, replicas: int, floor: int
) -> None:
    """It is called minAvailable there: the replicas without maxUnavailable."""
    assert strategy.floor(replicas) == floor
