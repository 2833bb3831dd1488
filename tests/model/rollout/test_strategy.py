"""How many pods a Deployment adds and lets go at a time, as Kubernetes computes it."""

import pytest

from lossless.model.rollout.observation import Workload
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


@pytest.mark.parametrize(
    ("strategy", "replicas", "wave"),
    [
        pytest.param(Strategy(max_surge=1, max_unavailable=0), 3, 1, id="one more"),
        pytest.param(Strategy(max_surge=0, max_unavailable=1), 3, 1, id="one less"),
        pytest.param(Strategy(), 12, 6, id="the default, of twelve"),
        pytest.param(Strategy(), 1, 1, id="the default, of one"),
        pytest.param(Strategy(max_surge="100%", max_unavailable=0), 7, 7, id="twice as many"),
        pytest.param(Strategy(recreate=True), 5, 5, id="Recreate takes all"),
    ],
)
def test_a_wave_is_what_the_deployment_replaces_at_a_time(
    strategy: Strategy, replicas: int, wave: int
) -> None:
    """What it adds beyond its replicas, and what it takes away from them."""
    assert strategy.wave(replicas) == wave


@pytest.mark.parametrize(
    ("max_draining", "replicas", "limit"),
    [
        pytest.param(None, 12, 6, id="unset: its own wave"),
        pytest.param(None, 0, 1, id="unset, no replicas"),
        pytest.param(1, 12, 1, id="one after another"),
        pytest.param(50, 12, 50, id="more than there are"),
        pytest.param("50%", 12, 6, id="a share"),
        pytest.param("1%", 12, 1, id="a share that rounds to none"),
    ],
)
def test_how_many_may_drain_at_a_time(
    max_draining: int | str | None, replicas: int, limit: int
) -> None:
    """As ``pacing.maxDraining`` says; never none, which would hold a rollout for ever."""
    assert Workload("web", replicas, Strategy()).limit(max_draining) == limit
