"""Which namespaces are served, and which cannot be."""

import pytest
from kubernetes.aio.client.configuration import Configuration

from lossless.cluster.workloads import PLURALS
from lossless.model.scope import MOST, Scope


@pytest.mark.parametrize(
    ("text", "serves", "collections"),
    [
        pytest.param("", {"shop": True, "bank": True}, ("",), id="whole-cluster"),
        pytest.param("shop", {"shop": True, "bank": False, "": False}, ("shop",), id="one"),
        pytest.param("a,b", {"a": True, "b": True, "a,b": False}, ("a", "b"), id="two"),
    ],
)
def test_what_is_served(text: str, serves: dict[str, bool], collections: tuple[str, ...]) -> None:
    """Nothing said is everything; a list is no more than itself."""
    scope = Scope.parse(text)
    assert {name: scope.serves(name) for name in serves} == serves
    assert scope.collections == collections


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("shop,", "'' is not the name of a namespace", id="comma"),
        pytest.param("shop, bank", "' bank' is not the name", id="blank"),
        pytest.param("../kube", "'../kube' is not the name", id="path"),
        pytest.param("n" * 64, "is not the name", id="long"),
        pytest.param("kube-system", "pods in kube-system are never injected", id="kube-system"),
        pytest.param("shop,shop", "shop is named twice", id="twice"),
        pytest.param(
            ",".join(f"n{number}" for number in range(MOST + 1)),
            f"{MOST + 1} are named, and {MOST} can be; name none",
            id="many",
        ),
    ],
)
def test_what_cannot_be_served_is_refused(text: str, said: str) -> None:
    """With the value and the remedy."""
    with pytest.raises(ValueError, match=said):
        Scope.parse(text)


def test_the_installation_itself_cannot_be_served() -> None:
    """Its pods are never injected, so a LosslessRollout there would do nothing."""
    with pytest.raises(ValueError, match="namespace of the installation"):
        Scope(("shop",)).check_installed_in("shop")
    Scope(("shop",)).check_installed_in("lossless")
    Scope().check_installed_in("lossless")


def test_all_watches_together_leave_connections_for_requests() -> None:
    """A fifth of the pool at least: a look waits for no watch to end."""
    watches = MOST * (1 + len(PLURALS))
    assert watches <= 0.8 * Configuration().connection_pool_maxsize
