"""Helm, once per run, and what it makes of the chart's defaults."""

from pathlib import Path

import pytest

from tests.chart.rendering import Helm, Manifest, find_helm
from tests.support.required import cannot_run


@pytest.fixture(scope="session")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    """Return Helm; without one the test is skipped, or fails where tools are required."""
    binary = find_helm()
    if binary is None:
        cannot_run("helm is neither on PATH nor built; run: python -m e2e.cluster binaries")
    home: Path = tmp_path_factory.mktemp("helm")
    return Helm(binary, home)


@pytest.fixture(scope="session")
def manifests(helm: Helm) -> list[Manifest]:
    """Return the objects of an installation that sets nothing but the image."""
    return helm.render()
