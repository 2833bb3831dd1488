"""The product is upgraded in the middle of a rollout, its CRD and everything else with it."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
import yaml

from e2e.support import given, install, then, when
from e2e.support.install import Images
from e2e.support.kubectl import Object
from e2e.support.midway import a_rollout_that_loses_nothing
from e2e.support.testbed import Testbed
from e2e.support.worlds import MakeWorld
from lossless.model.names import GROUP, PLURAL

pytestmark = pytest.mark.alone("the product is replaced")

_CRD: Final = f"{PLURAL}.{GROUP}"
#: A field of the spec that the version before did not have.
_NEW: Final = "metrics"
#: What changes the pods of the controller and of the webhook, as another image would.
_NEXT: Final = {"logLevel": "debug"}


@pytest.fixture
def version_before(testbed: Testbed, images: Images, tmp_path: Path) -> Iterator[None]:
    """Have an older chart installed, and bring this one back for the tests that follow."""
    chart = tmp_path / "lossless"
    shutil.copytree(install.CHART, chart)
    file = chart / "files" / "losslessrollouts.yaml"
    crd = yaml.safe_load(file.read_text())
    del _fields(crd)[_NEW]
    file.write_text(yaml.safe_dump(crd, sort_keys=False))
    try:
        install.install_chart(testbed, images, chart=chart)
        assert _NEW not in _fields_served(testbed)
        yield
    finally:
        install.install_chart(testbed, images)


def _fields(crd: Object) -> Object:
    """Return the fields of ``spec`` that a CRD has."""
    (version,) = crd["spec"]["versions"]
    found: Object = version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    return found


def _fields_served(testbed: Testbed) -> Object:
    crd = testbed.kubectl.get("customresourcedefinition", _CRD)
    assert crd is not None
    return _fields(crd)


@pytest.mark.usefixtures("version_before")
def test_an_upgrade_in_the_middle_of_a_rollout_loses_nothing(
    make: MakeWorld, testbed: Testbed, images: Images
) -> None:
    """Who leads hands over, webhooks follow one another, the CRD changes, and the rollout ends.

    No pod that is made meanwhile misses its agent, and the gate stays shut for a drain that was
    begun under the version before.
    """
    with a_rollout_that_loses_nothing(make, "upgrade") as world:
        leader = when.the_leader(world)
        world.mark("the product is upgraded")
        install.install_chart(testbed, images, _NEXT)
        world.mark("the product has been upgraded")
        assert when.the_leader(world) not in {"", leader}
        then.one_drains_and_one_is_held(world)  # still, under another leader

    then.the_rollout_drained(world, pods=3)
    given.every_pod_has_an_agent(world)
    assert _NEW in _fields_served(testbed)
