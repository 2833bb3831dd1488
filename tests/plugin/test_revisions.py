"""``undo``: which revision, and the patch that goes back to it, as kubectl does it."""

import jsonpatch
import pytest

from lossless.plugin.exits import RefusedError
from lossless.plugin.revisions import chosen, revision_of, template_of, undoing
from tests.support.raw_objects import LABELS, Raw, raw_deployment, raw_replica_set


def replica_set(digest: str, revision: int) -> Raw:
    """Return a ReplicaSet whose template runs an image of its name."""
    raw = raw_replica_set(digest, revision)
    raw["metadata"]["annotations"]["kubernetes.io/change-cause"] = f"release {digest}"
    raw["spec"] = {
        "template": {
            "metadata": {"labels": LABELS | {"pod-template-hash": digest}},
            "spec": {"containers": [{"name": "app", "image": digest}]},
        }
    }
    return raw


OLD, MIDDLE, NEW = replica_set("old", 1), replica_set("middle", 4), replica_set("new", 5)


def deployment() -> Raw:
    """Return Deployment web, as its newest ReplicaSet has it."""
    raw = raw_deployment(template=template_of(NEW))
    raw["metadata"] |= {
        "resourceVersion": "77",
        "annotations": {
            "deployment.kubernetes.io/revision": "5",
            "kubernetes.io/change-cause": "release new",
        },
    }
    return raw


def test_the_revision_before_the_newest_unless_one_is_named() -> None:
    """By number, whatever the order in which they are listed."""
    listed = [NEW, OLD, MIDDLE]
    assert chosen(listed, 0) is MIDDLE
    assert chosen(listed, 1) is OLD


@pytest.mark.parametrize(
    ("listed", "to", "says"),
    [
        pytest.param(
            [OLD, NEW], 9, r"there is no revision 9; choose another \(there: 1, 5\)", id="unknown"
        ),
        pytest.param([NEW], 0, "no revision before the newest", id="only one"),
        pytest.param([], 3, "there: none", id="none"),
    ],
)
def test_nothing_to_go_back_to(listed: list[Raw], to: int, says: str) -> None:
    """Says what there is."""
    with pytest.raises(RefusedError, match=says):
        chosen(listed, to)


def test_a_replica_set_without_a_revision_is_none() -> None:
    """Somebody may have made one by hand."""
    odd = {"metadata": {"annotations": {"deployment.kubernetes.io/revision": "x"}}}
    assert revision_of(odd) == 0
    assert chosen([odd, OLD, NEW], 0) is OLD


def test_the_patch_brings_the_template_back_without_its_hash() -> None:
    """Annotations of the release come along, those of the Deployment stay."""
    after = jsonpatch.apply_patch(deployment(), undoing(deployment(), MIDDLE))

    assert after["spec"]["template"] == {
        "metadata": {"labels": LABELS},
        "spec": {"containers": [{"name": "app", "image": "middle"}]},
    }
    assert after["metadata"]["annotations"] == {
        "deployment.kubernetes.io/revision": "5",
        "kubernetes.io/change-cause": "release middle",
    }
    assert MIDDLE["spec"]["template"]["metadata"]["labels"]["pod-template-hash"] == "middle"


def test_a_release_in_the_same_moment_is_not_undone_unseen() -> None:
    """The patch fails when the Deployment is not the one that was read."""
    patch = undoing(deployment(), MIDDLE)
    changed = deployment()
    changed["metadata"]["resourceVersion"] = "78"

    with pytest.raises(jsonpatch.JsonPatchTestFailed):
        jsonpatch.apply_patch(changed, patch)


def test_what_is_so_already_needs_no_patch() -> None:
    """As kubectl: "skipped rollback"."""
    assert undoing(deployment(), NEW) == []
