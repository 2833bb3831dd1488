"""``make quick`` runs the tests that a change can touch, and none of them is missing."""

from collections.abc import Iterable

import pytest

from tools.affected import affected, module_of

#: What imports what, in small.
IMPORTED_BY = {
    "lossless.model.gate": {"lossless.model.decision", "tests.model.test_gate"},
    "lossless.model.decision": {"tests.model.test_decision"},
    "tests.chart.rendering": {"tests.chart.test_pods"},
}
MODULES = {
    "lossless.model.gate": "",
    "lossless.model.decision": "",
    "tests.model.test_gate": "",
    "tests.model.test_decision": "",
    "tests.chart.rendering": 'CHART = ROOT / "charts" / "lossless"',
    "tests.chart.test_pods": "",
    "tests.test_crd": 'CRD = ROOT / "crds/losslessrollouts.yaml"',
    "tests.test_other": "# discharts, my-charts, charts_of_others",
}


def importers(module: str) -> Iterable[str]:
    """Return who imports a module, directly or through others."""
    direct = IMPORTED_BY.get(module, set())
    return direct.union(*(importers(one) for one in direct))


@pytest.mark.parametrize(
    ("changed", "tests"),
    [
        pytest.param(
            ["operator/lossless/model/gate.py"],
            ["tests.model.test_decision", "tests.model.test_gate"],
            id="what-imports-it-through-others-too",
        ),
        pytest.param(
            ["operator/lossless/model/decision.py"], ["tests.model.test_decision"], id="and-no-more"
        ),
        pytest.param(["tests/model/test_gate.py"], ["tests.model.test_gate"], id="a-test-itself"),
        pytest.param(
            ["charts/lossless/templates/pods.yaml"],
            ["tests.chart.test_pods"],
            id="a-helper-names-its-folder",
        ),
        pytest.param(["crds/losslessrollouts.yaml"], ["tests.test_crd"], id="named-itself"),
        pytest.param(["operator/lossless/model/gone.py"], [], id="removed"),
        pytest.param([], [], id="nothing"),
    ],
)
def test_the_tests_that_a_change_can_touch(changed: list[str], tests: list[str]) -> None:
    """By imports for Python, by names for everything else."""
    assert affected(changed, MODULES, importers) == tests


@pytest.mark.parametrize(
    ("path", "module"),
    [
        pytest.param("operator/lossless/agent/drain.py", "lossless.agent.drain", id="product"),
        pytest.param("operator/lossless/agent/__init__.py", "lossless.agent", id="package"),
        pytest.param("tests/support/specs.py", "tests.support.specs", id="tests"),
        pytest.param("bench/agent.py", None, id="imported-by-none"),
        pytest.param("docs/index.md", None, id="no-python"),
    ],
)
def test_a_module_is_known_by_its_path(path: str, module: str | None) -> None:
    """What no test can import is not one of them."""
    assert module_of(path) == module
