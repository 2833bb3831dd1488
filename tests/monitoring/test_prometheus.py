"""A real Prometheus scrapes the real pages: every alert and every panel can be asked for."""

import asyncio
from pathlib import Path
from typing import Final

import pytest

from e2e.support.eventually import eventually
from e2e.support.prometheus import Prometheus, QueryRefused, prometheus
from monitoring.dashboard import dashboard, expressions, plain
from monitoring.exposed import Component, families
from monitoring.files import ALERTS
from tests.monitoring.conftest import SOMETIMES, Pages
from tests.support.free_ports import free_port

#: Panels that show something only where something went wrong, or while a rollout is under way.
_QUIET: Final = {
    "New pods of rollouts under way",
    "Not Ready now",
    "Pods that drain",
    "Pods that are held",
    "Connections left on pods that drain",
    "Injection suspended",
    "Stuck pods made anew",
    "Agents that cannot count",
}


@pytest.mark.timeout(90)  # three processes and a Prometheus start, and scrape once a second
@pytest.mark.usefixtures("prometheus_program")
async def test_what_is_served_is_what_is_asked_for(pages: Pages, tmp_path: Path) -> None:
    """No expression is refused, no panel is mute for good, no rule fails, no alert fires."""
    await asyncio.to_thread(_ask, pages, tmp_path)


def _ask(pages: Pages, folder: Path) -> None:
    with prometheus(folder, free_port(), [ALERTS]) as asked:
        asked.aim({one.value: [f"127.0.0.1:{port}"] for one, port in pages.ports.items()})
        eventually(asked.scraped, what="three pages to be scraped", within=15)
        # A rate needs two scrapes of the same page.
        eventually(
            lambda: asked.query(f"count(count_over_time(up[1m]) > 1) == {len(pages.ports)}"),
            what="every page to be scraped twice",
            within=15,
        )
        eventually(
            asked.rules, lambda rules: all(rule["health"] == "ok" for rule in rules),
            what="every rule to have been evaluated", within=10,
        )  # fmt: skip

        _every_series_is_there(asked)
        asking = [(title, plain(expression)) for title, expression in expressions(dashboard())]
        answers = asked.queries(expression for _, expression in asking)
        mute = {title for title, expression in asking if not answers[expression]}
        assert mute <= _QUIET
        assert [rule["name"] for rule in asked.rules() if rule["state"] == "firing"] == []
        with pytest.raises(QueryRefused, match="parse error"):
            asked.query("sum by (lossless_rollout_phase")


def _every_series_is_there(asked: Prometheus) -> None:
    """With the label that says which process tells it."""
    asking = [
        f'{series}{{aimed_at="{family.component}"}}'
        for family in families()
        if family.ours and family.name not in SOMETIMES
        for series in sorted(family.series)
    ]
    missing = [expression for expression, found in asked.queries(asking).items() if not found]

    assert missing == []
    # The LosslessRollout's namespace, not the target's.
    assert asked.query('lossless_rollout_ready{namespace="shop", rollout="web"}')
    assert {one.value for one in Component} == {
        row["metric"]["component"] for row in asked.query("lossless_build_info")
    }
