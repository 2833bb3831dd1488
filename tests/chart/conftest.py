"""Helm, once per run, and what it makes of the chart's defaults."""

import os
from pathlib import Path

import pytest

from tests.chart.rendering import Helm, Manifest, find_helm


@pytest.fixture(scope="session")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    """Return Helm; without one the test is skipped, or fails where tools are required."""
    binary = find_helm()
    if binary is None:
        reason = "helm is neither on PATH nor built; run: python -m e2e.cluster binaries"
        if os.environ.get("LOSSLESS_REQUIRE_TOOLS") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    home: Path = tmp_path_factory.mktemp("helm")
    return Helm(binary, home)


@pytest.fixture(scope="session")
def manifests(helm: Helm) -> list[Manifest]:
    """Return the objects of an installation that sets nothing but the image."""
    return helm.render()
