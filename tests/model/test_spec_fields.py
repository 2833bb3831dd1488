"""Fields that do not exist are found, and those that do are the CRD's."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from lossless.model.spec_fields import SPEC, unknown_fields

CRD = yaml.safe_load(
    (Path(__file__).resolve().parents[2] / "crds/losslessrollouts.yaml").read_text()
)
SCHEMA = CRD["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]


def fields(schema: dict[str, Any]) -> Any:
    """Return the names in a schema as the table has them."""
    schema = schema.get("items", schema)
    if "properties" not in schema:
        return None
    return {name: fields(inner) for name, inner in schema["properties"].items()}


def test_the_table_is_the_schema() -> None:
    """Every field of spec, by name and place; whoever adds one adds it in both."""
    assert fields(SCHEMA["spec"]) == SPEC


@pytest.mark.parametrize(
    ("written", "field", "nearest"),
    [
        pytest.param({"spec": {"drian": {}}}, "spec.drian", "spec.drain", id="turned letters"),
        pytest.param(
            {"spec": {"drain": {"timeOut": "5m"}}},
            *("spec.drain.timeOut", "spec.drain.timeout"),
            id="capital",
        ),
        pytest.param(
            {"spec": {"close": [{"file": {}}, {"nginx": {"statusfile": "/x"}}]}},
            *("spec.close[1].nginx.statusfile", "spec.close[1].nginx.statusFile"),
            id="in a list",
        ),
        pytest.param(
            {"spec": {"timeout": "5m"}}, "spec.timeout", "spec.drain.timeout", id="another place"
        ),
        pytest.param(
            {"spec": {"drain": {"maxDraining": 2}}},
            *("spec.drain.maxDraining", "spec.pacing.maxDraining"),
            id="beside its place",
        ),
        pytest.param({"sepc": {}}, "sepc", "spec", id="at the root"),
        pytest.param({"spec": {"bananas": 1}}, "spec.bananas", "", id="nothing like it"),
        pytest.param(
            {"spec": {"close": [{"ngnix": {}}]}},
            "spec.close[0].ngnix",
            "spec.close[0].nginx",
            id="a driver",
        ),
        pytest.param(
            {"spec": {"targetRef": {"namespace": "a"}}},
            "spec.targetRef.namespace",
            "",
            id="a field of other objects",
        ),
    ],
)
def test_what_is_no_field_is_found(written: dict[str, Any], field: str, nearest: str) -> None:
    """With its place, and the field that was probably meant."""
    (found,) = unknown_fields(written)
    assert (found.field, found.nearest) == (field, nearest)


@pytest.mark.parametrize(
    "written",
    [
        {"spec": {"metrics": [{"prometheus": {"labels": {"anything": "x"}}}]}},
        {"metadata": {"annotations": {"a": "b"}}, "status": {"phase": "x"}},
        {"spec": {"drain": None, "close": "x", "ports": [{"a": 1}]}},
        {"spec": 5},
    ],
)
def test_what_is_a_field_is_left_alone(written: dict[str, Any]) -> None:
    """Also what has names of its own, and what another check refuses."""
    assert list(unknown_fields(written)) == []
