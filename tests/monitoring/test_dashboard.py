"""The dashboard is one that Grafana can show: by its schema's types, and as a reader sees it."""

import json
from itertools import combinations
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from monitoring.dashboard import dashboard
from monitoring.panels import SOURCE

TEXT = dashboard()
MADE: dict[str, Any] = json.loads(TEXT)
PANELS = [panel for panel in MADE["panels"] if panel["type"] != "row"]
WIDTH = 24


def test_its_schema_knows_every_field() -> None:
    """Read by the types of Grafana's schema and written again, nothing is lost."""
    read = Dashboard.from_json(json.loads(TEXT))

    assert json.loads(JSONEncoder().encode(read)) == MADE


def test_each_panel_has_a_place_of_its_own() -> None:
    """In the grid's width, none over another, all with different numbers."""

    def cells(panel: dict[str, Any]) -> set[tuple[int, int]]:
        at = panel["gridPos"]
        return {
            (at["x"] + right, at["y"] + down) for right in range(at["w"]) for down in range(at["h"])
        }

    for panel in MADE["panels"]:
        assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= WIDTH
    for one, other in combinations(MADE["panels"], 2):
        assert not cells(one) & cells(other), (one["title"], other["title"])
    assert len({panel["id"] for panel in MADE["panels"]}) == len(MADE["panels"])


def test_each_panel_explains_itself() -> None:
    """A title that no other has, a text, a unit, and questions to the Prometheus that is chosen."""
    chosen = {"type": SOURCE.type_val, "uid": SOURCE.uid}

    assert len({panel["title"] for panel in PANELS}) == len(PANELS)
    for panel in PANELS:
        assert panel["description"], panel["title"]
        assert panel["datasource"] == chosen
        letters = [target["refId"] for target in panel["targets"]]
        assert letters == list("ABCDEFGH"[: len(letters)])
        assert letters
        assert all(target["datasource"] == chosen for target in panel["targets"])


def test_a_viewer_can_choose() -> None:
    """Prometheus, namespaces and LosslessRollouts; all of them at first."""
    variables = MADE["templating"]["list"]

    assert [one["name"] for one in variables] == ["datasource", "namespace", "rollout"]
    assert [one["current"]["value"] for one in variables[1:]] == ["$__all", "$__all"]
