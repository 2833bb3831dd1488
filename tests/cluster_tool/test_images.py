"""Image builds, up to the builder."""

from pathlib import Path

import pytest

from e2e.cluster import base_image, images
from e2e.cluster.errors import ClusterError


@pytest.fixture
def dockerfile(tmp_path: Path) -> Path:
    """A Dockerfile that lets its base be chosen."""
    path = tmp_path / "Dockerfile"
    path.write_text("ARG BASE=python:3.13-slim\nFROM ${BASE} AS one\nFROM one AS two\n")
    return path


@pytest.mark.parametrize(
    ("tag", "problem"),
    [
        pytest.param("app:1", "not fully qualified", id="no registry"),
        pytest.param("localhost/app", "not fully qualified", id="no tag"),
        pytest.param("localhost/App:1", "not fully qualified", id="upper case"),
        pytest.param("localhost/app:latest", ":latest", id="latest"),
    ],
)
def test_a_tag_that_kubelets_misread_is_refused(tag: str, problem: str, dockerfile: Path) -> None:
    """The message names the tag and a good one."""
    with pytest.raises(ClusterError, match=problem):
        images.Build(dockerfile, dockerfile.parent, tag)


@pytest.mark.parametrize("tag", ["localhost/app:1", "localhost:5000/a/b-c:v1.2_3", "r.example/x:1"])
def test_a_fully_qualified_tag_is_taken(tag: str, dockerfile: Path) -> None:
    """With or without a port."""
    assert images.Build(dockerfile, dockerfile.parent, tag).tag == tag


def test_missing_inputs_are_named(dockerfile: Path) -> None:
    """Before a builder is looked for."""
    with pytest.raises(ClusterError, match=r"--file .*absent"):
        images.Build(dockerfile.with_name("absent"), dockerfile.parent, "localhost/x:1")
    with pytest.raises(ClusterError, match=r"--context .*absent"):
        images.Build(dockerfile, dockerfile.with_name("absent"), "localhost/x:1")


@pytest.mark.parametrize(
    ("text", "arguments", "wanted"),
    [
        pytest.param("ARG BASE=x\nFROM ${BASE}\n", {}, True, id="left to us"),
        pytest.param("ARG BASE=x\nFROM ${BASE}\n", {"BASE": "y"}, False, id="chosen by the caller"),
        pytest.param("FROM debian\n", {}, False, id="fixed"),
        pytest.param("ARG BASELINE=1\nFROM debian\n", {}, False, id="another argument"),
    ],
)
def test_our_base_is_used_where_it_is_asked_for(
    text: str,
    arguments: dict[str, str],
    wanted: bool,  # noqa: FBT001 - a table's column
    dockerfile: Path,
) -> None:
    """An `ARG BASE` that nobody sets."""
    dockerfile.write_text(text)

    build = images.Build(dockerfile, dockerfile.parent, "localhost/x:1", arguments=arguments)

    assert build.wants_base() is wanted


def test_builders_are_told_everything(dockerfile: Path) -> None:
    """File, tag, stage and arguments, and the context last."""
    build = images.Build(dockerfile, dockerfile.parent, "localhost/x:1", target="one")

    assert images.build_options(build, {"B": "2", "A": "1"}) == [
        f"--file={dockerfile}",
        "--tag=localhost/x:1",
        "--target=one",
        "--build-arg=A=1",
        "--build-arg=B=2",
        str(dockerfile.parent),
    ]


def test_the_base_is_named_by_its_recipe() -> None:
    """Another recipe is another image, so an old one is never taken for it."""
    assert base_image.tag().startswith("localhost/lossless-base:bookworm-")
    assert any("python3-venv" in word for word in base_image.recipe())
