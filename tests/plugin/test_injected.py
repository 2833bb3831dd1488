"""``render``: the difference that injection makes."""

import json
from typing import Any

import jsonpatch
import pytest

from lossless.injection.agent_settings import AgentSettings
from lossless.injection.inject import inject
from lossless.model.policy import parse_spec
from lossless.plugin.injected import difference, patched, rendered
from lossless.plugin.paint import Paint
from tests.checks.manifests import right

SPEC = parse_spec({"targetRef": {"kind": "Deployment", "name": "web"}})
SETTINGS = AgentSettings(image="registry.example/lossless-agent:1")
TEMPLATE: dict[str, Any] = right()["deployment"]["spec"]["template"]


def test_the_difference_says_what_is_added() -> None:
    """A unified diff of YAML: the agent, the hold, the gate and the grace period."""
    seen = rendered(TEMPLATE, "web", SPEC, SETTINGS, gate=True)
    lines = difference("Deployment shop/web", seen, Paint())

    assert lines[:2] == [
        "--- Deployment shop/web as written",
        "+++ Deployment shop/web as it would start",
    ]
    assert not [line for line in lines[2:] if line.startswith("-")]
    for line in (
        "+  - name: lossless-agent",
        "+    image: registry.example/lossless-agent:1",
        "+  - conditionType: lossless.dev/rollout",
        "+  terminationGracePeriodSeconds: 340",
    ):
        assert line in lines
    assert any(line.startswith("+          path: /v1/hold") for line in lines)


def test_without_a_controller_there_is_no_gate() -> None:
    """And the rest stays the same."""
    seen = rendered(TEMPLATE, "web", SPEC, SETTINGS, gate=False)
    assert "readinessGates" not in seen.after["spec"]
    assert seen.after["spec"]["initContainers"][0]["name"] == "lossless-agent"


def test_the_template_itself_is_left_alone() -> None:
    """Looking changes nothing."""
    before = json.dumps(TEMPLATE)
    rendered(TEMPLATE, "web", SPEC, SETTINGS, gate=True)
    assert json.dumps(TEMPLATE) == before


def test_what_is_not_injected_has_no_difference() -> None:
    """The warning says why."""
    template = {"spec": TEMPLATE["spec"] | {"os": {"name": "windows"}}}
    seen = rendered(template, "web", SPEC, SETTINGS, gate=True)

    assert difference("x", seen, Paint()) == []
    assert "Windows" in seen.problems[0].reason


@pytest.mark.parametrize(
    "pod",
    [
        pytest.param(TEMPLATE, id="plain"),
        pytest.param(
            TEMPLATE
            | {"metadata": {"annotations": {"lossless.dev/unprotected": "x", "a/b~c": "d"}}},
            id="annotations",
        ),
        pytest.param(
            {
                "metadata": {},
                "spec": TEMPLATE["spec"]
                | {
                    "initContainers": [{"name": "first"}],
                    "volumes": [{"name": "data"}],
                    "readinessGates": [{"conditionType": "lossless.dev/rollout"}],
                },
            },
            id="lists",
        ),
    ],
)
@pytest.mark.parametrize("gate", [True, False], ids=["gate", "no gate"])
def test_patches_are_applied_as_everybody_does(pod: dict[str, Any], gate: bool) -> None:  # noqa: FBT001 # a dimension
    """A library that is not ours comes to the same."""
    operations = inject(pod, "web", SPEC, SETTINGS, gate=gate).operations

    assert operations
    assert patched(pod, operations) == jsonpatch.apply_patch(pod, list(operations))


def test_colours() -> None:
    """Added green, removed red, places blue."""
    seen = rendered(TEMPLATE, "web", SPEC, SETTINGS, gate=True)
    lines = difference("x", seen, Paint(on=True))
    codes = {line[:4] for line in lines if line.startswith("\x1b")}
    assert codes == {"\x1b[1m", "\x1b[32", "\x1b[36"}
