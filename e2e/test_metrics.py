"""A platform team's Prometheus sees a rollout: every page, every alert, every panel, each drain."""

import shutil
from collections.abc import Sequence
from typing import Final

import pytest

from e2e.conftest import cannot_be_shown
from e2e.sample.manifests import NAME, Variant
from e2e.support import control, given, install, then, when
from e2e.support.eventually import eventually
from e2e.support.midway import in_mid_drain
from e2e.support.prometheus import PROGRAM, Prometheus, prometheus
from e2e.support.world import World
from e2e.support.worlds import MakeWorld
from lossless.model.names import AGENT_PORT
from monitoring.dashboard import dashboard, expressions, plain
from monitoring.exposed import Component, families
from monitoring.files import ALERTS

#: Of controller and webhook, as in the chart.
_HTTP: Final = 8080
#: On the loopback of the host outside the cluster.
_PORT: Final = 19090
_REPLICAS: Final = 3
_SOON: Final = 30.0


@pytest.fixture(scope="session", autouse=True)
def program() -> None:
    """Have Prometheus at hand, before there is a cluster for it."""
    if shutil.which(PROGRAM) is None:
        cannot_be_shown(f"not installed: {PROGRAM}; see monitoring/debian-packages.txt")


def test_prometheus_sees_a_rollout(make: MakeWorld) -> None:
    """Held gates and connections while it goes on, each drain counted after it, nothing alarmed.

    And no request lost, where the same load without the product loses some.
    """
    control.a_plain_rollout_loses_some(make, replicas=_REPLICAS)
    world = make("metrics")
    given.the_service(world, Variant.LOSSLESS, replicas=_REPLICAS)
    folder = world.logs / PROGRAM
    folder.mkdir()
    with prometheus(folder, _PORT, [ALERTS], world.testbed.client_command) as asked:
        asked.aim(_targets(world))
        eventually(asked.scraped, what="every page to be scraped", within=_SOON)
        eventually(
            lambda: _values(asked, f"lossless_drains_total{_of(world)}"),
            lambda values: len(values) == 3,
            what="the counts of all three results, before there is a drain",
            within=_SOON,
        )
        with given.load(world) as load:
            with in_mid_drain(world):
                _shows_the_rollout(asked, world)
            when.the_rollout_ends(world)
            load.goes_on(requests=500)
        asked.aim(_targets(world))
        then.nothing_was_lost(world, load.report)

        # Then it is told how all of it ended.
        eventually(
            lambda: asked.query(f"sum(lossless_drains_total{_of(world, result='Drained')})"),
            lambda found: [float(one["value"][1]) for one in found] == [_REPLICAS],
            what=f"{_REPLICAS} drains counted as Drained",
            within=_SOON,
        )
        for result in ("TimedOut", "Lost"):
            assert _values(asked, f"lossless_drains_total{_of(world, result=result)}") == [0.0]
        _every_question_has_an_answer(asked)
        _nothing_is_alarmed(asked, world)


def _targets(world: World) -> dict[str, Sequence[str]]:
    """Return where the pages are; pods that stop are left to their drains."""
    ours = world.testbed.kubectl.within(install.NAMESPACE)
    found: dict[str, Sequence[str]] = {
        component: [
            f"{pod['status']['podIP']}:{_HTTP}"
            for pod in ours.list("pods", {"app.kubernetes.io/component": component})
        ]
        for component in (Component.CONTROLLER, Component.WEBHOOK)
    }
    assert all(found.values()), found
    agents = [f"{pod['status']['podIP']}:{AGENT_PORT}" for pod in world.pods()]
    return found | {Component.AGENT: agents}


def _of(world: World, **labels: str) -> str:
    asked = {"namespace": world.namespace, "rollout": NAME} | labels
    return "{" + ", ".join(f'{name}="{value}"' for name, value in asked.items()) + "}"


def _values(asked: Prometheus, expression: str) -> list[float]:
    return [float(one["value"][1]) for one in asked.query(expression)]


def _shows_the_rollout(asked: Prometheus, world: World) -> None:
    """Wait until the pages have told of it."""
    progressing = _of(world, phase="Progressing")
    for what in (
        f"lossless_rollout_phase{progressing} == 1",
        f"lossless_draining_pods{_of(world)} > 0",
        f"lossless_held_gates{_of(world)} > 0",
        f"sum(lossless_draining_connections{_of(world)}) > 0",
        "lossless_agent_draining == 1",
    ):
        eventually(lambda what=what: asked.query(what), what=what, within=_SOON)  # type: ignore[misc]


def _every_question_has_an_answer(asked: Prometheus) -> None:
    """No rule fails, no panel's expression is refused, and every series is there."""
    eventually(
        asked.rules,
        lambda rules: bool(rules) and all(rule["health"] == "ok" for rule in rules),
        what="every rule to be evaluated without an error",
        within=_SOON,
    )
    asked.queries(plain(expression) for _, expression in expressions(dashboard()))
    asking = [
        f'last_over_time({series}{{aimed_at="{family.component}"}}[5m])'
        for family in families()
        if family.ours
        for series in sorted(family.series)
    ]
    missing = [expression for expression, found in asked.queries(asking).items() if not found]
    assert missing == []


def _nothing_is_alarmed(asked: Prometheus, world: World) -> None:
    """Neither of the rollout nor of the installation; other namespaces are others' tests."""
    firing = [
        alert["labels"]
        for rule in asked.rules()
        for alert in rule["alerts"]
        if alert["state"] == "firing"
        and alert["labels"].get("namespace") in {None, world.namespace}
    ]
    assert firing == []
