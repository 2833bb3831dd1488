"""Context and namespace, by kubectl's own rules."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from lossless.plugin.exits import RefusedError
from lossless.plugin.kubeconfig import Place, contexts_of, place_of


def written(path: Path, current: str, **namespaces: str) -> str:
    """Write a kubeconfig with a context for each namespace and return its name."""
    contexts = [
        {"name": name, "context": {"cluster": "k", "user": "u"} | ({"namespace": ns} if ns else {})}
        for name, ns in namespaces.items()
    ]
    document: dict[str, Any] = {"contexts": contexts}
    if current:
        document["current-context"] = current
    path.write_text(json.dumps(document))
    return str(path)


@pytest.fixture
def file(tmp_path: Path) -> str:
    """Return a kubeconfig with two contexts."""
    return written(tmp_path / "one", "a", a="shop", b="")


@pytest.mark.parametrize(
    ("context", "namespace", "place"),
    [
        pytest.param(None, None, ("a", "shop"), id="current"),
        pytest.param("b", None, ("b", "default"), id="context without a namespace"),
        pytest.param(None, "mine", ("a", "mine"), id="named namespace"),
        pytest.param("b", "mine", ("b", "mine"), id="both named"),
    ],
)
def test_where(
    file: str, context: str | None, namespace: str | None, place: tuple[str, str]
) -> None:
    """Options first, then the context's own, then ``default``."""
    assert place_of(file, context, namespace, {}) == Place(file, *place)


def test_the_environment_names_files(file: str) -> None:
    """``$KUBECONFIG`` counts unless an option says otherwise."""
    assert place_of(None, None, None, {"KUBECONFIG": file}).context == "a"
    assert place_of(file, None, None, {"KUBECONFIG": "/nowhere"}).context == "a"


def test_the_first_of_several_files_wins(tmp_path: Path) -> None:
    """For the current context and for a context of the same name (client-go)."""
    first = written(tmp_path / "1", "a", a="one")
    second = written(tmp_path / "2", "b", a="two", b="two")
    both = os.pathsep.join(["/nowhere", first, second])

    assert place_of(None, None, None, {"KUBECONFIG": both}) == Place(both, "a", "one")
    assert place_of(None, "b", None, {"KUBECONFIG": both}).namespace == "two"
    assert contexts_of(both, {}) == ["a", "b"]


def test_no_context_at_all(tmp_path: Path) -> None:
    """The client then says what is missing."""
    file = written(tmp_path / "1", "")
    assert place_of(file, None, None, {}) == Place(file, None, "default")


def test_no_file() -> None:
    """That is right in a pod; whoever named a file hears that it is not there."""
    assert place_of(None, None, None, {"KUBECONFIG": "/nowhere"}).kubeconfig is None
    with pytest.raises(RefusedError, match="--kubeconfig /nowhere: no such file"):
        place_of("/nowhere", None, None, {})


def test_an_unknown_context(file: str) -> None:
    """The message lists those that are known."""
    with pytest.raises(RefusedError, match=r"context 'c': not in .*; contexts there: a, b"):
        place_of(file, "c", None, {})


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """In one line; completion then offers nothing."""
    path = tmp_path / "bad"
    path.write_text("token: s3cret: x")
    with pytest.raises(RefusedError, match=r"bad: is not YAML \(line 1, column 14: ") as error:
        place_of(str(path), None, None, {})
    assert "\n" not in str(error.value)
    assert "s3cret" not in str(error.value)
    assert contexts_of(str(path), {}) == []
