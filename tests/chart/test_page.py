"""docs/chart.md: its table is that of values.yaml, and what it shows is accepted."""

import re

import pytest
import yaml

from tests.chart.rendering import ROOT, Helm
from tools import chart_values

PAGE = (ROOT / "docs" / "chart.md").read_text()
#: Examples that are values: they begin with one.
EXAMPLES = [
    text
    for text in re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    if not text.startswith(("spec:", "apiVersion:"))
]


def test_the_table_is_that_of_the_values() -> None:
    """Written by the tool, so that a value that is added is a value that is described."""
    assert chart_values.written(PAGE, chart_values.VALUES.read_text()) == PAGE


def test_every_value_says_what_it_is() -> None:
    """By a comment of its own, or a name that Kubernetes users know."""
    known = {
        "affinity", "annotations", "enabled", "group", "nodeSelector", "podAnnotations",
        "podLabels", "replicas", "resources", "tolerations",
    }  # fmt: skip
    silent = re.findall(r"^\| `([^`]*)` \| `.*` \| +\|$", PAGE, re.MULTILINE)
    assert {path.rpartition(".")[2] for path in silent} - known == set()


def test_the_page_has_examples() -> None:
    """Otherwise the next test would have nothing to look at."""
    assert len(EXAMPLES) >= 2


@pytest.mark.parametrize("example", EXAMPLES)
def test_examples_are_accepted(helm: Helm, example: str) -> None:
    """As they stand there."""
    assert helm.render(yaml.safe_load(example))


def test_the_gitops_examples_name_what_the_chart_ships(helm: Helm) -> None:
    """Kinds and names of the objects whose fields others fill in."""
    shipped = {
        (m["kind"], m["metadata"]["name"])
        for m in helm.render()
        if m["kind"].endswith("WebhookConfiguration")
    }
    for example in re.findall(r"^```yaml\n(spec:.*?)^```", PAGE, re.MULTILINE | re.DOTALL):
        spec = yaml.safe_load(example)["spec"]
        argo = spec.get("ignoreDifferences") or []
        flux = [rule["target"] for rule in spec.get("driftDetection", {}).get("ignore", [])]
        assert {(rule["kind"], rule["name"]) for rule in [*argo, *flux]} == shipped
