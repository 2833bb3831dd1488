"""``helm test`` tells whether an installation works, as its users' pods depend on it."""

import pytest

from e2e.support import install, when
from e2e.support.testbed import Testbed
from e2e.support.worlds import MakeWorld

pytestmark = pytest.mark.alone("the webhook is away meanwhile")


@pytest.mark.usefixtures("restored")
def test_helm_test_says_what_works_and_what_does_not(make: MakeWorld, testbed: Testbed) -> None:
    """All is well; then, in the control, no webhook answers, and the text names it."""
    world = make("selftest")

    works, said = install.self_test(testbed, within=90)
    assert works, said
    assert "has just renewed its Lease" in said, said

    when.scaled(world, when.WEBHOOK, 0)
    works, said = install.self_test(testbed, within=90)
    assert not works, said
    assert when.WEBHOOK in said, said
